//! From the compiler's name on the wire to the program that runs.
//!
//! Nothing of the name is used but what it says: which driver, which version, which machine. The program is always
//! one of the toolchain's own.

use std::path::PathBuf;

use volunteer_toolchain::Toolchain;

use super::argv::{Driver, Shown};
use super::choice::{self, Reason};

/// What a client asks for, known to be on this volunteer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    driver: Driver,
    /// The major version, if the name has one.
    major: Option<u32>,
}

/// The program chosen for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// Absolute path.
    pub(crate) program: PathBuf,
    /// GCC's major version.
    pub(crate) major: u32,
    /// Why this one.
    pub(crate) reason: Reason,
}

/// A compiler that is not here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoCompiler {
    /// A name that is no C or C++ compiler's.
    #[error("compiler {name} is not on this volunteer for {target}")]
    Unknown {
        /// As sent.
        name: Shown,
        /// This volunteer's target.
        target: String,
    },
    /// A compiler for another machine.
    #[error("compiler {name} is for {triple}, but this volunteer compiles for {target}")]
    OtherMachine {
        /// As sent.
        name: Shown,
        /// The triple in the name.
        triple: Shown,
        /// This volunteer's target.
        target: String,
    },
    /// A version that is not installed.
    #[error("GCC {major} is not on this volunteer for {target}, which has GCC {installed}")]
    OtherVersion {
        /// As asked.
        major: u32,
        /// This volunteer's target.
        target: String,
        /// The versions that are here, preferred first.
        installed: String,
    },
}

impl NoCompiler {
    /// One word for statistics, stable.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "unknown-compiler",
            Self::OtherMachine { .. } => "other-machine",
            Self::OtherVersion { .. } => "other-version",
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self, toolchain: &Toolchain) -> String {
        match self {
            Self::Unknown { .. } => {
                "names known here are cc, gcc, c++, g++ and cpp, also with a version as in gcc-14 or a triple in front".to_owned()
            }
            Self::OtherMachine { triple, .. } => {
                let port = choice::right_port(&triple.to_string());
                let port = port.map_or_else(|| "the port of the right target".to_owned(), |port| format!("port {port}"));
                format!("use {port}; triples known here are {}", toolchain.triples.join(", "))
            }
            Self::OtherVersion { .. } => "leave the version out, or install it on the volunteer".to_owned(),
        }
    }
}

impl Wanted {
    /// Reads a compiler's name as clients send it: any directory, a triple, a driver, a version; all but the driver
    /// may be missing.
    pub(crate) fn parse(name: &[u8], toolchain: &Toolchain) -> Result<Self, NoCompiler> {
        let unknown = || NoCompiler::Unknown {
            name: Shown::new(name),
            target: toolchain.target.clone(),
        };
        let base = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
        let base = std::str::from_utf8(base).map_err(|_not_text| unknown())?;
        let (stem, major) = split_version(base);
        let (triple, driver) = split_driver(stem).ok_or_else(unknown)?;
        match triple {
            Some(triple) if !toolchain.triples.iter().any(|known| known == triple) => {
                Err(NoCompiler::OtherMachine {
                    name: Shown::new(name),
                    triple: Shown::new(triple.as_bytes()),
                    target: toolchain.target.clone(),
                })
            }
            _ => Self { driver, major }.installed(toolchain),
        }
    }

    /// Which of GCC's drivers.
    pub(crate) fn driver(&self) -> Driver {
        self.driver
    }

    /// The installed compiler that fits best, for a client whose GCC is of major version `client` as far as is known.
    pub(crate) fn choose(&self, toolchain: &Toolchain, client: Option<u32>) -> Option<Chosen> {
        let (compiler, reason) = choice::fitting(toolchain, self.major, client)?;
        let program = match self.driver {
            Driver::C => &compiler.gcc,
            Driver::Cxx => &compiler.gxx,
        };
        Some(Chosen {
            program: program.clone(),
            major: compiler.major,
            reason,
        })
    }

    fn installed(self, toolchain: &Toolchain) -> Result<Self, NoCompiler> {
        match self.major {
            Some(major) if self.choose(toolchain, None).is_none() => {
                let installed: Vec<_> = toolchain
                    .compilers
                    .iter()
                    .map(|compiler| compiler.major.to_string())
                    .collect();
                Err(NoCompiler::OtherVersion {
                    major,
                    target: toolchain.target.clone(),
                    installed: installed.join(", "),
                })
            }
            _ => Ok(self),
        }
    }
}

/// `gcc-14.2` is `gcc` and 14: minor versions of GCC do not change code or object format.
fn split_version(name: &str) -> (&str, Option<u32>) {
    let version = name.rsplit_once('-').and_then(|(stem, version)| {
        let mut parts = version.split('.');
        let major = parts.next()?;
        let numeric =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let all_numeric = numeric(major) && parts.all(numeric);
        all_numeric
            .then(|| major.parse().ok().map(|major| (stem, Some(major))))
            .flatten()
    });
    version.unwrap_or((name, None))
}

fn split_driver(stem: &str) -> Option<(Option<&str>, Driver)> {
    let (triple, driver) = match stem.rsplit_once('-') {
        Some(("", _)) => return None,
        Some((triple, driver)) => (Some(triple), driver),
        None => (None, stem),
    };
    let driver = match driver {
        "cc" | "gcc" | "cpp" => Driver::C,
        "c++" | "g++" => Driver::Cxx,
        _ => return None,
    };
    Some((triple, driver))
}

#[cfg(test)]
mod tests {
    use volunteer_toolchain::{Class, Compiler, Machine, ObjectFacts};

    use super::*;

    fn toolchain() -> Toolchain {
        let compiler = |major| Compiler {
            major,
            gcc: format!("/usr/bin/arm-linux-gnueabihf-gcc-{major}").into(),
            gxx: format!("/usr/bin/arm-linux-gnueabihf-g++-{major}").into(),
        };
        Toolchain {
            target: "armv7h".to_owned(),
            triples: vec![
                "armv7l-unknown-linux-gnueabihf".to_owned(),
                "arm-linux-gnueabihf".to_owned(),
            ],
            object: ObjectFacts {
                class: Class::Elf32,
                machine: Machine::Arm,
                attributes: std::collections::BTreeMap::new(),
            },
            defaults: Vec::new(),
            compilers: vec![compiler(14), compiler(12)],
        }
    }

    #[test]
    fn every_name_of_the_target_means_its_own_compiler() {
        let cases = [
            ("gcc", "gcc-14"),
            ("cc", "gcc-14"),
            ("cpp", "gcc-14"),
            ("g++", "g++-14"),
            ("c++", "g++-14"),
            ("gcc-12", "gcc-12"),
            ("g++-12.2.0", "g++-12"),
            ("/usr/lib/distcc/bin/cc", "gcc-14"),
            ("../../gcc", "gcc-14"),
            ("arm-linux-gnueabihf-gcc", "gcc-14"),
            ("armv7l-unknown-linux-gnueabihf-g++", "g++-14"),
            ("/opt/x/bin/arm-linux-gnueabihf-g++-12", "g++-12"),
        ];
        for (name, expected) in cases {
            let chosen = Wanted::parse(name.as_bytes(), &toolchain())
                .unwrap()
                .choose(&toolchain(), None)
                .unwrap();
            assert_eq!(
                chosen.program,
                PathBuf::from(format!("/usr/bin/arm-linux-gnueabihf-{expected}")),
                "{name}"
            );
            assert!(expected.ends_with(&chosen.major.to_string()));
        }
    }

    #[test]
    fn other_compilers_are_refused_in_words_that_name_what_is_here() {
        let cases = [
            (
                "clang",
                "compiler clang is not on this volunteer for armv7h",
            ),
            (
                "/bin/sh",
                "compiler /bin/sh is not on this volunteer for armv7h",
            ),
            ("", "compiler  is not on this volunteer for armv7h"),
            ("gcc-", "compiler gcc- is not on this volunteer for armv7h"),
            (
                "gcc-ar",
                "compiler gcc-ar is not on this volunteer for armv7h",
            ),
            ("-gcc", "compiler -gcc is not on this volunteer for armv7h"),
            (
                "gcc-13",
                "GCC 13 is not on this volunteer for armv7h, which has GCC 14, 12",
            ),
            (
                "gcc-99999999999",
                "compiler gcc-99999999999 is not on this volunteer for armv7h",
            ),
            (
                "aarch64-linux-gnu-gcc-14",
                "compiler aarch64-linux-gnu-gcc-14 is for aarch64-linux-gnu, but this volunteer compiles for armv7h",
            ),
        ];
        for (name, expected) in cases {
            assert_eq!(
                Wanted::parse(name.as_bytes(), &toolchain())
                    .unwrap_err()
                    .to_string(),
                expected,
                "{name}"
            );
        }
        assert!(Wanted::parse(b"\xff-gcc", &toolchain()).is_err());
    }
}
