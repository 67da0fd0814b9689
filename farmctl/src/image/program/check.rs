//! Whether a file can be the only thing that an image needs to run.

use std::fs::File;
use std::path::{Path, PathBuf};

use object::elf::FileHeader64;
use object::endian::Endianness;
use object::read::elf::{FileHeader, ProgramHeader};
use object::read::{ReadCache, ReadRef, Result};

use crate::farm::Architecture;
use crate::image::disk::DiskError;
use crate::image::package::machine;

/// Refuses what is no static program for hosts of one kind.
pub(super) fn check(path: &Path, host: Architecture) -> std::result::Result<(), ProgramError> {
    let file = File::open(path).map_err(|source| DiskError::new(path, source))?;
    let path = path.to_owned();
    match Traits::read(&ReadCache::new(file)) {
        Err(_) => Err(ProgramError::NoProgram { path }),
        Ok(found) if found.machine != Some(host) => Err(ProgramError::OtherMachine { path, host }),
        Ok(found) if !found.is_static => Err(ProgramError::Dynamic { path }),
        Ok(_) => Ok(()),
    }
}

/// What matters of a program.
struct Traits {
    machine: Option<Architecture>,
    /// Whether it needs no interpreter, and so no library.
    is_static: bool,
}

impl Traits {
    fn read<'data>(file: impl ReadRef<'data>) -> Result<Self> {
        let header = FileHeader64::<Endianness>::parse(file)?;
        let endian = header.endian()?;
        let mut is_static = true;
        for segment in header.program_headers(endian, file)? {
            is_static &= segment.interpreter(endian, file)?.is_none();
        }
        Ok(Self {
            machine: machine(header.e_machine(endian)),
            is_static,
        })
    }
}

/// Why a program cannot be the daemon in an image.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It cannot be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Something else than a program.
    #[error("{} is no program for a 64-bit Linux", .path.display())]
    NoProgram {
        /// The file.
        path: PathBuf,
    },
    /// It runs elsewhere.
    #[error("{} is no program for {host} hosts", .path.display())]
    OtherMachine {
        /// The file.
        path: PathBuf,
        /// The hosts that it should run on.
        host: Architecture,
    },
    /// It needs libraries, which an image does not have.
    #[error("{} is not linked statically", .path.display())]
    Dynamic {
        /// The file.
        path: PathBuf,
    },
}

impl ProgramError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Disk(error) => error.hint(),
            Self::NoProgram { .. } | Self::OtherMachine { .. } => Some(
                "FARMCTL_PROGRAM_AMD64 and FARMCTL_PROGRAM_ARM64 name builds of farmctl for these hosts".to_owned(),
            ),
            Self::Dynamic { .. } => Some(
                "the program is copied into images that hold no C library: build it in the source's own folder, whose \
                 .cargo/config.toml has it linked statically, or as the front page says under \"Install\""
                    .to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The head of an ELF file with at most one program header.
    fn program(machine: u16, interpreter: Option<&str>) -> Vec<u8> {
        let interpreter = interpreter
            .map(|path| format!("{path}\0"))
            .unwrap_or_default();
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(16, 0);
        file.extend(2u16.to_le_bytes()); // type: executable
        file.extend(machine.to_le_bytes());
        file.extend(1u32.to_le_bytes());
        file.extend(0u64.to_le_bytes()); // entry
        file.extend(64u64.to_le_bytes()); // program headers
        file.extend(0u64.to_le_bytes());
        file.extend(0u32.to_le_bytes());
        let headers = u16::from(!interpreter.is_empty());
        for number in [64u16, 56, headers, 64, 0, 0] {
            file.extend(number.to_le_bytes());
        }
        let length = interpreter.len() as u64;
        file.extend(3u32.to_le_bytes()); // type: interpreter
        file.extend(4u32.to_le_bytes());
        for number in [64 + 56, 0, 0, length, length, 1] {
            file.extend(number.to_le_bytes());
        }
        file.extend(interpreter.bytes());
        file
    }

    const X86_64: u16 = 62;
    const AARCH64: u16 = 183;

    #[test]
    fn takes_static_programs_of_the_right_kind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("farmctl");
        let verdict = |content: &[u8], host| {
            fs::write(&path, content).unwrap();
            let verdict = check(&path, host).map_err(|error| error.to_string());
            verdict.map_err(|text| text.replace(&path.display().to_string(), "it"))
        };
        let (amd64, arm64) = (Architecture::Amd64, Architecture::Arm64);
        assert_eq!(verdict(&program(AARCH64, None), arm64), Ok(()));
        assert_eq!(verdict(&program(X86_64, None), amd64), Ok(()));
        let bad = [
            (program(X86_64, None), "it is no program for arm64 hosts"),
            (program(40, None), "it is no program for arm64 hosts"),
            (
                program(AARCH64, Some("/lib/ld-linux-aarch64.so.1")),
                "it is not linked statically",
            ),
            (
                b"#!/bin/sh\n".to_vec(),
                "it is no program for a 64-bit Linux",
            ),
            (vec![], "it is no program for a 64-bit Linux"),
        ];
        for (content, expected) in bad {
            assert_eq!(verdict(&content, arm64), Err(expected.to_owned()));
        }
    }

    #[test]
    fn this_very_program_would_do_where_it_was_built_for_images() {
        let own = std::env::current_exe().unwrap();
        assert!(check(&own, Architecture::own()).is_ok());
    }
}
