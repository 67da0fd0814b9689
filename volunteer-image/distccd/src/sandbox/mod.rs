//! What a compiler may do to this machine: next to nothing.
//!
//! Source text alone can make a compiler read files (`.incbin "/etc/passwd"`), and compilers have bugs. So each one runs
//! behind three layers, by [`policy`]: Landlock (files), seccomp (system calls) and resource limits. [`linux`] sets them
//! up without any privilege.
//!
//! Landlock and seccomp belong to a thread, and what the thread starts inherits them for good. So a job's compiler is
//! started by a thread of its own ([`gate`]), which restricts itself first and ends afterwards. The alternative,
//! restricting the child between `fork` and `exec`, needs `unsafe` code and is slower: a process that borrows its
//! parent's memory until `exec` (`posix_spawn`) starts in about half the time of one that copies the page tables, and a
//! thread costs less than the difference. Resource limits belong to a process: the daemon has the compiler's while it
//! starts one, and takes the right to raise them from it and from every child that it may have made by then.
//!
//! A layer that the kernel lacks keeps the daemon from starting, unless it was told to do without that layer.
//!
//! Not prevented: a compiler that was taken over may map code from its own job directory as memory and run it inside
//! its own process; it stays behind the same three layers.

mod gate;
mod layers;
mod linux;
mod policy;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::Pid;

use gate::Gate;

pub use layers::{Layer, Layers, UnknownLayer};
pub use policy::CompilerLimits;

pub(crate) use linux::forget_descriptors;

/// The layers around every compiler, ready for use.
#[derive(Debug)]
pub(crate) struct Sandbox {
    /// The system call layer, if there is one; needed for the file layer, too.
    gate: Option<Gate>,
    files: Option<Arc<linux::Files>>,
    limits: Option<CompilerLimits>,
}

/// A layer that this machine does not provide.
#[derive(Debug, thiserror::Error)]
#[error("this kernel, or the container engine, does not provide {layer}: {why}")]
pub struct MissingLayer {
    layer: Layer,
    why: String,
}

impl MissingLayer {
    fn new(layer: Layer, why: &io::Error) -> Self {
        Self {
            layer,
            why: why.to_string(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        format!(
            "enable it, or do without this layer around compilers with --without-sandbox {}",
            self.layer
        )
    }
}

impl Sandbox {
    /// Sets up `layers` for compilers that are installed in `homes`, and tries each of them.
    pub(crate) fn set_up(
        layers: Layers,
        limits: CompilerLimits,
        homes: Vec<PathBuf>,
    ) -> Result<Self, MissingLayer> {
        let readable = policy::readable(homes);
        let files = try_out(layers, Layer::Landlock, move || {
            linux::Files::new(&readable).map(Arc::new)
        })?;
        let limits = try_out(layers, Layer::Rlimits, move || linux::try_limits(limits))?;
        let gate = if layers.has(Layer::Seccomp) {
            let gate =
                linux::Calls::new().and_then(|calls| Gate::open(move || calls.restrict_thread()));
            Some(gate.map_err(|error| MissingLayer::new(Layer::Seccomp, &error))?)
        } else if files.is_some() {
            let gate = Gate::open(|| Ok(()));
            Some(gate.map_err(|error| MissingLayer::new(Layer::Landlock, &error))?)
        } else {
            None
        };
        Ok(Self {
            gate,
            files,
            limits,
        })
    }

    /// Without any layer.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self {
            gate: None,
            files: None,
            limits: None,
        }
    }

    /// Does `start` where what it starts may write to nothing but `directory`.
    pub(crate) fn within<T: Send + 'static>(
        &self,
        directory: &Path,
        start: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let limits = self.limits;
        let start = move || match limits {
            Some(limits) => linux::under(limits, start),
            None => start(),
        };
        let Some(gate) = &self.gate else {
            return start();
        };
        let files = self.files.as_ref().map(Arc::clone);
        let directory = directory.to_owned();
        gate.pass(move || {
            if let Some(files) = files {
                files.restrict_thread(&directory)?;
            }
            start()
        })
    }

    /// Takes from the process `pid`, which was just started, the right to raise its limits.
    pub(crate) fn limit(&self, pid: Pid) -> io::Result<()> {
        self.limits
            .map_or(Ok(()), |limits| linux::limit(pid, limits))
    }
}

/// Sets a layer up, and tries it, on a thread that ends with it.
fn try_out<T: Send + 'static>(
    layers: Layers,
    layer: Layer,
    set_up: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<Option<T>, MissingLayer> {
    if !layers.has(layer) {
        return Ok(None);
    }
    let done = Gate::open(|| Ok(())).and_then(|gate| gate.pass(set_up));
    done.map(Some)
        .map_err(|error| MissingLayer::new(layer, &error))
}
