//! `farmctl init`: a manifest to begin with.

use std::fs;
use std::io::{self, Write as _};
use std::net::{IpAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread;

use clap::Args;

use super::context::Context;
use super::{Exit, Failure};
use crate::farm::{Memory, Port};
use crate::hosts::local;
use crate::manifest::{self, Machine};

/// Write a commented farm.yaml for this machine; it means the same farm as none at all
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl init\n  farmctl init -f attic/farm.yaml\n  farmctl init --force    replace a \
                  farm.yaml that is here"
)]
pub(super) struct Init {
    /// Replace the file if there is one
    #[arg(long)]
    force: bool,
}

pub(super) fn init(args: &Init, context: &Context) -> Result<Exit, Failure> {
    let path = context.manifest_path();
    let machine = machine()?;
    let text = manifest::template(&machine);
    match write(path, &text, args.force) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(exists(path)),
        Err(error) => return Err(unwritable(path, error)),
    }
    context
        .report
        .note(&format!("{} is written", path.display()));
    for port in &machine.taken {
        context
            .report
            .warning(&format!("port {port} is in use on this machine"));
    }
    if !machine.taken.is_empty() {
        context.report.hint(
            "a stock distccd has 3632 and 3633: sudo systemctl disable --now distcc; or give the target another `port:`",
        );
    }
    Ok(Exit::Done)
}

/// This machine, as far as it tells.
fn machine() -> Result<Machine, Failure> {
    let address = local::address().ok();
    let farm = manifest::parse("", "")?;
    let volunteers = farm.hosts.iter().flat_map(|host| &host.volunteers);
    let ports = volunteers.map(|volunteer| volunteer.target.port);
    Ok(Machine {
        address,
        processors: thread::available_parallelism().map_or(1, usize::from),
        memory: fs::read_to_string("/proc/meminfo")
            .ok()
            .and_then(|text| total_memory(&text)),
        taken: ports
            .filter(|port| address.is_some_and(|address| is_taken(address, *port)))
            .collect(),
    })
}

/// `MemTotal:       32780752 kB`
fn total_memory(text: &str) -> Option<Memory> {
    let total = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024).map(Memory::from_bytes)
}

/// A port that cannot be opened for other reasons than somebody having it is not taken.
fn is_taken(address: IpAddr, port: Port) -> bool {
    TcpListener::bind((address, port.number()))
        .is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

/// Writes beside and moves into place, so that there is the whole file or none, and none is lost.
fn write(path: &Path, text: &str, replace: bool) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    let placed = if replace {
        file.persist(path)
    } else {
        file.persist_noclobber(path)
    };
    placed.map(drop).map_err(|error| error.error)
}

fn exists(path: &Path) -> Failure {
    let error = anyhow::anyhow!("{} is here already", path.display());
    let hint = "use --force to replace it, or -f to write another file";
    Failure::new(Exit::Usage, error, Some(hint.to_owned()))
}

fn unwritable(path: &Path, error: io::Error) -> Failure {
    let error = anyhow::Error::from(error).context(format!("cannot write {}", path.display()));
    Failure::new(Exit::Failed, error, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_only_if_that_is_wished() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("farm.yaml");
        write(&path, "one", false).unwrap();
        let error = write(&path, "two", false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        write(&path, "two", true).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn memory_is_read_as_the_kernel_prints_it() {
        let text = "MemFree: 1 kB\nMemTotal:       32780752 kB\n";
        assert_eq!(
            total_memory(text).map(Memory::bytes),
            Some(32_780_752 * 1024)
        );
        assert_eq!(total_memory("MemTotal: many kB"), None);
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_taken() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let port = u64::from(address.port()).try_into().unwrap();
        assert!(is_taken(address.ip(), port));
    }
}
