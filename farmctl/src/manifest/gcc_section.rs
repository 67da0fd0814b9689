//! The `gcc` group of a target's file: which versions there are, and where from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::farm::{GccMajor, GccSource, Origin, Packages, Suite};

use super::keys;
use super::problem::Problem;
use super::reader::{Fields, Reader};
use super::source::Located;
use super::values;
use super::yaml::Node;

/// What one file says; `common.yaml` and the target's own file together say everything.
#[derive(Debug, Clone, Default)]
pub(super) struct GccSection {
    default: Option<GccMajor>,
    stable: Option<Vec<GccMajor>>,
    testing: Option<Vec<GccMajor>>,
    leave_out: Option<Vec<String>>,
    compilers: Compilers,
    except: Vec<(GccMajor, Compilers)>,
}

/// Where compilers come from and where they are; `{version}` stands for the major version.
#[derive(Debug, Clone, Default)]
struct Compilers {
    packages: Option<Vec<String>>,
    headers: Option<Vec<String>>,
    gcc_path: Option<String>,
    gxx_path: Option<String>,
}

impl GccSection {
    pub(super) fn read(node: &Node, reader: &mut Reader<'_>) -> Self {
        let mut fields = reader.fields(node, &keys::GCC);
        let section = Self {
            default: fields.value("default", values::number::<u64, _>),
            stable: fields.set("stable", values::number::<u64, _>).map(bare),
            testing: fields.set("testing", values::number::<u64, _>).map(bare),
            leave_out: fields.list("leave_out", values::package_pattern),
            compilers: Compilers::take(&mut fields),
            except: fields
                .group("except", values::number::<u64, _>, Compilers::read)
                .unwrap_or_default()
                .into_iter()
                .filter_map(|(version, compilers)| Some((version?.value, compilers)))
                .collect(),
        };
        fields.close();
        section
    }

    /// This section, completed key by key from `common`.
    pub(super) fn or(self, common: &Self) -> Self {
        let common = common.clone();
        Self {
            default: self.default.or(common.default),
            stable: self.stable.or(common.stable),
            testing: self.testing.or(common.testing),
            leave_out: self.leave_out.or(common.leave_out),
            compilers: self.compilers.or(common.compilers),
            except: if self.except.is_empty() {
                common.except
            } else {
                self.except
            },
        }
    }

    /// Every version with its source, and the one to install when nobody asks for another.
    pub(super) fn sources(self) -> Result<(BTreeMap<GccMajor, GccSource>, GccMajor), Problem> {
        let versions_of = |suite, versions: &Option<Vec<GccMajor>>| {
            let versions = versions.clone().unwrap_or_default();
            versions.into_iter().map(move |version| (version, suite))
        };
        let sources = versions_of(Suite::Testing, &self.testing)
            .chain(versions_of(Suite::Stable, &self.stable))
            .map(|(version, suite)| Ok((version, self.source(version, suite)?)))
            .collect::<Result<BTreeMap<_, _>, Problem>>()?;
        let default = self.default.ok_or(Problem::MissingKey("default"))?;
        if !sources.contains_key(&default) {
            return Err(Problem::NoSuite(default));
        }
        Ok((sources, default))
    }

    fn source(&self, version: GccMajor, suite: Suite) -> Result<GccSource, Problem> {
        let exception = self
            .except
            .iter()
            .find(|(excepted, _)| *excepted == version)
            .map(|(_, compilers)| compilers.clone())
            .unwrap_or_default();
        let compilers = exception.or(self.compilers.clone());
        let fill = |pattern: String| pattern.replace(values::VERSION, &version.to_string());
        let path = |path: Option<String>, key| match path {
            Some(path) => Ok(PathBuf::from(fill(path))),
            None => Err(Problem::MissingKey(key)),
        };
        let packages = Packages {
            suite,
            packages: compilers
                .packages
                .ok_or(Problem::MissingKey("packages"))?
                .into_iter()
                .map(fill)
                .collect(),
            leave_out: self.leave_out.clone().unwrap_or_default(),
            headers: compilers
                .headers
                .unwrap_or_default()
                .into_iter()
                .map(fill)
                .collect(),
        };
        Ok(GccSource {
            origin: Origin::Packages(packages),
            gcc_path: path(compilers.gcc_path, "c")?,
            gxx_path: path(compilers.gxx_path, "c++")?,
        })
    }
}

impl Compilers {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Self {
        let mut fields = reader.fields(node, &keys::COMPILERS);
        let compilers = Self::take(&mut fields);
        fields.close();
        compilers
    }

    fn take(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            packages: fields.set("packages", values::package_template).map(bare),
            headers: fields.set("headers", values::package_template).map(bare),
            gcc_path: fields.value("c", values::path_template),
            gxx_path: fields.value("c++", values::path_template),
        }
    }

    fn or(self, below: Self) -> Self {
        Self {
            packages: self.packages.or(below.packages),
            headers: self.headers.or(below.headers),
            gcc_path: self.gcc_path.or(below.gcc_path),
            gxx_path: self.gxx_path.or(below.gxx_path),
        }
    }
}

fn bare<T>(items: Vec<Located<T>>) -> Vec<T> {
    items.into_iter().map(|item| item.value).collect()
}

/// The `gcc` group of `common.yaml`.
pub(super) fn read_common(root: &Node, reader: &mut Reader<'_>) -> GccSection {
    let mut fields = reader.fields(root, &keys::COMMON_FILE);
    let section = fields.section("gcc", GccSection::read).unwrap_or_default();
    fields.close();
    section
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::error::Findings;
    use crate::manifest::source::Source;

    fn section(text: &str) -> GccSection {
        let mut findings = Findings::default();
        let source = Source::new("x.yaml", text);
        let (mut reader, root) = Reader::open(&source, &mut findings).unwrap();
        let section = GccSection::read(&root, &mut reader);
        findings.into_result().unwrap();
        section
    }

    fn packages(source: &GccSource) -> &Packages {
        match &source.origin {
            Origin::Packages(packages) => packages,
            Origin::Archive(archive) => panic!("{archive:?}"),
        }
    }

    #[test]
    fn an_exception_replaces_only_what_it_names() {
        let (sources, default) = section(
            "default: 14\nstable: [12, 14]\ntesting: 16\npackages: ['g++-{version}']\nc: /bin/gcc-{version}\n\
             c++: /bin/g++-{version}\nexcept:\n  12: { packages: [old] }\n",
        )
        .sources()
        .unwrap();
        let shown: Vec<_> = sources
            .iter()
            .map(|(version, source)| {
                let packages = packages(source);
                format!(
                    "{version} {} {} {}",
                    packages.suite.as_str(),
                    packages.packages.join(" "),
                    source.gcc_path.display()
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "12 stable old /bin/gcc-12",
                "14 stable g++-14 /bin/gcc-14",
                "16 testing g++-16 /bin/gcc-16"
            ]
        );
        assert_eq!(default.number(), 14);
    }

    #[test]
    fn the_nearer_file_wins_key_by_key() {
        let common = section("default: 14\nstable: [14]\nleave_out: [a]\n");
        let (sources, _) = section("leave_out: [b]\npackages: p\nc: /c\nc++: /d\n")
            .or(&common)
            .sources()
            .unwrap();
        assert_eq!(packages(sources.values().next().unwrap()).leave_out, ["b"]);
    }

    #[test]
    fn refuses_a_default_that_no_suite_has() {
        let error = section("default: 15\nstable: 14\npackages: p\nc: /c\nc++: /d\n").sources();
        assert_eq!(error, Err(Problem::NoSuite(15u64.try_into().unwrap())));
    }
}
