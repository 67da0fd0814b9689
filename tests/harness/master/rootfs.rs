//! The master's root file system as pieces of a tar archive: files of packages, and what maintainer scripts would add.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use farmctl::image::{UnpackFault, with_data};
use tar::{Builder, Entry, EntryType, Header};

use crate::board::BOARDS;

/// An archive ends with two empty blocks (POSIX ustar).
const END_BYTES: usize = 1024;

/// Paths that some piece of the archive has: packages share folders, and engines take each path once.
#[derive(Debug, Default)]
pub(super) struct Taken(Mutex<HashSet<String>>);

impl Taken {
    fn is_new(&self, path: &str) -> bool {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.insert(path.to_owned())
    }
}

/// The files of a package, without the archive's end.
pub(super) fn entries_of(deb: &Path, taken: &Taken) -> Result<Vec<u8>, UnpackFault> {
    with_data(deb, |data| {
        let mut archive = Builder::new(Vec::new());
        for entry in tar::Archive::new(data).entries()? {
            copy(entry?, taken, &mut archive)?;
        }
        Ok(open_ended(archive)?)
    })
}

pub(super) fn open_ended(archive: Builder<Vec<u8>>) -> io::Result<Vec<u8>> {
    let mut bytes = archive.into_inner()?;
    bytes.truncate(bytes.len() - END_BYTES);
    Ok(bytes)
}

fn copy(
    entry: Entry<'_, impl Read>,
    taken: &Taken,
    archive: &mut Builder<Vec<u8>>,
) -> io::Result<()> {
    let path = merged(&String::from_utf8_lossy(&entry.path_bytes()));
    if path.is_empty() || !is_wanted(&path) || !taken.is_new(&path) {
        return Ok(());
    }
    let mut header = entry.header().clone();
    match header.entry_type() {
        EntryType::Symlink => {
            let target =
                String::from_utf8_lossy(&entry.link_name_bytes().unwrap_or_default()).into_owned();
            archive.append_link(&mut header, path, target)
        }
        EntryType::Link => {
            let target = merged(&String::from_utf8_lossy(
                &entry.link_name_bytes().unwrap_or_default(),
            ));
            archive.append_link(&mut header, path, target)
        }
        _ => archive.append_data(&mut header, path, entry),
    }
}

const MERGED: [&str; 4] = ["bin", "lib", "lib64", "sbin"];

/// The path without `./`, below `usr/` where the root only has a link.
fn merged(path: &str) -> String {
    let path = path.trim_start_matches("./").trim_end_matches('/');
    let first = path.split('/').next().unwrap_or_default();
    if MERGED.contains(&first) {
        format!("usr/{path}")
    } else {
        path.to_owned()
    }
}

/// Emulators for other machines, programs for link-time optimisation and documentation are half of the bytes.
fn is_wanted(path: &str) -> bool {
    const UNWANTED_FOLDERS: [&str; 5] = [
        "usr/share/doc/",
        "usr/share/info/",
        "usr/share/lintian/",
        "usr/share/locale/",
        "usr/share/man/",
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    let emulator = name.starts_with("qemu-");
    let unwanted = UNWANTED_FOLDERS
        .iter()
        .any(|folder| path.starts_with(folder))
        || name.contains("lto-dump")
        || name == "lto1"
        || (emulator && !["qemu-arm", "qemu-aarch64"].contains(&name));
    !unwanted
}

/// What is not in any package, and the archive's end.
pub(super) fn additions() -> io::Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for name in MERGED {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Symlink);
        header.set_mode(0o777);
        header.set_size(0);
        archive.append_link(&mut header, name, format!("usr/{name}"))?;
    }
    for (folder, mode) in [("tmp", 0o1777), ("work", 0o755)] {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Directory);
        header.set_mode(mode);
        header.set_size(0);
        archive.append_data(&mut header, folder, io::empty())?;
    }
    for (path, contents) in added_files() {
        let mut header = Header::new_gnu();
        header.set_mode(0o755);
        header.set_size(contents.len() as u64);
        archive.append_data(&mut header, path, contents.as_bytes())?;
    }
    archive.into_inner()
}

/// Everything that this module adds or leaves out, for a digest.
pub(super) fn additions_text() -> String {
    let mut text = include_str!("rootfs.rs").to_owned();
    for (path, contents) in added_files() {
        let _infallible = writeln!(text, "{path}\n{contents}");
    }
    text
}

fn added_files() -> Vec<(String, String)> {
    let mut files = vec![(
        "etc/passwd".to_owned(),
        "root:x:0:0:root:/root:/bin/sh\n".to_owned(),
    )];
    for board in BOARDS {
        for kind in ["gcc", "g++"] {
            files.push((
                format!("usr/local/bin/{}-{kind}", board.triple),
                format!(
                    "#!/bin/sh\nexec /usr/bin/{}-{kind}-14 {} \"$@\"\n",
                    board.debian_triple,
                    board.implied.join(" ")
                ),
            ));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usr_is_merged() {
        let cases = [
            ("./", ""),
            ("./bin/sh", "usr/bin/sh"),
            ("./usr/bin/make", "usr/bin/make"),
            ("./etc/distcc/", "etc/distcc"),
        ];
        for (member, expected) in cases {
            assert_eq!(merged(member), expected, "{member}");
        }
    }

    #[test]
    fn additions_are_one_archive() {
        let bytes = additions().unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let paths: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        assert!(paths.contains(&"lib64".to_owned()), "{paths:?}");
        assert!(paths.contains(&"usr/local/bin/armv6l-unknown-linux-gnueabihf-g++".to_owned()));
    }
}
