//! How an object can fail to be what a target expects.

/// How an object differs from what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The bytes do not begin like an ELF file.
    #[error("not an ELF object")]
    NotElf,
    /// An ELF file whose headers or attributes cannot be read to their end.
    #[error("damaged ELF object: {0}")]
    Damaged(String),
    /// An ELF file, but no output of `-c`: an executable or a shared library, say.
    #[error("an ELF file of type {0}, not a relocatable object")]
    NotRelocatable(u16),
    /// An ELF object for a machine that no target has.
    #[error("an object for an unknown machine (e_machine {0})")]
    UnknownMachine(u16),
    /// A big-endian object; every target is little-endian.
    #[error("a big-endian object where a little-endian one is expected")]
    BigEndian,
    /// Another class or machine than the target's.
    #[error("object is {found} where {expected} is expected")]
    Architecture {
        /// The target's class and machine.
        expected: String,
        /// The object's class and machine.
        found: String,
    },
    /// An ARM build attribute with another value than the toolchain's defaults give.
    #[error("object has {name} {found} where {expected} is expected")]
    Attribute {
        /// The attribute, without `Tag_`.
        name: String,
        /// The value that the target's defaults give, or `none`.
        expected: String,
        /// The object's value, or `none`.
        found: String,
    },
}
