//! Every key of a manifest and of a target's file, described once.
//!
//! The reader takes its known keys from here, and so do its hints; `farmctl schema` and the manual's reference are made
//! of it.

mod farm;
mod toolchain;

pub(super) use farm::{ARCHIVE, FARM, HOST, HOST_TARGET, IMAGE, TARGET, TLS};
pub(super) use toolchain::{COMMON_FILE, COMPILERS, GCC, OBJECT, ON, TARGET_FILE};

use super::Document;

impl Document {
    /// Its groups, from the outside in.
    pub(super) fn groups(self) -> &'static [&'static Group] {
        match self {
            Self::Manifest => &farm::MANIFEST,
            Self::TargetFile => &toolchain::TARGET_FILES,
        }
    }
}

/// The keys that may stand in one place.
#[derive(Debug)]
pub(super) struct Group {
    /// A word for it, unique among groups.
    pub(super) name: &'static str,
    /// Where these keys stand, as a path.
    pub(super) place: &'static str,
    /// What the group describes.
    pub(super) meaning: &'static str,
    /// The keys; groups may share some.
    pub(super) parts: &'static [&'static [Key]],
}

/// One key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) otherwise: Otherwise,
    /// A value, in YAML.
    pub(super) example: &'static str,
    /// What the key is for, in a sentence or a few.
    pub(super) meaning: &'static str,
}

/// What holds where a key is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Otherwise {
    /// This, in YAML: writing it changes nothing.
    Default(&'static str),
    /// Something that no value says; the key's meaning tells what.
    Unset,
    /// Nothing: it must be written.
    Required,
}

/// What a key may hold.
#[derive(Debug)]
pub(super) enum Shape {
    /// Text that matches a regular expression.
    Text(&'static str),
    /// One of a few words.
    Words(&'static [&'static str]),
    /// Yes or no.
    Flag,
    /// A whole number.
    Whole {
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// A number above 0, with a fraction or not.
    Number,
    /// Any of these.
    OneOf(&'static [Self]),
    /// A list that neither is empty nor holds anything twice; one value may stand alone.
    Set(&'static Self),
    /// A list; one value may stand alone.
    List(&'static Self),
    /// Keys that farmctl knows.
    Keys(&'static Group),
    /// Keys of the author's choice, at least one.
    Named(Names, &'static Self),
}

/// What keys of the author's choice look like.
#[derive(Debug)]
pub(super) enum Names {
    /// Names of targets, and other names for them.
    Targets,
    /// Whatever matches a regular expression.
    Matching(&'static str),
}

impl Group {
    /// Every key, in the order in which they are explained.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'static Key> {
        self.parts.iter().flat_map(|part| part.iter())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.keys().any(|key| key.name == name)
    }

    /// Another place of the same document where a key of this name belongs.
    pub(super) fn elsewhere(&self, name: &str) -> Option<&'static str> {
        let manifest = Document::Manifest.groups();
        let is_manifest = manifest.iter().any(|group| std::ptr::eq(*group, self));
        let mut others = manifest.iter().filter(|_| is_manifest);
        others
            .find(|group| group.has(name))
            .map(|group| group.place)
    }
}
