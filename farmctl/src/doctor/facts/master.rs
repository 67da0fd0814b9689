//! Everything about the machine that sends jobs.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use volunteer_toolchain::{ObjectFacts, usual_ports};

use super::super::master::ListSource;
use super::super::master::list::{self, HostOption, Item, TcpHost};
use super::super::master::makepkg::Makepkg;
use super::super::proof::{Proof, comment};
use super::super::{Fact, Unknown};
use super::client::{self, Client, MasqueradeFolder};
use super::compilers::{self, Compilers, SAMPLE};
use super::job::{Job, JobError, send};
use super::names;

/// What the doctor knows of a master.
#[derive(Debug, Clone)]
pub struct MasterFacts {
    /// Hosts that the user asked about; none means the configured ones.
    pub asked: Vec<String>,
    /// The kernel's name for this machine's architecture.
    pub machine: String,
    /// The variables that matter.
    pub environment: BTreeMap<String, String>,
    /// The installed distcc.
    pub client: Fact<Option<Client>>,
    /// Folders of links that lead to it.
    pub masquerade: Vec<MasqueradeFolder>,
    /// Where ccache's links stand in PATH.
    pub ccache_position: Option<usize>,
    /// makepkg's configuration files that exist, in its own order.
    pub makepkg_files: Vec<ConfigurationFile>,
    /// The client's files of hosts that exist, in its own order.
    pub host_files: Vec<ListSource>,
    /// The client's folder of locks.
    pub state: StateFolder,
    /// This machine's compilers.
    pub compilers: Fact<Compilers>,
    /// What the hosts answered.
    pub hosts: Vec<HostAnswer>,
    /// What the proof showed.
    pub proofs: Fact<Vec<Proof>>,
}

/// A configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationFile {
    /// Where it is.
    pub path: String,
    /// What it says.
    pub text: Fact<String>,
}

/// The client's folder of locks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFolder {
    /// Where it is.
    pub path: PathBuf,
    /// Whether this user may write there.
    pub is_writable: Fact<bool>,
    /// Hosts that failed.
    pub back_offs: Vec<BackOff>,
}

/// A host that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackOff {
    /// Its name and port, as the client's lock names them.
    pub host: String,
    /// How long ago.
    pub age: Duration,
}

/// What one host answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAnswer {
    /// The host.
    pub host: TcpHost,
    /// Its address, if it is known.
    pub address: Option<SocketAddr>,
    /// Whether it compiles.
    pub reached: Reached,
}

/// Whether a host compiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// Its name has no address.
    NameUnknown,
    /// It was not asked.
    NotTried(Unknown),
    /// It does not.
    Failed(JobError),
    /// It does.
    Compiled(Compiled),
}

/// What a host's objects are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// Their architecture.
    pub object: ObjectFacts,
    /// The version that made them.
    pub version: Option<String>,
    /// Why it does not compile under the name of this machine's compiler, if it does not.
    pub own_name: Option<JobError>,
}

impl MasterFacts {
    /// What makepkg's files say together; `None` where there is no makepkg.
    pub fn makepkg(&self) -> Option<Makepkg> {
        let texts = self
            .makepkg_files
            .iter()
            .filter_map(|file| file.text.as_deref().ok());
        (!self.makepkg_files.is_empty()).then(|| Makepkg::read(texts))
    }

    /// A triple of this machine, where its compiler does not tell one.
    pub fn triple(&self) -> String {
        let abi = match self.machine.as_str() {
            machine if machine.starts_with("armv5") => "gnueabi",
            machine if machine.starts_with("arm") => "gnueabihf",
            _ => "gnu",
        };
        format!("{}-unknown-linux-{abi}", self.machine)
    }

    /// The port where this machine's jobs belong, if it is known.
    pub fn usual_port(&self) -> Option<u16> {
        usual_ports(&self.triple()).first().map(|usual| usual.port)
    }
}

/// Names of the variables that matter.
const VARIABLES: [&str; 16] = [
    "DISTCC_HOSTS",
    "DISTCC_DIR",
    "DISTCC_FALLBACK",
    "DISTCC_IO_TIMEOUT",
    "DISTCC_BACKOFF_PERIOD",
    "DISTCC_NO_REWRITE_CROSS",
    "DISTCC_NO_CROSS_REWRITE",
    "CCACHE_PREFIX",
    "CPPFLAGS",
    "CFLAGS",
    "CXXFLAGS",
    "CC",
    "CXX",
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
];

/// The variables that matter.
pub fn environment() -> BTreeMap<String, String> {
    let variable = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
    VARIABLES.iter().filter_map(|name| variable(name)).collect()
}

/// Everything that this machine tells by itself; hosts and proof come later.
pub async fn look(asked: Vec<String>, environment: BTreeMap<String, String>) -> MasterFacts {
    let path = environment.get("PATH").cloned().unwrap_or_default();
    let clean = client::without_masquerade(&path);
    let (client, compilers) = tokio::join!(
        client::client(&path),
        compilers::compilers(&environment, &clean)
    );
    let state = state_folder(&environment);
    MasterFacts {
        asked,
        machine: rustix::system::uname()
            .machine()
            .to_string_lossy()
            .into_owned(),
        client,
        masquerade: client::masquerade(&path),
        ccache_position: client::ccache(&path),
        makepkg_files: makepkg_files(&environment),
        host_files: host_files(&state.path),
        state,
        compilers,
        hosts: Vec::new(),
        proofs: Ok(Vec::new()),
        environment,
    }
}

fn makepkg_files(environment: &BTreeMap<String, String>) -> Vec<ConfigurationFile> {
    let mut paths = vec![PathBuf::from("/etc/makepkg.conf")];
    let mut parts: Vec<_> = fs::read_dir("/etc/makepkg.conf.d")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "conf")
        })
        .collect();
    parts.sort();
    paths.extend(parts);
    let home = environment.get("HOME").map(PathBuf::from);
    let configuration = environment.get("XDG_CONFIG_HOME").map(PathBuf::from);
    let configuration = configuration.or_else(|| Some(home.as_ref()?.join(".config")));
    paths.extend(configuration.map(|folder| folder.join("pacman/makepkg.conf")));
    paths.extend(home.map(|home| home.join(".makepkg.conf")));
    paths.iter().filter_map(|path| existing(path)).collect()
}

fn existing(path: &Path) -> Option<ConfigurationFile> {
    let text = match fs::read_to_string(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return None;
        }
        other => other.map_err(Unknown::because),
    };
    Some(ConfigurationFile {
        path: path.display().to_string(),
        text,
    })
}

fn host_files(state: &Path) -> Vec<ListSource> {
    [state.join("hosts"), PathBuf::from("/etc/distcc/hosts")]
        .iter()
        .filter_map(|path| {
            Some(ListSource {
                place: path.display().to_string(),
                text: fs::read_to_string(path).ok()?,
            })
        })
        .collect()
}

fn state_folder(environment: &BTreeMap<String, String>) -> StateFolder {
    let home = || Some(Path::new(environment.get("HOME")?).join(".distcc"));
    let path = environment
        .get("DISTCC_DIR")
        .map(PathBuf::from)
        .or_else(home);
    let path = path.unwrap_or_else(|| PathBuf::from(".distcc"));
    StateFolder {
        is_writable: is_writable(&path),
        back_offs: back_offs(&path.join("lock")),
        path,
    }
}

/// Whether the folder may be written to, or made where it is missing; so that looking changes nothing.
fn is_writable(path: &Path) -> Fact<bool> {
    let existing = path.ancestors().find(|ancestor| ancestor.exists());
    let existing = existing.ok_or_else(|| Unknown(format!("{} has no parent", path.display())))?;
    let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    Ok(existing.is_dir() && rustix::fs::access(existing, access).is_ok())
}

fn back_offs(locks: &Path) -> Vec<BackOff> {
    let now = SystemTime::now();
    let back_off = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let host = name.strip_prefix("backoff_")?.to_owned();
        let made = entry.metadata().ok()?.modified().ok()?;
        Some(BackOff {
            host,
            age: now.duration_since(made).unwrap_or_default(),
        })
    };
    let entries = fs::read_dir(locks).into_iter().flatten().flatten();
    entries.filter_map(back_off).collect()
}

/// How long a host may take for a small job.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks every TCP host of the list for a small job, all at once.
pub async fn ask(items: &[Item], facts: &MasterFacts) -> Vec<HostAnswer> {
    let path = facts.environment.get("PATH").cloned().unwrap_or_default();
    let own = facts
        .compilers
        .as_ref()
        .ok()
        .and_then(|compilers| compilers.c.as_ref());
    let own = own.map(|own| own.wire_name().to_owned());
    let mut hosts: Vec<&TcpHost> = Vec::new();
    for host in super::super::master::tcp_hosts(items) {
        if !hosts.iter().any(|known| known.place() == host.place()) {
            hosts.push(host);
        }
    }
    let asking = hosts
        .into_iter()
        .map(|host| ask_host(host, own.as_deref(), &path));
    join_all(asking).await
}

async fn ask_host(host: &TcpHost, own: Option<&str>, path: &str) -> HostAnswer {
    let answer = |address, reached| HostAnswer {
        host: host.clone(),
        address,
        reached,
    };
    if host.has(HostOption::Down) {
        let reason = Unknown("the list marks it as down".to_owned());
        return answer(None, Reached::NotTried(reason));
    }
    let address = match names::address(&host.name, host.dialled_port(), path).await {
        Ok(Some(address)) => address,
        Ok(None) => return answer(None, Reached::NameUnknown),
        Err(reason) => return answer(None, Reached::NotTried(reason)),
    };
    let reached = match compile(address, "gcc").await {
        Err(error) => Reached::Failed(error),
        Ok((object, version)) => Reached::Compiled(Compiled {
            object,
            version,
            own_name: match own {
                Some(own) if own != "gcc" => compile(address, own).await.err(),
                _ => None,
            },
        }),
    };
    answer(Some(address), reached)
}

async fn compile(
    address: SocketAddr,
    compiler: &str,
) -> Result<(ObjectFacts, Option<String>), JobError> {
    let job = Job {
        compiler: compiler.to_owned(),
        options: vec!["-O2".to_owned()],
        file: "sample.c".to_owned(),
        source: format!("# 1 \"sample.c\"\n{SAMPLE}").into_bytes(),
    };
    let object = send(address, &job, PATIENCE).await?;
    let facts = ObjectFacts::read(&object).map_err(|error| JobError::Broken(error.to_string()))?;
    Ok((facts, comment::version(&object)))
}

/// The list that counts, read; empty if there is none or it cannot be read.
pub fn items(facts: &MasterFacts) -> Vec<Item> {
    let lists = super::super::master::listed(facts);
    lists
        .first()
        .and_then(|list| list::parse(&list.text).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_hosts_are_read_from_the_clients_locks() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("backoff_tcp_10.0.0.2_3635_0"), "").unwrap();
        fs::write(folder.path().join("cpu_tcp_10.0.0.2_3635_0"), "").unwrap();
        let found = back_offs(folder.path());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].host, "tcp_10.0.0.2_3635_0");
        assert_eq!(back_offs(&folder.path().join("missing")), []);
    }

    #[test]
    fn a_folder_that_can_be_made_is_as_good_as_one_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(is_writable(&folder.path().join(".distcc")), Ok(true));
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(is_writable(&file), Ok(false));
    }
}
