//! Every environment variable that farmctl heeds, in one place: what reads them and what describes them.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::engine::ClientEnvironment;
use crate::farm::Architecture;

/// A variable, and what it is for.
#[derive(Debug, Clone, Copy)]
struct Variable {
    name: &'static str,
    meaning: &'static str,
}

/// Those that [`Environment`] is read from, in the order in which they are explained.
const READ_HERE: &[Variable] = &[
    Variable {
        name: "FARMCTL_MANIFEST",
        meaning: "the manifest, like --manifest",
    },
    Variable {
        name: "FARMCTL_MIRROR",
        meaning: "the Debian mirror to take packages from, such as http://mirror.lan/debian",
    },
    Variable {
        name: "FARMCTL_KEYRING",
        meaning: "the keys that sign its index, where they are not Debian's",
    },
    Variable {
        name: "FARMCTL_PROGRAM_AMD64",
        meaning: "the farmctl that images for amd64 hosts get, where this one is not it",
    },
    Variable {
        name: "FARMCTL_PROGRAM_ARM64",
        meaning: "the farmctl that images for arm64 hosts get, where this one is not it",
    },
    Variable {
        name: "DOCKER_HOST",
        meaning: "the Docker engine, such as unix:///var/run/docker.sock",
    },
    Variable {
        name: "DOCKER_CONTEXT",
        meaning: "the docker context to use where DOCKER_HOST is not set",
    },
    Variable {
        name: "DOCKER_CONFIG",
        meaning: "where docker's settings, contexts, certificates and credentials are, else ~/.docker",
    },
    Variable {
        name: "DOCKER_TLS_VERIFY",
        meaning: "set to anything: the tcp:// engine in DOCKER_HOST asks for certificates",
    },
    Variable {
        name: "DOCKER_CERT_PATH",
        meaning: "the folder with these certificates, else the one of docker's settings",
    },
    Variable {
        name: "XDG_CACHE_HOME",
        meaning: "where downloads and layers are kept, else ~/.cache",
    },
    Variable {
        name: "XDG_DATA_HOME",
        meaning: "where the lock of a farm without a manifest is kept, else ~/.local/share",
    },
    Variable {
        name: "HOME",
        meaning: "where ~ is",
    },
];

/// Those that crates read by conventions that others have as well.
const READ_BY_CRATES: &[Variable] = &[
    Variable {
        name: "http_proxy",
        meaning: "the proxy through which the mirror is reached",
    },
    Variable {
        name: "no_proxy",
        meaning: "hosts that are reached without it",
    },
    Variable {
        name: "NO_COLOR",
        meaning: "no colours",
    },
];

fn all() -> impl Iterator<Item = &'static Variable> {
    READ_HERE.iter().chain(READ_BY_CRATES)
}

/// Every variable with its meaning, a line for each.
pub(super) fn described() -> String {
    let width = all().map(|one| one.name.len()).max().unwrap_or_default();
    let lines = all().map(|one| format!("  {:width$}   {}", one.name, one.meaning));
    lines.collect::<Vec<_>>().join("\n")
}

fn program_variable(host: Architecture) -> &'static str {
    match host {
        Architecture::Amd64 => "FARMCTL_PROGRAM_AMD64",
        Architecture::Arm64 => "FARMCTL_PROGRAM_ARM64",
    }
}

/// The environment, read once at the start.
#[derive(Debug, Clone, Default)]
pub(super) struct Environment {
    /// The manifest.
    pub(super) manifest: Option<PathBuf>,
    /// The Debian mirror, before what the machine's apt sources say.
    pub(super) mirror: Option<String>,
    /// Whose signatures on the mirror's index count, for archives that are not Debian's.
    pub(super) keyring: Option<PathBuf>,
    /// The programs that become the daemon, where they are named.
    pub(super) programs: BTreeMap<Architecture, PathBuf>,
    /// What this user's `docker` command goes by.
    pub(super) docker: ClientEnvironment,
    /// Where downloads and layers are kept.
    pub(super) cache: Option<PathBuf>,
    /// Where the lock of a farm without a manifest is kept.
    pub(super) data: Option<PathBuf>,
}

impl Environment {
    pub(super) fn read() -> Self {
        Self::read_from(env::var_os)
    }

    /// A variable that is empty counts as not set, and so does a text that is not Unicode.
    fn read_from(lookup: impl Fn(&'static str) -> Option<OsString>) -> Self {
        let set = |name| lookup(name).filter(|value| !value.is_empty());
        let text = |name| set(name).and_then(|value| value.into_string().ok());
        let path = |name| set(name).map(PathBuf::from);
        let home = path("HOME");
        let beneath_home = |folder: &str| Some(home.as_ref()?.join(folder));
        Self {
            manifest: path("FARMCTL_MANIFEST"),
            mirror: text("FARMCTL_MIRROR"),
            keyring: path("FARMCTL_KEYRING"),
            programs: Architecture::ALL
                .into_iter()
                .filter_map(|host| Some((host, path(program_variable(host))?)))
                .collect(),
            docker: ClientEnvironment {
                host: text("DOCKER_HOST"),
                context: text("DOCKER_CONTEXT"),
                settings: path("DOCKER_CONFIG").or_else(|| beneath_home(".docker")),
                tls_verify: set("DOCKER_TLS_VERIFY").is_some(),
                certificates: path("DOCKER_CERT_PATH"),
            },
            cache: path("XDG_CACHE_HOME").or_else(|| beneath_home(".cache")),
            data: path("XDG_DATA_HOME").or_else(|| beneath_home(".local/share")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn what_is_read_is_described_and_the_other_way_round() {
        let asked = RefCell::new(BTreeSet::new());
        let nothing = Environment::read_from(|name| {
            asked.borrow_mut().insert(name);
            None
        });
        assert_eq!(nothing.manifest, None);
        let ours = READ_HERE.iter().map(|variable| variable.name);
        assert_eq!(asked.into_inner(), ours.collect());
    }

    /// But the doctor, who looks at a master's variables to judge them and heeds none.
    #[test]
    fn nothing_else_reads_the_environment() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut folders = vec![source];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.extend((!path.ends_with("src/doctor")).then_some(path));
                } else if path.extension().is_some_and(|end| end == "rs")
                    && !path.ends_with("cli/environment.rs")
                {
                    let text = fs::read_to_string(&path).unwrap();
                    assert!(!text.contains("env::var"), "{}", path.display());
                }
            }
        }
    }

    #[test]
    fn the_manual_describes_every_variable() {
        let manual = include_str!("../../../docs/manifest.md");
        for Variable { name, meaning } in all() {
            assert!(
                manual.contains(&format!("| `{name}` | {meaning} |")),
                "{name}"
            );
        }
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let environment = Environment::read_from(|name| match name {
            "HOME" => Some("/home/me".into()),
            "XDG_DATA_HOME" => Some("/data".into()),
            _ => Some(OsString::new()),
        });
        assert_eq!(environment.mirror, None);
        assert_eq!(environment.cache, Some("/home/me/.cache".into()));
        assert_eq!(environment.data, Some("/data".into()));
    }
}
