//! What can be wrong with a toolchain's archive.

use std::io;

use super::ArchiveSource;
use crate::farm::Architecture;
use crate::image::package::{ElfError, PathError};

/// An archive that cannot be taken apart.
#[derive(Debug, thiserror::Error)]
#[error("cannot unpack the toolchain archive {name}: {fault}")]
pub struct TarballError {
    /// The archive's file name.
    pub name: String,
    /// What is wrong with it.
    #[source]
    pub fault: TarballFault,
}

pub(super) fn at(source: &ArchiveSource) -> impl Fn(TarballFault) -> TarballError {
    let name = source.name().to_owned();
    move |fault| TarballError {
        name: name.clone(),
        fault,
    }
}

impl TarballError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match &self.fault {
            TarballFault::Compression(_) | TarballFault::NoArchive => {
                "pack it anew as .tar.xz, .tar.gz or .tar and write the new `sha256` into the target's toolchain file"
            }
            TarballFault::NoDirectory { .. } => {
                "`directory` of the target's toolchain file is the folder that holds bin/, as `tar -t` lists it"
            }
            TarballFault::Lacks(_) | TarballFault::OtherVersion { .. } => {
                "check the version, the paths and `directory` in the target's toolchain file"
            }
            TarballFault::OtherMachine { .. } | TarballFault::Elf(_) => {
                "the toolchain must be built to run on the hosts that its `host:` names, amd64 if there is none, and its \
                 drivers must be programs and no scripts"
            }
            TarballFault::Read(_) => {
                "the archive is damaged where it was made, or no archive: its sum is the expected one"
            }
            TarballFault::Absolute(_)
            | TarballFault::Escapes(_)
            | TarballFault::LeadsOut { .. }
            | TarballFault::HardLink { .. }
            | TarballFault::Special(_)
            | TarballFault::Extension(_)
            | TarballFault::Members(_)
            | TarballFault::Kept(_)
            | TarballFault::Path(_) => {
                "no toolchain looks like that: do not use this archive unless you know who made it"
            }
        }
        .to_owned())
    }
}

/// What is wrong with an archive.
#[derive(Debug, thiserror::Error)]
pub enum TarballFault {
    /// It cannot be read, or not be decompressed within bounds.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// Compressed with a program whose format is not known here.
    #[error("it is compressed with {0}, which this program does not read")]
    Compression(&'static str),
    /// Neither compressed nor a tar archive.
    #[error("it is no tar archive")]
    NoArchive,
    /// A member at the root of whatever machine it is unpacked on.
    #[error("its member '{0}' has an absolute path")]
    Absolute(String),
    /// A member beside the folder it is unpacked in.
    #[error("its member '{0}' leads out of the archive")]
    Escapes(String),
    /// A symbolic link to somewhere else.
    #[error("its link '{path}' leads to '{target}', outside the toolchain")]
    LeadsOut {
        /// The link.
        path: String,
        /// Where it leads.
        target: String,
    },
    /// A hard link to something that is not kept.
    #[error("'{path}' is a hard link to '{target}', which is no program of the toolchain")]
    HardLink {
        /// The link.
        path: String,
        /// What it links to.
        target: String,
    },
    /// A device, a socket or the like.
    #[error("its member '{0}' is neither file, link nor folder")]
    Special(String),
    /// A record about the next member that is too long or makes no sense.
    #[error("{0}")]
    Extension(&'static str),
    /// Too many files.
    #[error("it has more than {0} members")]
    Members(u64),
    /// Programs and libraries that are too large.
    #[error("its programs and libraries are larger than {} MiB", .0 >> 20)]
    Kept(u64),
    /// A path that has no place in an image.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Nothing is where the toolchain should be.
    #[error("it has nothing in '{directory}', only in '{found}'")]
    NoDirectory {
        /// The folder of the toolchain file.
        directory: String,
        /// A folder that is there.
        found: String,
    },
    /// A program is missing.
    #[error("it does not hold {0}")]
    Lacks(String),
    /// Its compilers are of another version.
    #[error("it holds GCC {found}, not GCC {wanted}")]
    OtherVersion {
        /// What it holds.
        found: String,
        /// The major version of the toolchain file.
        wanted: u32,
    },
    /// A program for another kind of machine.
    #[error("its program {program} is not for {host} hosts")]
    OtherMachine {
        /// The program.
        program: String,
        /// The hosts that it should run on.
        host: Architecture,
    },
    /// A program that is none.
    #[error(transparent)]
    Elf(#[from] ElfError),
}
