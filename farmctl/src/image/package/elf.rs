//! What a program or library needs in order to start (System V ABI, dynamic linking).

use std::collections::BTreeSet;

use object::endian::Endianness;
use object::read::elf::{FileHeader, ProgramHeader, SectionTable};
use object::{elf, read};

/// Library names (`DT_NEEDED`) and, for programs, the interpreter's absolute path (`PT_INTERP`).
pub(in crate::image) type Needs = BTreeSet<String>;

/// Reads what the ELF file `content` needs; `name` is for the message if that fails.
pub(in crate::image) fn needs(name: &str, content: &[u8]) -> Result<Needs, ElfError> {
    read_needs(content).map_err(|source| ElfError {
        name: name.to_owned(),
        reason: source.to_string(),
    })
}

fn read_needs(content: &[u8]) -> read::Result<Needs> {
    let header = elf::FileHeader64::<Endianness>::parse(content)?;
    let endian = header.endian()?;
    let mut needs = Needs::new();
    for segment in header.program_headers(endian, content)? {
        if let Some(interpreter) = segment.interpreter(endian, content)? {
            needs.insert(String::from_utf8_lossy(interpreter).into_owned());
        }
    }
    let sections: SectionTable<'_, _> = header.sections(endian, content)?;
    let dynamic = sections.dynamic_table(endian, content)?;
    for entry in dynamic.iter().filter(|entry| entry.tag == elf::DT_NEEDED) {
        needs.insert(String::from_utf8_lossy(dynamic.string(entry)?).into_owned());
    }
    Ok(needs)
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
