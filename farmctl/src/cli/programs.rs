//! Which program becomes the daemon in images: this very one, and on hosts of another kind its build for them.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::environment::Environment;
use super::{Exit, Failure};
use crate::farm::Architecture;
use crate::image::{Error, Program, Programs};

/// Where builds for other hosts lie, seen from the folder of the program that is running: in archives of releases, and
/// where packages of distributions install them.
const FOLDERS: [&str; 2] = [".", "../lib/farmctl"];

/// Every program that is there. What is named must be one; what merely lies there as well.
pub(super) fn programs(environment: &Environment, cache: &Path) -> Result<Programs, Failure> {
    let own = std::env::current_exe().context("cannot find the program that is running");
    let own = own.map_err(|error| Failure::new(Exit::Failed, error, None))?;
    let mut programs = Programs::default();
    for host in Architecture::ALL {
        let named = environment.programs.get(&host).cloned();
        if let Some(path) = named.or_else(|| found(&own, host)) {
            let program = Program::for_host(&path, host, cache).map_err(Error::from)?;
            programs.set(host, program);
        }
    }
    Ok(programs)
}

fn found(own: &Path, host: Architecture) -> Option<PathBuf> {
    if host == Architecture::own() {
        return Some(own.to_owned());
    }
    let folder = own.parent()?;
    let places = FOLDERS.map(|place| folder.join(place).join(format!("farmctl-{host}")));
    places.into_iter().find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn builds_for_other_hosts_lie_beside_the_program_or_in_the_library_folder() {
        let root = tempfile::tempdir().unwrap();
        let own = root.path().join("bin/farmctl");
        let other = Architecture::ALL
            .into_iter()
            .find(|host| *host != Architecture::own());
        let other = other.unwrap();
        fs::create_dir_all(root.path().join("bin")).unwrap();
        fs::create_dir_all(root.path().join("lib/farmctl")).unwrap();
        assert_eq!(found(&own, Architecture::own()), Some(own.clone()));
        assert_eq!(found(&own, other), None);
        for place in ["lib/farmctl", "bin"] {
            let path = root.path().join(place).join(format!("farmctl-{other}"));
            fs::write(&path, "").unwrap();
            let nearest = found(&own, other).unwrap();
            assert_eq!(
                nearest.canonicalize().unwrap(),
                path.canonicalize().unwrap()
            );
        }
    }
}
