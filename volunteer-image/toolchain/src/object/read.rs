//! From the bytes of an ELF object to its facts.
//!
//! Layout: System V ABI, "Object Files"; build attributes: ABI for the Arm Architecture, "Addenda".

use std::collections::BTreeMap;

use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{AttributeReader, FileHeader, SectionHeader};
use object::{Endianness, FileKind};

use super::{Class, Machine, Mismatch, ObjectFacts, arm};

pub(super) fn facts(object: &[u8]) -> Result<ObjectFacts, Mismatch> {
    match FileKind::parse(object) {
        Ok(FileKind::Elf32) => header_facts::<FileHeader32<Endianness>>(object, Class::Elf32),
        Ok(FileKind::Elf64) => header_facts::<FileHeader64<Endianness>>(object, Class::Elf64),
        _ => Err(Mismatch::NotElf),
    }
}

fn header_facts<Elf>(object: &[u8], class: Class) -> Result<ObjectFacts, Mismatch>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let header = Elf::parse(object).map_err(damaged)?;
    let endian = header.endian().map_err(damaged)?;
    if endian == Endianness::Big {
        return Err(Mismatch::BigEndian);
    }
    let file_type = header.e_type(endian);
    if file_type != elf::ET_REL {
        return Err(Mismatch::NotRelocatable(file_type.0));
    }
    let machine = machine(header.e_machine(endian))?;
    let attributes = match machine {
        Machine::Arm => arm_attributes(header, endian, object)?,
        _ => BTreeMap::new(),
    };
    Ok(ObjectFacts {
        class,
        machine,
        attributes,
    })
}

fn machine(e_machine: elf::Machine) -> Result<Machine, Mismatch> {
    Ok(match e_machine {
        elf::EM_ARM => Machine::Arm,
        elf::EM_AARCH64 => Machine::Aarch64,
        elf::EM_X86_64 => Machine::X86_64,
        elf::EM_386 => Machine::I386,
        elf::EM_RISCV => Machine::Riscv,
        other => return Err(Mismatch::UnknownMachine(other.0)),
    })
}

/// The attributes of the whole file from every `.ARM.attributes` section of vendor `aeabi`.
///
/// Attributes of single sections or symbols refine those of the file; no compiler driver writes them, and a linker
/// that follows the ABI judges by the file's.
fn arm_attributes<Elf>(
    header: &Elf,
    endian: Endianness,
    object: &[u8],
) -> Result<BTreeMap<String, String>, Mismatch>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let mut attributes = BTreeMap::new();
    let sections = header.sections(endian, object).map_err(damaged)?;
    for section in sections
        .iter()
        .filter(|section| section.sh_type(endian) == elf::SHT_ARM_ATTRIBUTES)
    {
        let section = section.attributes(endian, object).map_err(damaged)?;
        let mut vendors = section.subsections().map_err(damaged)?;
        while let Some(vendor) = vendors.next().map_err(damaged)? {
            if vendor.vendor() != b"aeabi" {
                continue;
            }
            let mut scopes = vendor.subsubsections();
            while let Some(scope) = scopes.next().map_err(damaged)? {
                if scope.tag() == elf::Tag_File {
                    read_scope(&mut scope.attributes(), &mut attributes)?;
                }
            }
        }
    }
    Ok(attributes)
}

fn read_scope(
    reader: &mut AttributeReader<'_>,
    into: &mut BTreeMap<String, String>,
) -> Result<(), Mismatch> {
    while let Some(tag) = reader.read_tag().map_err(damaged)? {
        match arm::shape(tag) {
            arm::Shape::Text => {
                reader.read_string().map_err(damaged)?;
            }
            arm::Shape::NumberAndText => {
                reader.read_integer().map_err(damaged)?;
                reader.read_string().map_err(damaged)?;
            }
            arm::Shape::Number => {
                let value = reader.read_integer().map_err(damaged)?;
                if let Some((name, value)) = arm::describe(tag, value) {
                    into.insert(name.to_owned(), value);
                }
            }
        }
    }
    Ok(())
}

fn damaged(error: object::Error) -> Mismatch {
    Mismatch::Damaged(error.to_string())
}
