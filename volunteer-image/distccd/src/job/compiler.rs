//! From the compiler's name on the wire to the program that runs.
//!
//! In an image nothing of the name is used but what it says ([`name`]): which driver, which version, which machine. The
//! program is always one of the toolchain's own. Without an image the name must be permitted ([`machine`]), and the
//! program says itself what it is ([`identity`]).

mod home;
mod identity;
mod machine;
mod name;
mod path;

use std::path::PathBuf;
use std::sync::Arc;

use volunteer_toolchain::Toolchain;

use super::argv::{Driver, Shown};
use super::choice::{self, Reason};
use machine::Denial;
use name::{Family, Name};

pub(crate) use identity::Asking;
pub use machine::{Machine, NoPermission, Permission};
pub use path::SearchPath;
pub(crate) use path::is_program;

/// The compilers that jobs may use.
#[derive(Debug)]
pub enum Compilers {
    /// Those of an image, all for one target.
    Image(Arc<Toolchain>),
    /// Those of a machine, by the stock daemon's rules.
    Machine(Machine),
}

/// What a client asks for, known to be here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    name: Name,
    /// Where it was found, on a machine without an image.
    found: Option<PathBuf>,
}

/// The program chosen for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// Absolute path.
    pub(crate) program: PathBuf,
    /// Its major version.
    pub(crate) major: u32,
    /// Why this one.
    pub(crate) reason: Reason,
    /// What it compiles for.
    pub(crate) toolchain: Arc<Toolchain>,
    /// Whether the client may ask for objects of another kind with options such as `-m32`.
    pub(crate) other_abis: bool,
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
    /// Not permitted on a machine without an image, or not usable there.
    #[error("compiler {name} cannot be used on this machine: {why}")]
    Denied {
        /// As sent.
        name: Shown,
        /// By which rule.
        why: Denial,
    },
}

impl NoCompiler {
    /// One word for statistics, stable.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "unknown-compiler",
            Self::OtherMachine { .. } => "other-machine",
            Self::OtherVersion { .. } => "other-version",
            Self::Denied { .. } => "denied-compiler",
        }
    }

    fn denied(name: &Name, why: Denial) -> Self {
        Self::Denied {
            name: Shown::new(name.sent.as_bytes()),
            why,
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self, compilers: &Compilers) -> String {
        match self {
            Self::Unknown { .. } => {
                "names known here are cc, gcc, c++, g++ and cpp, also with a version as in gcc-14 or a triple in front".to_owned()
            }
            Self::OtherMachine { triple, .. } => {
                let port = choice::right_port(&triple.to_string());
                let port = port.map_or_else(
                    || "the port of the right target".to_owned(),
                    |port| format!("port {port}"),
                );
                format!(
                    "use {port}; triples known here are {}",
                    compilers.triples().join(", ")
                )
            }
            Self::OtherVersion { .. } => {
                "leave the version out, or install it on the volunteer".to_owned()
            }
            Self::Denied { why, .. } => why.hint().to_owned(),
        }
    }
}

impl From<Toolchain> for Compilers {
    fn from(toolchain: Toolchain) -> Self {
        Self::Image(Arc::new(toolchain))
    }
}

impl From<Machine> for Compilers {
    fn from(machine: Machine) -> Self {
        Self::Machine(machine)
    }
}

impl Compilers {
    /// What they compile for, for people.
    pub(crate) fn target(&self) -> &str {
        match self {
            Self::Image(toolchain) => &toolchain.target,
            Self::Machine(_) => "this machine",
        }
    }

    /// Whether the system's headers are there, for sources that are preprocessed here.
    pub(crate) fn have_headers(&self) -> bool {
        match self {
            Self::Image(toolchain) => toolchain.headers,
            // As with the stock daemon, that is up to who serves pump mode.
            Self::Machine(_) => true,
        }
    }

    /// Where they are installed: what they must be able to read.
    pub(crate) fn homes(&self) -> Vec<PathBuf> {
        match self {
            Self::Image(toolchain) => {
                let compilers = toolchain.compilers.iter();
                let programs = compilers.flat_map(|compiler| [&compiler.gcc, &compiler.gxx]);
                programs
                    .filter_map(|program| home::of_image(program))
                    .collect()
            }
            Self::Machine(machine) => machine.homes(),
        }
    }

    fn triples(&self) -> &[String] {
        match self {
            Self::Image(toolchain) => &toolchain.triples,
            Self::Machine(_) => &[],
        }
    }
}

impl Wanted {
    /// Reads a compiler's name as clients send it, and finds the compiler.
    pub(crate) fn parse(sent: &[u8], compilers: &Compilers) -> Result<Self, NoCompiler> {
        let unknown = || match compilers {
            Compilers::Image(toolchain) => NoCompiler::Unknown {
                name: Shown::new(sent),
                target: toolchain.target.clone(),
            },
            Compilers::Machine(_) => NoCompiler::Denied {
                name: Shown::new(sent),
                why: Denial::Unknown,
            },
        };
        let text = std::str::from_utf8(sent).map_err(|_not_text| unknown())?;
        let name = Name::parse(text).ok_or_else(unknown)?;
        match compilers {
            Compilers::Image(_) if name.family != Family::Gcc => Err(unknown()),
            Compilers::Image(toolchain) => {
                check_triple(&name, toolchain)?;
                check_installed(&name, toolchain)?;
                Ok(Self { name, found: None })
            }
            Compilers::Machine(machine) => {
                let found = Some(machine.find(&name)?);
                Ok(Self { name, found })
            }
        }
    }

    /// Which of GCC's drivers.
    pub(crate) fn driver(&self) -> Driver {
        self.name.driver
    }

    /// The compiler that fits best, for a client whose GCC is of major version `client` as far as is known.
    pub(crate) async fn choose(
        &self,
        compilers: &Compilers,
        client: Option<u32>,
        asking: Asking<'_>,
    ) -> Result<Chosen, NoCompiler> {
        match (compilers, &self.found) {
            (Compilers::Machine(machine), Some(program)) => {
                machine.choose(&self.name, program, client, asking).await
            }
            (Compilers::Image(toolchain), _) => self.choose_installed(toolchain, client),
            (Compilers::Machine(_), None) => Err(NoCompiler::denied(&self.name, Denial::Absent)),
        }
    }

    fn choose_installed(
        &self,
        toolchain: &Arc<Toolchain>,
        client: Option<u32>,
    ) -> Result<Chosen, NoCompiler> {
        let (compiler, reason) = choice::fitting(toolchain, self.name.major, client)
            .ok_or_else(|| other_version(self.name.major.unwrap_or_default(), toolchain))?;
        let program = match self.name.driver {
            Driver::C => &compiler.gcc,
            Driver::Cxx => &compiler.gxx,
        };
        Ok(Chosen {
            program: program.clone(),
            major: compiler.major,
            reason,
            toolchain: Arc::clone(toolchain),
            other_abis: false,
        })
    }
}

fn check_triple(name: &Name, toolchain: &Toolchain) -> Result<(), NoCompiler> {
    match &name.prefix {
        Some(triple) if !toolchain.triples.contains(triple) => Err(NoCompiler::OtherMachine {
            name: Shown::new(name.sent.as_bytes()),
            triple: Shown::new(triple.as_bytes()),
            target: toolchain.target.clone(),
        }),
        _ => Ok(()),
    }
}

fn check_installed(name: &Name, toolchain: &Toolchain) -> Result<(), NoCompiler> {
    match name.major {
        Some(major) if choice::fitting(toolchain, Some(major), None).is_none() => {
            Err(other_version(major, toolchain))
        }
        _ => Ok(()),
    }
}

fn other_version(major: u32, toolchain: &Toolchain) -> NoCompiler {
    let compilers = toolchain.compilers.iter();
    let installed: Vec<_> = compilers
        .map(|compiler| compiler.major.to_string())
        .collect();
    NoCompiler::OtherVersion {
        major,
        target: toolchain.target.clone(),
        installed: installed.join(", "),
    }
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
            headers: false,
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
            let chosen = Wanted::parse(name.as_bytes(), &toolchain().into())
                .unwrap()
                .choose_installed(&Arc::new(toolchain()), None)
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
                Wanted::parse(name.as_bytes(), &toolchain().into())
                    .unwrap_err()
                    .to_string(),
                expected,
                "{name}"
            );
        }
        assert!(Wanted::parse(b"\xff-gcc", &toolchain().into()).is_err());
    }
}
