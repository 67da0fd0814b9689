//! What the trials share: a folder, and one server of each kind.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use crate::server::{Kind, Server};

/// Why a trial did not come to its good end.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// Something that it needs is not installed.
    Missing(String),
    /// It saw what it must not see.
    Wrong(String),
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Wrong(error.to_string())
    }
}

/// Both servers, and a place for everything else.
#[derive(Debug)]
pub(crate) struct Stage {
    folder: TempDir,
    stock: Server,
    ours: Server,
    folders: AtomicUsize,
}

const PROGRAMS: [&str; 4] = [
    "/usr/bin/distcc",
    "/usr/bin/distccd",
    "/usr/bin/gcc",
    "/usr/bin/g++",
];

impl Stage {
    /// Starts the servers.
    pub(crate) fn set() -> Result<Box<Self>, Trouble> {
        if let Some(missing) = PROGRAMS.iter().find(|program| !Path::new(program).exists()) {
            return Err(Trouble::Missing(format!("{missing} is not installed")));
        }
        let folder = tempfile::Builder::new().prefix("conformance-").tempdir()?;
        // Both daemons stop being root.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let stock = Server::start(Kind::Stock, folder.path(), "127.0.0.1")?;
        let ours = Server::start(Kind::Ours, folder.path(), "127.0.0.1")?;
        Ok(Box::new(Self {
            folder,
            stock,
            ours,
            folders: AtomicUsize::new(0),
        }))
    }

    pub(crate) fn server(&self, kind: Kind) -> &Server {
        match kind {
            Kind::Stock => &self.stock,
            Kind::Ours => &self.ours,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A folder of its own for a trial.
    pub(crate) fn folder(&self) -> Result<PathBuf, Trouble> {
        let number = self.folders.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(format!("trial-{number}"));
        fs::create_dir(&path)?;
        Ok(path)
    }

    /// Ends the servers, and removes the folder.
    pub(crate) fn clear(&self) {
        self.stock.end();
        self.ours.end();
        // What is left is in the system's own folder for such things.
        drop(fs::remove_dir_all(self.folder.path()));
    }
}
