//! Which compilers jobs may use: those of an image, or those of this machine.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use volunteer_toolchain::TOOLCHAIN_PATH;

use super::BadValue;
use super::environment::Environment;
use super::flags::Flags;
use crate::SearchPath;

/// Which compilers jobs may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CompilerRules {
    /// The toolchain file, if one is named.
    pub(crate) toolchain: Option<PathBuf>,
    /// Without a toolchain file: every compiler on the search path.
    pub(crate) any: bool,
    /// Without a toolchain file: the list of `DISTCC_CMDLIST`, and how many of the last components of a path must be the
    /// same.
    pub(crate) list: Option<(PathBuf, NonZeroUsize)>,
    /// Where compilers are looked for without a toolchain file.
    pub(crate) path: SearchPath,
}

impl CompilerRules {
    pub(super) fn read(flags: &Flags, environment: &Environment, bad: &mut Vec<BadValue>) -> Self {
        Self {
            toolchain: flags.toolchain.clone(),
            any: flags.enable_tcp_insecure,
            list: environment.list(bad),
            path: SearchPath::parse(&environment.search_path()),
        }
    }
}

/// The toolchain file that is named, or else where an image has it.
pub(super) fn toolchain_file(flags: &Flags) -> PathBuf {
    let named = flags.toolchain.clone();
    named.unwrap_or_else(|| TOOLCHAIN_PATH.into())
}
