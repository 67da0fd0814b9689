//! What is different between two locks.

use std::collections::{BTreeMap, BTreeSet};

use super::{Lock, LockedPackage, LockedToolchain, ToolchainId};
use crate::farm::Architecture;
use crate::image::digest::Sha256;

/// What is different about one toolchain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolchainChange {
    /// The target.
    pub target: String,
    /// GCC's major version.
    pub gcc: u32,
    /// The hosts that it runs on.
    pub host: Architecture,
    /// Whether it is there before and after, or only once.
    pub presence: Presence,
    /// The archive's SHA-256 before and after, where that is different.
    pub archive: Option<(Option<Sha256>, Option<Sha256>)>,
    /// The packages that are different, by name. Those of a toolchain that comes or goes are all different.
    pub packages: Vec<PackageChange>,
}

/// When a toolchain is in the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Only after.
    Added,
    /// Only before.
    Removed,
    /// Before and after.
    Kept,
}

/// What is different about one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageChange {
    /// The package's name.
    pub name: String,
    /// Its version before, if it was there.
    pub old: Option<String>,
    /// Its version after, if it is there. The same version means that the archive has another file of that name.
    pub new: Option<String>,
}

impl Lock {
    /// What is different in `new`, toolchain by toolchain.
    pub fn changes(&self, new: &Self) -> Vec<ToolchainChange> {
        let changes = pairs(self, new).into_iter().filter_map(|(id, old, new)| {
            let presence = match (old, new) {
                (None, _) => Presence::Added,
                (_, None) => Presence::Removed,
                _ => Presence::Kept,
            };
            let archives = (archive(old), archive(new));
            let change = ToolchainChange {
                target: id.target.clone(),
                gcc: id.gcc,
                host: id.host,
                presence,
                archive: (archives.0 != archives.1).then_some(archives),
                packages: package_changes(old, new),
            };
            let is_same = change.presence == Presence::Kept
                && change.archive.is_none()
                && change.packages.is_empty();
            (!is_same).then_some(change)
        });
        changes.collect()
    }
}

/// A toolchain before and after.
type Pair<'l> = (
    &'l ToolchainId,
    Option<&'l LockedToolchain>,
    Option<&'l LockedToolchain>,
);

/// The toolchains of both locks. Where another thing was asked of a compiler it is still the same one.
fn pairs<'l>(old: &'l Lock, new: &'l Lock) -> Vec<Pair<'l>> {
    let is_same = |one: &ToolchainId, other: &ToolchainId| {
        (&one.target, one.gcc, one.host) == (&other.target, other.gcc, other.host)
    };
    let only_new = new.toolchains.iter();
    let mut only_new: Vec<_> = only_new
        .filter(|(id, _)| !old.toolchains.contains_key(id))
        .collect();
    let mut pairs: Vec<Pair<'l>> = Vec::new();
    for (id, before) in &old.toolchains {
        let after = new.toolchains.get(id).or_else(|| {
            let renewed = only_new.iter().position(|(other, _)| is_same(id, other))?;
            Some(only_new.remove(renewed).1)
        });
        pairs.push((id, Some(before), after));
    }
    pairs.extend(
        only_new
            .into_iter()
            .map(|(id, after)| (id, None, Some(after))),
    );
    pairs.sort_by_key(|(id, ..)| *id);
    pairs
}

fn archive(toolchain: Option<&LockedToolchain>) -> Option<Sha256> {
    toolchain.and_then(|toolchain| toolchain.archive)
}

fn package_changes(
    old: Option<&LockedToolchain>,
    new: Option<&LockedToolchain>,
) -> Vec<PackageChange> {
    let by_name = |toolchain: Option<&LockedToolchain>| -> BTreeMap<String, LockedPackage> {
        let packages = toolchain.map_or(&[][..], |toolchain| &toolchain.packages);
        let named = packages.iter().cloned();
        named
            .map(|package| (package.name.clone(), package))
            .collect()
    };
    let (old, new) = (by_name(old), by_name(new));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let version = |package: Option<&LockedPackage>| package.map(|package| package.version.clone());
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| PackageChange {
            name: name.clone(),
            old: version(old.get(name)),
            new: version(new.get(name)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{image, lock, offered, source};
    use super::*;

    fn change(name: &str, old: Option<&str>, new: Option<&str>) -> PackageChange {
        PackageChange {
            name: name.to_owned(),
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
        }
    }

    #[test]
    fn a_lock_does_not_differ_from_itself() {
        assert_eq!(lock().changes(&lock()), []);
        assert_eq!(Lock::default().changes(&Lock::default()), []);
    }

    #[test]
    fn packages_that_come_go_and_change_are_told_for_each_toolchain() {
        let mut new = lock();
        let packages = vec![offered("libc6", "2"), offered("libgmp10", "1")];
        new.pin(&image("armv7h", vec![]), &source("stable"), packages);
        let changes = lock().changes(&new);
        assert_eq!(changes.len(), 1, "armv5 is as it was");
        assert_eq!((changes[0].target.as_str(), changes[0].gcc), ("armv7h", 14));
        assert_eq!(changes[0].presence, Presence::Kept);
        assert_eq!(
            changes[0].packages,
            [
                change("g++-14", Some("2"), None),
                change("libc6", Some("1"), Some("2")),
                change("libgmp10", None, Some("1")),
            ]
        );
    }

    #[test]
    fn a_compiler_of_which_something_else_is_asked_is_still_the_same() {
        let mut new = lock().without(&["armv5"]);
        let other = source("testing");
        new.pin(&image("armv5", vec![]), &other, vec![offered("libc6", "2")]);
        let changes = lock().changes(&new);
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].presence, Presence::Kept);
        assert_eq!(changes[0].packages, [change("libc6", Some("1"), Some("2"))]);
    }

    #[test]
    fn whole_toolchains_come_and_go() {
        let added = Lock::default().changes(&lock());
        assert!(
            added
                .iter()
                .all(|change| change.presence == Presence::Added)
        );
        assert_eq!(added.len(), 2);
        assert_eq!(added[0].packages, [change("libc6", None, Some("1"))]);
        let removed = lock().changes(&Lock::default());
        assert!(
            removed
                .iter()
                .all(|change| change.presence == Presence::Removed)
        );
    }

    #[test]
    fn another_file_of_the_same_version_is_a_change() {
        let mut other = offered("libc6", "1");
        other.sha256 = Sha256::of(b"rebuilt");
        let mut new = lock();
        new.pin(&image("armv5", vec![]), &source("stable"), vec![other]);
        assert_eq!(
            lock().changes(&new)[0].packages,
            [change("libc6", Some("1"), Some("1"))]
        );
    }
}
