//! Debian packages, taken apart: of each only the files that compiling needs, in memory.

mod elf;
mod keep;
mod libraries;
mod path;
mod tree;
mod unpack;

pub(super) use elf::{Linkage, Needs, linkage, machine};
pub(super) use keep::{CompilerFiles, Keep, Part, is_assembler};
pub(super) use libraries::{Libraries, needs_of};
pub(super) use path::{ImagePath, ROOT_LINKS};
pub(super) use tree::{Node, Tree};
pub(super) use unpack::unpack;

pub use elf::ElfError;
pub use libraries::LibraryError;
pub use path::PathError;
pub use unpack::{UnpackError, UnpackFault, with_data};
