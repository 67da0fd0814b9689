//! The compilers of a machine without an image, by the rules of the stock daemon.
//!
//! A job names a program, and what permits it is its name: an entry in one of the directories that the stock packages
//! keep, a line in the list of `DISTCC_CMDLIST`, or, with `--enable-tcp-insecure`, that it is a compiler on the search path.
//! Either way the program comes from the search path or the list, and must say that it is a compiler.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use volunteer_toolchain::Toolchain;

use super::home;
use super::identity::Identities;
use super::name::{Family, Name};
use super::path::{SearchPath, is_compiler, is_program};
use super::{Asking, Chosen, NoCompiler};
use crate::job::choice::Reason;

/// Where the packages of the stock daemon keep one entry for each permitted name.
const NAME_DIRECTORIES: [&str; 2] = ["/usr/local/lib/distcc", "/usr/lib/distcc"];

/// The directories of system programs; a path into one of them is as good as the name.
const SYSTEM_DIRECTORIES: [&str; 2] = ["/usr/bin/", "/bin/"];

/// The compilers of this machine.
#[derive(Debug)]
pub struct Machine {
    permission: Permission,
    path: SearchPath,
    identities: Identities,
}

/// Which compilers jobs may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    /// Those for whose name one of these directories has an executable entry, whatever the entry is.
    Names(Vec<PathBuf>),
    /// The programs of a list; a job names one by its last path components, this many of them.
    List {
        /// Absolute paths.
        programs: Vec<PathBuf>,
        /// How many components must be the same.
        components: NonZeroUsize,
    },
    /// Every compiler on the search path.
    SearchPath,
}

/// No compiler can be permitted.
#[derive(Debug, thiserror::Error)]
pub enum NoPermission {
    /// The stock packages keep them; a daemon that was built by hand has none.
    #[error("there is neither a toolchain file nor a directory of permitted compiler names ({})", NAME_DIRECTORIES.join(", "))]
    NoDirectory,
    /// A list that cannot be read permits nothing, instead of all as with the stock daemon.
    #[error("cannot read DISTCC_CMDLIST {}: {source}", path.display())]
    UnreadableList {
        /// As named.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl NoPermission {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoDirectory => {
                "make /usr/lib/distcc with a link for each compiler name that jobs may use, or name a toolchain file with --toolchain"
            }
            Self::UnreadableList { .. } => {
                "the file has the absolute path of a compiler on each line, and must be readable for the daemon's user"
            }
        }
    }
}

impl Permission {
    /// By the directories of the stock packages.
    pub fn names() -> Result<Self, NoPermission> {
        let present = NAME_DIRECTORIES.map(PathBuf::from).into_iter();
        let present: Vec<_> = present.filter(|directory| directory.is_dir()).collect();
        if present.is_empty() {
            return Err(NoPermission::NoDirectory);
        }
        Ok(Self::Names(present))
    }

    /// By the list at `path`.
    pub fn list(path: &Path, components: NonZeroUsize) -> Result<Self, NoPermission> {
        let text = fs::read_to_string(path).map_err(|source| NoPermission::UnreadableList {
            path: path.to_owned(),
            source,
        })?;
        let lines = text.lines().map(|line| PathBuf::from(line.trim()));
        Ok(Self::List {
            programs: lines.filter(|path| path.is_absolute()).collect(),
            components,
        })
    }
}

impl Machine {
    /// The compilers that `permission` permits, found on `path`.
    pub fn new(permission: Permission, path: SearchPath) -> Self {
        Self {
            permission,
            path,
            identities: Identities::default(),
        }
    }

    /// Finds the compiler that a client calls `name`.
    pub(super) fn find(&self, name: &Name) -> Result<PathBuf, NoCompiler> {
        let denied = |why| NoCompiler::denied(name, why);
        let program = match &self.permission {
            Permission::Names(directories) => {
                let own = system_name(&name.sent);
                let entry = |directory: &PathBuf| is_program(&directory.join(own));
                if own.contains('/') || !directories.iter().any(entry) {
                    return Err(denied(Denial::NotNamed));
                }
                self.locate(name)
            }
            Permission::List {
                programs,
                components,
            } => {
                let same = |program: &&PathBuf| ends_alike(program, &name.sent, *components);
                let listed = programs.iter().find(same);
                let listed = listed.ok_or_else(|| denied(Denial::NotListed))?;
                Some(listed.clone()).filter(|program| is_compiler(program))
            }
            Permission::SearchPath => self.locate(name),
        };
        program.ok_or_else(|| denied(Denial::Absent))
    }

    /// A program by its path if that is in a directory of the search path, otherwise by its name.
    fn locate(&self, name: &Name) -> Option<PathBuf> {
        let as_named = PathBuf::from(&name.sent);
        let directory = as_named.parent();
        let known = directory.is_some_and(|own| self.path.has(own)) && is_compiler(&as_named);
        if known {
            Some(as_named)
        } else {
            self.path.find(name.base())
        }
    }

    /// The compiler for a job of a client with GCC of major version `client`: `program`, which was found for `name`, or the
    /// same in the client's own version if that is here, too.
    pub(super) async fn choose(
        &self,
        name: &Name,
        program: &Path,
        client: Option<u32>,
        asking: Asking<'_>,
    ) -> Result<Chosen, NoCompiler> {
        let told = self.identities.ask(program, asking).await;
        let toolchain = told.ok_or_else(|| NoCompiler::denied(name, Denial::NoCompiler))?;
        let own = major(&toolchain);
        // Versions of Clang say nothing about those of GCC.
        let client = client.filter(|_| name.family == Family::Gcc);
        let reason = match (name.major, client) {
            (Some(_), _) => Reason::Named,
            (None, None) => Reason::Preferred,
            (None, Some(client)) if client == own => Reason::SameMajor,
            (None, Some(client)) => {
                if let Some(sibling) = self.sibling(name, client, asking).await {
                    return Ok(sibling);
                }
                Reason::of_newest(own, client)
            }
        };
        Ok(chosen(program, toolchain, reason))
    }

    /// The compiler of another version that has the usual name, if it is here and permitted.
    async fn sibling(&self, name: &Name, version: u32, asking: Asking<'_>) -> Option<Chosen> {
        let name = Name::parse(&name.in_version(version))?;
        let program = self.find(&name).ok()?;
        let toolchain = self.identities.ask(&program, asking).await?;
        (major(&toolchain) == version).then(|| chosen(&program, toolchain, Reason::SameMajor))
    }

    /// Where the permitted compilers are installed, as far as that can be told beforehand.
    pub(super) fn homes(&self) -> Vec<PathBuf> {
        let programs = self.programs();
        let links = programs.iter().filter_map(|path| path.canonicalize().ok());
        let real: Vec<_> = links.collect();
        let all = programs.iter().chain(&real);
        all.filter_map(|program| home::of_machine(program))
            .collect()
    }

    /// The permitted programs, as far as they can be told beforehand; not all of them need to be there.
    pub(crate) fn programs(&self) -> Vec<PathBuf> {
        match &self.permission {
            Permission::Names(_) => self.permitted_names().into_values().collect(),
            Permission::List { programs, .. } => programs.clone(),
            Permission::SearchPath => {
                let directories = self.path.directories().iter();
                directories.map(|directory| directory.join("gcc")).collect()
            }
        }
    }

    /// The names in the directories that are compilers on the search path, and which.
    pub(crate) fn permitted_names(&self) -> BTreeMap<String, PathBuf> {
        let Permission::Names(directories) = &self.permission else {
            return BTreeMap::new();
        };
        let entries = directories.iter().filter_map(|path| path.read_dir().ok());
        let names = entries
            .flatten()
            .filter_map(|entry| Name::parse(entry.ok()?.file_name().to_str()?));
        names
            .filter_map(|name| Some((name.sent.clone(), self.find(&name).ok()?)))
            .collect()
    }
}

fn chosen(program: &Path, toolchain: Arc<Toolchain>, reason: Reason) -> Chosen {
    Chosen {
        program: program.to_owned(),
        major: major(&toolchain),
        reason,
        toolchain,
        other_abis: true,
    }
}

fn major(toolchain: &Toolchain) -> u32 {
    toolchain.compilers[0].major
}

/// The name without the directory of system programs, if it has one.
fn system_name(name: &str) -> &str {
    let mut directories = SYSTEM_DIRECTORIES.iter();
    directories
        .find_map(|directory| name.strip_prefix(directory))
        .unwrap_or(name)
}

fn ends_alike(program: &Path, name: &str, components: NonZeroUsize) -> bool {
    let count = components.get();
    let listed: Vec<_> = program.iter().rev().take(count).collect();
    let named: Vec<_> = Path::new(name).iter().rev().take(count).collect();
    listed.len() == count && listed == named
}

/// Why a compiler may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denial {
    /// No compiler's name.
    #[error("it is not the name of GCC or Clang")]
    Unknown,
    /// By the directories.
    #[error("it has no entry in {}", NAME_DIRECTORIES.join(" or "))]
    NotNamed,
    /// By the list.
    #[error("it is not in the list of DISTCC_CMDLIST")]
    NotListed,
    /// Permitted, and not there.
    #[error("it is not installed, or not on the daemon's search path")]
    Absent,
    /// A program that is no compiler, or one whose objects cannot be checked.
    #[error("it does not say that it is GCC or Clang for a known machine")]
    NoCompiler,
}

impl Denial {
    /// What to do about it.
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::NotNamed => {
                "add a link of that name there (Debian: update-distcc-symlinks), or use another compiler"
            }
            Self::NotListed => "add its absolute path to the list, or use another compiler",
            Self::Absent => "install it on the server, or set DISTCCD_PATH for the daemon",
            Self::Unknown | Self::NoCompiler => "use GCC or Clang",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = |paths: &[PathBuf]| {
            let words: Vec<_> = paths
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            words.join(" ")
        };
        match self {
            Self::Names(directories) => write!(formatter, "names in {}", paths(directories)),
            Self::List { programs, .. } => write!(formatter, "{}", paths(programs)),
            Self::SearchPath => formatter.write_str("every compiler on the search path"),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.permission)
    }
}

#[cfg(test)]
mod tests;
