//! Which members of an archive may turn out to be needed.

use std::io::Read;

use super::member::{self, Kind, Member};
use super::{ArchiveSource, Limits, TarballFault, Wanted};
use crate::image::package::{ImagePath, Node, Tree};

/// Reads the archive to its end and keeps, at their places in the image, its drivers, compilers proper, assemblers and
/// shared libraries for this machine.
///
/// Programs have several names, as links or as hard links, of which any may come first. So all of them are kept here.
pub(super) fn candidates(
    data: impl Read,
    source: &ArchiveSource,
    wanted: &Wanted,
    limits: &Limits,
) -> Result<Tree, TarballFault> {
    let mut tree = Tree::default();
    let mut left = limits.kept_bytes;
    let mut elsewhere = None;
    let mut is_there = false;
    member::read(data, limits, |member| {
        let Some(relative) = source.relative(&member.path) else {
            elsewhere.get_or_insert_with(|| folder_of(&member.path));
            return Ok(());
        };
        is_there = true;
        let place = source.place(relative)?;
        if !is_candidate(relative) && place != wanted.gcc && place != wanted.gxx {
            return Ok(());
        }
        if let Some(node) = node(member, &place, source, &tree, &mut left)? {
            tree.insert(place, node);
        }
        if left == 0 {
            return Err(TarballFault::Kept(limits.kept_bytes));
        }
        Ok(())
    })?;
    match elsewhere {
        Some(found) if !is_there => Err(TarballFault::NoDirectory {
            directory: source.directory(),
            found,
        }),
        _ => Ok(tree),
    }
}

/// `bin/<triple>-gcc` and its other names, `libexec/gcc/<triple>/<version>/cc1`, `<triple>/bin/as`, `lib/libmpfr.so.6`.
fn is_candidate(relative: &[String]) -> bool {
    let relative: Vec<&str> = relative.iter().map(String::as_str).collect();
    match relative.as_slice() {
        ["bin", name] => is_driver(name) || *name == "as" || name.ends_with("-as"),
        ["lib" | "lib64", name] => name.starts_with("lib") && name.contains(".so"),
        [_triple, "bin", name] => *name == "as",
        [
            "lib" | "lib64" | "libexec",
            "gcc" | "gcc-cross",
            _triple,
            _version,
            name,
        ] => {
            matches!(*name, "cc1" | "cc1plus")
        }
        _ => false,
    }
}

/// `gcc`, `g++` and their aliases, behind a triple, before a version.
fn is_driver(name: &str) -> bool {
    let unversioned = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let unversioned = unversioned.trim_end_matches('-');
    let word = unversioned.rsplit('-').next();
    matches!(word, Some("gcc" | "g++" | "cc" | "c++"))
}

/// What is at `place`; `None` for folders, which come by themselves. Takes the size of a file from what is `left`.
fn node(
    member: Member<'_>,
    place: &ImagePath,
    source: &ArchiveSource,
    tree: &Tree,
    left: &mut u64,
) -> Result<Option<Node>, TarballFault> {
    let path = member.path.join("/");
    match member.kind {
        Kind::Folder => Ok(None),
        Kind::Symlink { target } => {
            if stays_inside(place, &target, source) {
                Ok(Some(Node::Link { target }))
            } else {
                Err(TarballFault::LeadsOut { path, target })
            }
        }
        Kind::HardLink { target } => {
            let linked = source
                .relative(&target)
                .map(|relative| source.place(relative))
                .transpose()?;
            let known = linked.and_then(|linked| tree.node(&linked).cloned());
            let target = target.join("/");
            known
                .map(Some)
                .ok_or(TarballFault::HardLink { path, target })
        }
        Kind::File { executable } => {
            let mut content = Vec::new();
            member.data.take(*left).read_to_end(&mut content)?;
            *left -= content.len() as u64;
            Ok(Some(Node::File {
                content: content.into(),
                executable,
            }))
        }
    }
}

/// An absolute target would be somewhere on the machine where the archive was made.
fn stays_inside(place: &ImagePath, target: &str, source: &ArchiveSource) -> bool {
    let Ok(Some(leads_to)) = place.link_target(target) else {
        return false;
    };
    let home = source.installed().as_str();
    let rest = leads_to.as_str().strip_prefix(home);
    !target.starts_with('/') && rest.is_some_and(|rest| rest.starts_with('/'))
}

fn folder_of(path: &[String]) -> String {
    let folders = path.split_last().map_or(path, |(_name, folders)| folders);
    folders.join("/")
}
