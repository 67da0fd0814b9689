//! What a program or library needs in order to start (System V ABI, dynamic linking).

use std::collections::BTreeSet;

use object::endian::Endianness;
use object::read::elf::{FileHeader, ProgramHeader, SectionTable};
use object::{elf, read};

use crate::farm::Architecture;

/// Library names (`DT_NEEDED`) and, for programs, the interpreter's absolute path (`PT_INTERP`).
pub(in crate::image) type Needs = BTreeSet<String>;

/// How a program or library is put together when it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::image) struct Linkage {
    pub(in crate::image) needs: Needs,
    /// Where it wants its libraries to be looked for first (`DT_RUNPATH` or `DT_RPATH`).
    pub(in crate::image) search: Vec<String>,
    /// The hosts that it runs on, if it is for any kind that volunteers run on.
    pub(in crate::image) machine: Option<Architecture>,
}

/// Reads what the ELF file `content` needs; `name` is for the message if that fails.
pub(in crate::image) fn needs(name: &str, content: &[u8]) -> Result<Needs, ElfError> {
    Ok(linkage(name, content)?.needs)
}

/// Reads how the ELF file `content` is linked; `name` is for the message if that fails.
pub(in crate::image) fn linkage(name: &str, content: &[u8]) -> Result<Linkage, ElfError> {
    read_linkage(content).map_err(|source| ElfError {
        name: name.to_owned(),
        reason: source.to_string(),
    })
}

fn read_linkage(content: &[u8]) -> read::Result<Linkage> {
    let header = elf::FileHeader64::<Endianness>::parse(content)?;
    let endian = header.endian()?;
    let mut needs = Needs::new();
    let mut search = Vec::new();
    for segment in header.program_headers(endian, content)? {
        if let Some(interpreter) = segment.interpreter(endian, content)? {
            needs.insert(String::from_utf8_lossy(interpreter).into_owned());
        }
    }
    let sections: SectionTable<'_, _> = header.sections(endian, content)?;
    let dynamic = sections.dynamic_table(endian, content)?;
    for entry in &dynamic {
        let text =
            || Ok::<_, read::Error>(String::from_utf8_lossy(dynamic.string(entry)?).into_owned());
        match entry.tag {
            elf::DT_NEEDED => drop(needs.insert(text()?)),
            elf::DT_RUNPATH | elf::DT_RPATH => {
                search.extend(text()?.split(':').map(str::to_owned));
            }
            _ => {}
        }
    }
    Ok(Linkage {
        needs,
        search,
        machine: machine(header.e_machine(endian)),
    })
}

/// The hosts that programs of an ELF machine run on.
pub(in crate::image) fn machine(number: elf::Machine) -> Option<Architecture> {
    match number {
        elf::EM_X86_64 => Some(Architecture::Amd64),
        elf::EM_AARCH64 => Some(Architecture::Arm64),
        _ => None,
    }
}

/// A file that should be an ELF program or library and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is no ELF program: {reason}")]
pub struct ElfError {
    /// The file.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}
