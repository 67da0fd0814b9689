//! A client's project: on disk, as its own compiler sees it, and as a request.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use distcc_wire::{Entry, Payload, Request};
use tempfile::TempDir;

use crate::harness::text;

/// Files below one directory.
pub(super) struct Project {
    _folder: TempDir,
    /// What `ROOT` in commands stands for.
    root: PathBuf,
    /// The working directory that is sent.
    directory: Vec<u8>,
}

/// What the client's own compiler made of a command.
pub(super) struct Local {
    pub(super) object: Vec<u8>,
    pub(super) dependencies: String,
    pub(super) stderr: String,
}

/// The directories that the stock client would name as its compiler's own.
fn system_directories() -> [String; 3] {
    let own = Command::new("gcc")
        .arg("-print-file-name=include")
        .output()
        .expect("the compiler starts");
    let own = text(&own.stdout).trim().to_owned();
    [
        own,
        "/usr/local/include".to_owned(),
        "/usr/include".to_owned(),
    ]
}

impl Project {
    /// A project in a directory of this name somewhere; without a name, one that the client has in its root directory.
    pub(super) fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let real = folder.path().canonicalize().expect("it is there");
        let root = real.join(name);
        fs::create_dir_all(&root).expect("a directory can be made");
        let directory = if name.is_empty() {
            Path::new("/")
        } else {
            &root
        };
        Self {
            directory: directory.as_os_str().as_encoded_bytes().to_vec(),
            _folder: folder,
            root,
        }
    }

    pub(super) fn file(&self, name: &str, contents: &str) {
        let path = self.root.join(name);
        fs::create_dir_all(path.parent().expect("a file is in a directory"))
            .expect("a directory can be made");
        fs::write(path, contents).expect("a file can be written");
    }

    pub(super) fn link(&self, name: &str, target: &str) {
        symlink(target, self.root.join(name)).expect("a link can be made");
    }

    /// Makes a directory that is not sent.
    pub(super) fn directory(&self, name: &str) {
        fs::create_dir(self.root.join(name)).expect("a directory can be made");
    }

    /// A request with all files and links, as the stock client would send it.
    pub(super) fn request(&self, command: &str) -> Request {
        let mut entries = Vec::new();
        let mut links = Vec::new();
        self.collect(&self.root, &mut entries, &mut links);
        entries.extend(system_directories().iter().map(|path| system(path)));
        entries.extend(links);
        Request {
            arguments: self
                .words(command)
                .into_iter()
                .map(String::into_bytes)
                .collect(),
            payload: Payload::Pump {
                directory: self.directory.clone(),
                entries,
            },
        }
    }

    /// Runs the command here.
    pub(super) fn compile(&self, command: &str) -> Local {
        let words = self.words(command);
        let run = Command::new(&words[0])
            .args(&words[1..])
            .current_dir(&self.root)
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("the compiler starts");
        let made = |name| fs::read(self.root.join(name)).unwrap_or_default();
        Local {
            object: made("local.o"),
            dependencies: text(&made("local.o.d")),
            stderr: text(&run.stderr),
        }
    }

    fn words(&self, command: &str) -> Vec<String> {
        let root = self.root.to_str().expect("a plain path");
        let words = command.split(' ');
        words
            .map(|word| word.replace("ROOT", root).replace("OUT", "local.o"))
            .collect()
    }

    fn collect(&self, directory: &Path, files: &mut Vec<Entry>, links: &mut Vec<Entry>) {
        for entry in fs::read_dir(directory).expect("the directory is there") {
            let path = entry.expect("the directory can be read").path();
            let name = self.client_name(&path);
            if path.is_symlink() {
                let target = path.canonicalize().expect("the link leads somewhere");
                let target = self.client_name(&target);
                links.push(Entry::Link { name, target });
            } else if path.is_dir() {
                self.collect(&path, files, links);
            } else {
                let contents = fs::read(&path).expect("the file can be read");
                files.push(Entry::File { name, contents });
            }
        }
    }

    fn client_name(&self, path: &Path) -> Vec<u8> {
        let below = path.strip_prefix(&self.root).expect("it is below the root");
        let directory = Path::new(std::str::from_utf8(&self.directory).expect("a plain path"));
        directory.join(below).into_os_string().into_encoded_bytes()
    }
}

/// The link that means the volunteer's own directory.
pub(super) fn system(path: &str) -> Entry {
    let up = "../".repeat(20 + path.matches('/').count());
    Entry::Link {
        name: path.into(),
        target: format!("{up}{}", &path[1..]).into(),
    }
}
