//! What an object file is, as far as a linker on the board cares.
//!
//! [`ObjectFacts::read`] turns the bytes of an object into facts; [`ObjectFacts::check`] compares them with what a
//! target expects. The same check decides whether a volunteer is healthy and whether an object may leave it.

mod arm;
mod mismatch;
mod read;

#[cfg(test)]
mod sample;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use mismatch::Mismatch;

/// The facts that decide whether a board can link an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectFacts {
    /// ELF class: 32 or 64 bit.
    pub class: Class,
    /// ELF machine.
    pub machine: Machine,
    /// ARM build attributes by `readelf -A` name without `Tag_`, such as `CPU_arch: v7`; empty for other machines.
    ///
    /// Five attributes are looked at: `CPU_arch`, `CPU_arch_profile`, `FP_arch`, `Advanced_SIMD_arch` and
    /// `ABI_VFP_args`. One whose value is the default (0) is left out, as compilers leave it out.
    /// As an expectation the map lists every attribute of that set which the toolchain's defaults decide, and no other.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// ELF class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// 32-bit objects.
    Elf32,
    /// 64-bit objects.
    Elf64,
}

/// ELF machine (`e_machine`), by its usual name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Machine {
    /// `EM_ARM` (40).
    Arm,
    /// `EM_AARCH64` (183).
    Aarch64,
    /// `EM_X86_64` (62).
    #[serde(rename = "x86-64")]
    X86_64,
    /// `EM_386` (3).
    I386,
    /// `EM_RISCV` (243).
    Riscv,
}

/// How much of an object must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// A relocatable object of the right class and machine. The attributes may differ: a client's own `-march` or
    /// `-mfpu` legitimately changes them.
    Linkable,
    /// Also every attribute of the set as expected, and none besides: what the toolchain's own defaults must give.
    Exact,
}

impl ObjectFacts {
    /// Reads the facts of an ELF relocatable object.
    ///
    /// # Errors
    /// Anything that is not a complete little-endian relocatable object of a known machine.
    pub fn read(object: &[u8]) -> Result<Self, Mismatch> {
        read::facts(object)
    }

    /// Checks that `object` is what `self` expects, and returns what it is.
    ///
    /// # Errors
    /// The first difference found, or why the bytes could not be read as an object.
    pub fn check(&self, object: &[u8], strictness: Strictness) -> Result<Self, Mismatch> {
        let found = Self::read(object)?;
        self.check_class_and_machine(&found)?;
        match strictness {
            Strictness::Linkable => {}
            Strictness::Exact => self.check_attributes(&found)?,
        }
        Ok(found)
    }

    fn check_class_and_machine(&self, found: &Self) -> Result<(), Mismatch> {
        if (self.class, self.machine) == (found.class, found.machine) {
            return Ok(());
        }
        Err(Mismatch::Architecture {
            expected: Architecture(self.class, self.machine).to_string(),
            found: Architecture(found.class, found.machine).to_string(),
        })
    }

    fn check_attributes(&self, found: &Self) -> Result<(), Mismatch> {
        let names = self.attributes.keys().chain(found.attributes.keys());
        let differs = |name: &&String| self.attributes.get(*name) != found.attributes.get(*name);
        match names.into_iter().find(differs) {
            None => Ok(()),
            Some(name) => Err(Mismatch::Attribute {
                name: name.clone(),
                expected: value_or_absent(&self.attributes, name),
                found: value_or_absent(&found.attributes, name),
            }),
        }
    }
}

/// How an attribute that an object does not carry is written in a message.
const ABSENT: &str = "none";

fn value_or_absent(attributes: &BTreeMap<String, String>, name: &str) -> String {
    attributes
        .get(name)
        .map_or(ABSENT, String::as_str)
        .to_owned()
}

impl fmt::Display for ObjectFacts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", Architecture(self.class, self.machine))?;
        let mut separator = " (";
        for (name, value) in &self.attributes {
            write!(formatter, "{separator}{name}: {value}")?;
            separator = ", ";
        }
        if self.attributes.is_empty() {
            Ok(())
        } else {
            formatter.write_str(")")
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Elf32 => "ELF32",
            Self::Elf64 => "ELF64",
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Arm => "ARM",
            Self::Aarch64 => "AArch64",
            Self::X86_64 => "x86-64",
            Self::I386 => "i386",
            Self::Riscv => "RISC-V",
        })
    }
}

/// Class and machine as one name, such as `ELF32 ARM`.
struct Architecture(Class, Machine);

impl fmt::Display for Architecture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests;
