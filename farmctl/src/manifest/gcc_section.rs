//! The `gcc` group of a target's file: which versions there are, and where from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::farm::{Architecture, GccMajor, GccSource, GccSources, Origin, Packages, Suite};

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
    leave_out: Option<Vec<String>>,
    everywhere: Choice,
    on: Vec<(Architecture, Choice)>,
}

/// Which versions there are and where they come from, on every host or on those of one architecture.
#[derive(Debug, Clone, Default)]
struct Choice {
    stable: Option<Vec<GccMajor>>,
    testing: Option<Vec<GccMajor>>,
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
            leave_out: fields.list("leave_out", values::package_pattern),
            everywhere: Choice::take(&mut fields),
            on: named(fields.group("on", values::parsed, Choice::read)),
        };
        fields.close();
        section
    }

    /// This section, completed key by key from `common`.
    pub(super) fn or(self, common: &Self) -> Self {
        let common = common.clone();
        Self {
            default: self.default.or(common.default),
            leave_out: self.leave_out.or(common.leave_out),
            everywhere: self.everywhere.or(common.everywhere),
            on: nonempty(self.on, common.on),
        }
    }

    /// Every version with its sources, and the one to install when nobody asks for another.
    pub(super) fn sources(self) -> Result<(BTreeMap<GccMajor, GccSources>, GccMajor), Problem> {
        let mut sources: BTreeMap<GccMajor, GccSources> = BTreeMap::new();
        for host in Architecture::ALL {
            let choice = self.choice_on(host);
            for (version, suite) in choice.versions() {
                let source = self.source(version, suite, choice.compilers_of(version))?;
                sources.entry(version).or_default().set(host, source);
            }
        }
        let default = self.default.ok_or(Problem::MissingKey("default"))?;
        if !sources.contains_key(&default) {
            return Err(Problem::NoSuite(default));
        }
        Ok((sources, default))
    }

    /// What holds on hosts of one architecture.
    fn choice_on(&self, host: Architecture) -> Choice {
        let own = self.on.iter().find(|(named, _)| *named == host);
        let own = own.map(|(_, choice)| choice.clone()).unwrap_or_default();
        own.before(self.everywhere.clone())
    }

    fn source(
        &self,
        version: GccMajor,
        suite: Suite,
        compilers: Compilers,
    ) -> Result<GccSource, Problem> {
        let fill = |pattern: String| pattern.replace(values::VERSION, &version.to_string());
        let path = |path: Option<String>, key| match path {
            Some(path) => Ok(PathBuf::from(fill(path))),
            None => Err(Problem::MissingKey(key)),
        };
        let filled =
            |patterns: Vec<String>| patterns.into_iter().map(fill).collect::<Vec<String>>();
        let packages = Packages {
            suite,
            packages: filled(compilers.packages.ok_or(Problem::MissingKey("packages"))?),
            leave_out: self.leave_out.clone().unwrap_or_default(),
            headers: filled(compilers.headers.unwrap_or_default()),
        };
        Ok(GccSource {
            origin: Origin::Packages(packages),
            gcc_path: path(compilers.gcc_path, "c")?,
            gxx_path: path(compilers.gxx_path, "c++")?,
        })
    }
}

impl Choice {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Self {
        let mut fields = reader.fields(node, &keys::ON);
        let choice = Self::take(&mut fields);
        fields.close();
        choice
    }

    fn take(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            stable: fields.set("stable", values::number::<u64, _>).map(bare),
            testing: fields.set("testing", values::number::<u64, _>).map(bare),
            compilers: Compilers::take(fields),
            except: named(fields.group("except", values::number::<u64, _>, Compilers::read)),
        }
    }

    /// What a farther file says completes it key by key.
    fn or(self, below: Self) -> Self {
        Self {
            stable: self.stable.or(below.stable),
            testing: self.testing.or(below.testing),
            compilers: self.compilers.or(below.compilers),
            except: nonempty(self.except, below.except),
        }
    }

    /// What is said of one architecture goes before everything that is said of all, also before their exceptions.
    fn before(self, everywhere: Self) -> Self {
        let own = self.compilers.clone();
        let farther = everywhere.except.into_iter();
        let farther = farther.map(|(version, compilers)| (version, own.clone().or(compilers)));
        let except = self.except.into_iter().chain(farther).collect();
        Self {
            stable: self.stable.or(everywhere.stable),
            testing: self.testing.or(everywhere.testing),
            compilers: self.compilers.or(everywhere.compilers),
            except,
        }
    }

    /// Where both suites carry a version, it comes from the stable one.
    fn versions(&self) -> BTreeMap<GccMajor, Suite> {
        let of = |suite, versions: &Option<Vec<GccMajor>>| {
            let versions = versions.clone().unwrap_or_default();
            versions.into_iter().map(move |version| (version, suite))
        };
        of(Suite::Testing, &self.testing)
            .chain(of(Suite::Stable, &self.stable))
            .collect()
    }

    fn compilers_of(&self, version: GccMajor) -> Compilers {
        let exceptions = self.except.iter();
        exceptions
            .filter(|(excepted, _)| *excepted == version)
            .map(|(_, compilers)| compilers.clone())
            .chain([self.compilers.clone()])
            .reduce(Compilers::or)
            .unwrap_or_default()
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

/// The sections whose names were accepted.
fn named<K, S>(sections: Option<Vec<(Option<Located<K>>, S)>>) -> Vec<(K, S)> {
    let sections = sections.unwrap_or_default().into_iter();
    let named = sections.filter_map(|(name, section)| Some((name?.value, section)));
    named.collect()
}

fn nonempty<T>(nearer: Vec<T>, farther: Vec<T>) -> Vec<T> {
    if nearer.is_empty() { farther } else { nearer }
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
            .map(|(version, sources)| {
                let source = sources.on(Architecture::Amd64).unwrap();
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
        let source = sources.values().next().unwrap().on(Architecture::Arm64);
        assert_eq!(packages(source.unwrap()).leave_out, ["b"]);
    }

    #[test]
    fn refuses_a_default_that_no_suite_has() {
        let error = section("default: 15\nstable: 14\npackages: p\nc: /c\nc++: /d\n").sources();
        assert_eq!(error, Err(Problem::NoSuite(15u64.try_into().unwrap())));
    }

    #[test]
    fn what_is_said_of_one_architecture_goes_before_what_is_said_of_all() {
        let (sources, _) = section(
            "default: 14\nstable: [12, 13, 14]\npackages: ['cross-{version}', as]\nheaders: h\nc: /c\nc++: /d\n\
             except:\n  12: { packages: [old-cross], c: /old }\n\
             on:\n  arm64:\n    stable: [12, 14]\n    packages: native-{version}\n    except:\n      14: { c: /new }\n",
        )
        .sources()
        .unwrap();
        let mut shown = Vec::new();
        for (version, sources) in sources {
            for (host, source) in sources.iter() {
                let names = packages(source).packages.join(" ");
                shown.push(format!(
                    "{version} {host} {names} {}",
                    source.gcc_path.display()
                ));
            }
        }
        assert_eq!(
            shown,
            [
                "12 amd64 old-cross /old",
                "12 arm64 native-12 /old",
                "13 amd64 cross-13 as /c",
                "14 amd64 cross-14 as /c",
                "14 arm64 native-14 /new",
            ]
        );
    }
}
