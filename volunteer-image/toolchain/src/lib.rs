//! What a volunteer compiles for.
//!
//! A leaf crate, pure data and pure checks: farmctl writes a [`Toolchain`] into every image, the daemon reads it,
//! and both judge objects by the same [`ObjectFacts`].

mod object;
mod triple;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use object::{Class, Machine, Mismatch, ObjectFacts, Strictness};
pub use triple::{UsualPort, contradicts, objects_of, usual_ports};

/// Where an image keeps its [`Toolchain`], as JSON.
pub const TOOLCHAIN_PATH: &str = "/etc/distccd/toolchain.json";

/// Everything the daemon must know about the compilers of its image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toolchain {
    /// The target's name, such as `armv7h`.
    pub target: String,
    /// Every triple by which a master may name this target; `<triple>-gcc` then means this target's compiler.
    pub triples: Vec<String>,
    /// What every object that leaves must be.
    pub object: ObjectFacts,
    /// Code generation options put *before* the client's own, so that the client's win.
    pub defaults: Vec<String>,
    /// The installed compilers, the preferred one first; never empty.
    pub compilers: Vec<Compiler>,
    /// Whether the headers of the C and C++ library are installed, which pump mode needs.
    #[serde(default)]
    pub headers: bool,
}

/// One installed GCC version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compiler {
    /// The major version, such as `14`.
    pub major: u32,
    /// The C driver, an absolute path.
    pub gcc: PathBuf,
    /// The C++ driver, an absolute path.
    pub gxx: PathBuf,
}
