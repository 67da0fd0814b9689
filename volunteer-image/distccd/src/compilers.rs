//! Finds the compilers that the daemon serves: an image's toolchain file says all, and without one the rules of the stock
//! daemon hold.

use std::path::Path;

use volunteer_toolchain::TOOLCHAIN_PATH;

use crate::config::CompilerRules;
use crate::toolchain_file::{self, ToolchainError};
use crate::{Compilers, Machine, NoPermission, Permission};

/// Why no compiler can be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoCompilers {
    /// The toolchain file cannot be used.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    /// There is none, and the machine's rules permit nothing.
    #[error(transparent)]
    Machine(#[from] NoPermission),
}

impl NoCompilers {
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Toolchain(error) => error.hint(),
            Self::Machine(error) => error.hint(),
        }
    }
}

/// The compilers that `rules` permit.
pub(crate) fn find(rules: &CompilerRules) -> Result<Compilers, NoCompilers> {
    if let Some(file) = &rules.toolchain {
        return Ok(toolchain_file::load(file)?.into());
    }
    match toolchain_file::load(Path::new(TOOLCHAIN_PATH)) {
        Ok(toolchain) => Ok(toolchain.into()),
        Err(ToolchainError::Missing(_)) => {
            Ok(Machine::new(permission(rules)?, rules.path.clone()).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// As with the stock daemon a list counts more than everything else.
fn permission(rules: &CompilerRules) -> Result<Permission, NoPermission> {
    match &rules.list {
        Some((list, components)) => Permission::list(list, *components),
        None if rules.any => Ok(Permission::SearchPath),
        None => Permission::names(),
    }
}

/// Says in the log which compilers these are.
pub(crate) fn announce(compilers: &Compilers) {
    match compilers {
        Compilers::Image(toolchain) => {
            for compiler in &toolchain.compilers {
                tracing::info!(gcc = compiler.major, c = %compiler.gcc.display(), cxx = %compiler.gxx.display(), "compiler");
            }
            tracing::info!(target = toolchain.target, defaults = toolchain.defaults.join(" "), object = %toolchain.object, "toolchain");
        }
        Compilers::Machine(machine) => {
            for (name, program) in machine.permitted_names() {
                tracing::info!(name, program = %program.display(), "compiler");
            }
            tracing::info!(permitted = %machine, "no toolchain file: the compilers of this machine, by the stock daemon's rules");
        }
    }
}
