//! What a compiler may do to this machine: next to nothing.
//!
//! Source text alone can make a compiler read files (`.incbin "/etc/passwd"`), and compilers have bugs. So each one runs
//! behind three layers, by [`policy`]: Landlock (files), seccomp (system calls) and resource limits. [`linux`] sets them
//! up without any privilege.
//!
//! Landlock and seccomp belong to a thread, and what the thread starts inherits them for good. So a job's compiler is
//! started by a thread of its own, which restricts itself first and ends afterwards. The alternative, restricting the
//! child between `fork` and `exec`, needs `unsafe` code and is slower: a process that shares its parent's memory until
//! `exec` (`posix_spawn`, `CLONE_VFORK`) is started in about half the time of one that copies the page tables, and a
//! thread costs less than the difference. Resource limits belong to a process; the child gets them as soon as it exists,
//! and so does every child that it could have made before.
//!
//! A layer that the kernel lacks keeps the daemon from starting, unless it was told to do without that layer.
//!
//! Not prevented: a compiler that was taken over may map code from its own job directory as memory and run it inside
//! its own process; it stays behind the same three layers.

mod layers;
mod linux;
mod policy;

#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::thread;

use rustix::process::Pid;
use volunteer_toolchain::Toolchain;

pub use layers::{Layer, Layers, UnknownLayer};
pub use policy::CompilerLimits;

pub(crate) use linux::forget_descriptors;

/// The layers around every compiler, ready for use.
#[derive(Debug)]
pub(crate) struct Sandbox {
    files: Option<linux::Files>,
    calls: Option<linux::Calls>,
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
    /// What to do about it.
    pub fn hint(&self) -> String {
        format!(
            "enable it, or do without this layer around compilers with --without-sandbox {}",
            self.layer
        )
    }
}

impl Sandbox {
    /// Sets up `layers` for the compilers of `toolchain`, and tries each of them.
    pub(crate) fn set_up(
        layers: Layers,
        limits: CompilerLimits,
        toolchain: &Toolchain,
    ) -> Result<Self, MissingLayer> {
        let readable = policy::readable(toolchain);
        Ok(Self {
            files: try_out(layers, Layer::Landlock, || linux::Files::new(&readable))?,
            calls: try_out(layers, Layer::Seccomp, linux::Calls::new)?,
            limits: try_out(layers, Layer::Rlimits, || linux::try_limits(limits))?,
        })
    }

    /// Without any layer.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self {
            files: None,
            calls: None,
            limits: None,
        }
    }

    /// Does `start` where what it starts may write to nothing but `directory`.
    pub(crate) fn within<T: Send>(
        &self,
        directory: &Path,
        start: impl FnOnce() -> io::Result<T> + Send,
    ) -> io::Result<T> {
        if self.files.is_none() && self.calls.is_none() {
            return start();
        }
        let confined = || {
            if let Some(files) = &self.files {
                files.restrict_thread(directory)?;
            }
            if let Some(calls) = &self.calls {
                calls.restrict_thread()?;
            }
            start()
        };
        alone(confined)
    }

    /// Limits what the process `pid`, which was just started, may use.
    pub(crate) fn limit(&self, pid: Pid) -> io::Result<()> {
        self.limits
            .map_or(Ok(()), |limits| linux::limit(pid, limits))
    }
}

/// Does `work` on a thread of its own, and waits for it.
fn alone<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, work)?;
        thread
            .join()
            .unwrap_or_else(|_panic| Err(io::Error::other("a thread ended in a panic")))
    })
}

fn try_out<T: Send>(
    layers: Layers,
    layer: Layer,
    set_up: impl FnOnce() -> io::Result<T> + Send,
) -> Result<Option<T>, MissingLayer> {
    if !layers.has(layer) {
        return Ok(None);
    }
    alone(set_up).map(Some).map_err(|error| MissingLayer {
        layer,
        why: error.to_string(),
    })
}
