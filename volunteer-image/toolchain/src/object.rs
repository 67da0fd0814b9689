//! What an object file is, as far as a linker on the board cares.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The facts that decide whether a board can link an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectFacts {
    /// ELF class: 32 or 64 bit.
    pub class: Class,
    /// ELF machine.
    pub machine: Machine,
    /// ARM build attributes by `readelf -A` name without `Tag_`, such as `CPU_arch: v7`; empty for other machines.
    /// As an expectation it lists every attribute of the set that the toolchain's defaults decide, and no other.
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

/// How an object differs from what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The bytes are no ELF relocatable object.
    #[error("not an ELF object")]
    NotElf,
}
