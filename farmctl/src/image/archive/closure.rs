//! Closes wanted packages over what they depend on.

use std::collections::{BTreeMap, VecDeque};

use wildmatch::WildMatch;

use super::dependency::{self, Alternative};
use super::index::{Package, Packages};
use super::{Offered, Version, Wanted};

/// Resolves wishes against one index.
pub(super) struct Resolver<'a> {
    packages: &'a Packages<'a>,
    suite: &'a str,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(packages: &'a Packages<'a>, suite: &'a str) -> Self {
        Self { packages, suite }
    }

    /// The wanted packages and everything they depend on, by name.
    pub(super) fn close(&self, wanted: &'a Wanted) -> Result<Vec<Offered>, ResolveError> {
        let mut closure = Closure {
            packages: self.packages,
            suite: self.suite,
            left_out: wanted
                .leave_out
                .iter()
                .map(|pattern| WildMatch::new(pattern))
                .collect(),
            chosen: BTreeMap::new(),
            open: VecDeque::new(),
        };
        for name in &wanted.packages {
            closure.want(name)?;
        }
        while let Some(package) = closure.open.pop_front() {
            closure.follow(package)?;
        }
        for name in &wanted.alone {
            closure.want(name)?;
        }
        closure
            .chosen
            .into_values()
            .map(|package| self.offer(package))
            .collect()
    }

    fn offer(&self, package: Package<'_>) -> Result<Offered, ResolveError> {
        let malformed = || ResolveError::Malformed {
            package: package.name.to_owned(),
            suite: self.suite.to_owned(),
        };
        Ok(Offered {
            name: package.name.to_owned(),
            version: package.version.to_owned(),
            architecture: package.architecture.to_owned(),
            path: package.path.to_owned(),
            bytes: package.bytes.parse().map_err(|_no_number| malformed())?,
            sha256: package.sha256.parse().map_err(|_no_digest| malformed())?,
        })
    }
}

struct Closure<'a> {
    packages: &'a Packages<'a>,
    suite: &'a str,
    left_out: Vec<WildMatch>,
    chosen: BTreeMap<&'a str, Package<'a>>,
    /// Chosen, dependencies not yet followed.
    open: VecDeque<Package<'a>>,
}

impl<'a> Closure<'a> {
    fn want(&mut self, name: &'a str) -> Result<(), ResolveError> {
        if self.satisfy(&Alternative::any(name)) {
            return Ok(());
        }
        Err(ResolveError::NoPackage {
            package: name.to_owned(),
            suite: self.suite.to_owned(),
            similar: self.packages.similar(name).map(str::to_owned),
        })
    }

    fn follow(&mut self, package: Package<'a>) -> Result<(), ResolveError> {
        for field in [package.pre_depends, package.depends] {
            let dependencies = dependency::parse(field).ok_or_else(|| ResolveError::Malformed {
                package: package.name.to_owned(),
                suite: self.suite.to_owned(),
            })?;
            for alternatives in dependencies {
                if !self.is_settled(&alternatives)
                    && !alternatives.iter().any(|one| self.satisfy(one))
                {
                    return Err(self.unsatisfiable(package, &alternatives));
                }
            }
        }
        Ok(())
    }

    /// Whether a dependency needs no new package: something chosen satisfies it, or it is one to do without.
    fn is_settled(&self, alternatives: &[Alternative<'_>]) -> bool {
        alternatives.iter().any(|one| {
            self.left_out
                .iter()
                .any(|pattern| pattern.matches(one.name))
                || self
                    .chosen
                    .get(one.name)
                    .is_some_and(|chosen| one.allows(chosen.version))
                || self.packages.providers(one.name).iter().any(|provider| {
                    self.chosen.contains_key(provider.package)
                        && one.allows_provided(provider.version)
                })
        })
    }

    /// Chooses a package for an alternative, if there is one.
    fn satisfy(&mut self, wanted: &Alternative<'_>) -> bool {
        let newest = |name: &str, allowed: &dyn Fn(&Package<'_>) -> bool| {
            let allowed = self
                .packages
                .named(name)
                .iter()
                .filter(|package| allowed(package));
            allowed
                .copied()
                .max_by_key(|package| Version::new(package.version))
        };
        let real = newest(wanted.name, &|package| wanted.allows(package.version));
        let package = real.or_else(|| {
            let providers = self.packages.providers(wanted.name).iter();
            let mut fitting = providers.filter(|provider| wanted.allows_provided(provider.version));
            fitting.find_map(|provider| newest(provider.package, &|_any| true))
        });
        package.is_some_and(|package| self.choose(package))
    }

    /// At most one version of a package can be installed.
    fn choose(&mut self, package: Package<'a>) -> bool {
        if let Some(chosen) = self.chosen.get(package.name) {
            return chosen.version == package.version;
        }
        self.chosen.insert(package.name, package);
        self.open.push_back(package);
        true
    }

    fn unsatisfiable(
        &self,
        package: Package<'_>,
        alternatives: &[Alternative<'_>],
    ) -> ResolveError {
        let dependency: Vec<String> = alternatives.iter().map(ToString::to_string).collect();
        ResolveError::Unsatisfiable {
            package: package.name.to_owned(),
            suite: self.suite.to_owned(),
            dependency: dependency.join(" | "),
        }
    }
}

/// Why packages cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The suite has no such package.
    #[error("suite {suite} has no package {package}")]
    NoPackage {
        /// The package.
        package: String,
        /// The suite.
        suite: String,
        /// A package of the suite with a similar name.
        similar: Option<String>,
    },
    /// Nothing in the suite satisfies a dependency.
    #[error(
        "package {package} of suite {suite} depends on {dependency}, which the suite does not have"
    )]
    Unsatisfiable {
        /// The package that depends.
        package: String,
        /// The suite.
        suite: String,
        /// On what it depends.
        dependency: String,
    },
    /// A package's stanza cannot be read.
    #[error("the stanza of package {package} in suite {suite} is malformed")]
    Malformed {
        /// The package.
        package: String,
        /// The suite.
        suite: String,
    },
}

impl ResolveError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoPackage {
                similar: Some(similar),
                ..
            } => Some(format!("did you mean {similar}?")),
            Self::NoPackage { similar: None, .. } => Some(
                "not every suite has every GCC version: name another version or suite".to_owned(),
            ),
            Self::Unsatisfiable { .. } => Some(
                "the suite is in flux on this mirror: try later, or name another mirror".to_owned(),
            ),
            Self::Malformed { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name version; Field: value; …` for each package.
    fn index(packages: &[&str]) -> String {
        packages
            .iter()
            .map(|line| stanza(line))
            .collect::<Vec<_>>()
            .concat()
    }

    fn stanza(line: &str) -> String {
        let (package, fields) = line.split_once("; ").unwrap_or((line, "Section: devel"));
        let (name, version) = package.split_once(' ').unwrap();
        format!(
            "Package: {name}\nVersion: {version}\nArchitecture: amd64\n{}\n\
             Filename: pool/{name}.deb\nSize: 1\nSHA256: {}\n\n",
            fields.replace("; ", "\n"),
            "0".repeat(64)
        )
    }

    fn close(packages: &[&str], wanted: &[&str], leave_out: &[&str]) -> Result<String, String> {
        let text = index(packages);
        let packages = Packages::parse(&text, "stable").unwrap();
        let wanted = Wanted {
            packages: wanted.iter().map(ToString::to_string).collect(),
            leave_out: leave_out.iter().map(ToString::to_string).collect(),
            alone: vec![],
        };
        let resolver = Resolver::new(&packages, "stable");
        match resolver.close(&wanted) {
            Ok(closed) => {
                let names: Vec<_> = closed
                    .iter()
                    .map(|package| format!("{}={}", package.name, package.version))
                    .collect();
                Ok(names.join(" "))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn follows_dependencies_and_pre_dependencies_through_cycles() {
        let packages = [
            "a 1; Depends: b, c (>= 2)",
            "b 1; Pre-Depends: a",
            "c 2; Depends: b",
            "d 1",
        ];
        assert_eq!(close(&packages, &["a"], &[]).as_deref(), Ok("a=1 b=1 c=2"));
    }

    #[test]
    fn takes_the_newest_version_that_fits() {
        let packages = ["a 1; Depends: b (<< 3)", "b 1", "b 2.10", "b 2.9", "b 3"];
        assert_eq!(close(&packages, &["a"], &[]).as_deref(), Ok("a=1 b=2.10"));
    }

    #[test]
    fn prefers_what_is_chosen_already_then_the_first_alternative_that_exists() {
        let packages = ["a 1; Depends: x | c, none | b, b | c", "b 1", "c 1"];
        assert_eq!(close(&packages, &["a"], &[]).as_deref(), Ok("a=1 b=1 c=1"));
        let packages = ["a 1; Depends: c, b | c", "b 1", "c 1"];
        assert_eq!(close(&packages, &["a"], &[]).as_deref(), Ok("a=1 c=1"));
    }

    #[test]
    fn finds_providers_of_virtual_packages() {
        let packages = [
            "a 1; Depends: v, w (>= 2)",
            "p 1; Provides: v, w (= 1)",
            "q 1; Provides: w (= 2)",
        ];
        assert_eq!(close(&packages, &["a"], &[]).as_deref(), Ok("a=1 p=1 q=1"));
    }

    #[test]
    fn does_not_follow_what_is_left_out() {
        let packages = [
            "a 1; Depends: liba-dev (= 1), libc6-dev | libc-dev, b",
            "liba-dev 1; Depends: huge",
            "b 1",
        ];
        assert_eq!(
            close(&packages, &["a"], &["*-dev"]).as_deref(),
            Ok("a=1 b=1")
        );
    }

    #[test]
    fn says_what_is_missing() {
        let cases = [
            (
                &["gcc-14-arm 1"][..],
                "gcc-15-arm",
                "suite stable has no package gcc-15-arm",
            ),
            (
                &["a 1; Depends: b (>= 2) | c", "b 1"],
                "a",
                "package a of suite stable depends on b (>= 2) | c, which the suite does not have",
            ),
            (
                &["a 1; Depends: b (!! 2)"],
                "a",
                "the stanza of package a in suite stable is malformed",
            ),
        ];
        for (packages, wanted, message) in cases {
            assert_eq!(close(packages, &[wanted], &[]), Err(message.to_owned()));
        }
    }

    #[test]
    fn takes_some_packages_without_what_they_depend_on() {
        let text = index(&[
            "g++ 1 Depends: libc6-dev",
            "libc6-dev 1 Depends: libc6, linux-libc-dev",
            "kernel-headers 2 Depends: libc6; Provides: linux-libc-dev",
            "libc6 1",
        ]);
        let packages = Packages::parse(&text, "stable").unwrap();
        let wanted = Wanted {
            packages: vec!["g++".to_owned()],
            leave_out: vec!["*-dev".to_owned()],
            alone: vec!["libc6-dev".to_owned(), "linux-libc-dev".to_owned()],
        };
        let closed = Resolver::new(&packages, "stable").close(&wanted).unwrap();
        let names: Vec<_> = closed.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["g++", "kernel-headers", "libc6-dev"]);
    }

    #[test]
    fn suggests_a_similar_name() {
        let text = index(&["g++-14-arm-linux-gnueabihf 1", "unrelated 1"]);
        let packages = Packages::parse(&text, "stable").unwrap();
        let wanted = Wanted {
            packages: vec!["g++-15-arm-linux-gnueabihf".to_owned()],
            leave_out: vec![],
            alone: vec![],
        };
        let error = Resolver::new(&packages, "stable")
            .close(&wanted)
            .unwrap_err();
        assert_eq!(
            error.hint().as_deref(),
            Some("did you mean g++-14-arm-linux-gnueabihf?")
        );
    }
}
