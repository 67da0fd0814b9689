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
//! thread costs less than the difference. The thread stays until the compiler ends, and waits for it. Resource limits
//! belong to a process: the daemon has the compiler's while it starts one, and takes the right to raise them from it
//! ([`Limiter`]).
//!
//! A layer that the kernel lacks keeps the daemon from starting, unless it was told to do without that layer.
//!
//! Not prevented: a compiler that was taken over may map code from its own job directory as memory and run it inside
//! its own process; it stays behind the same three layers. It may lower the resource limits of other processes of the
//! daemon's user, and signal them where the kernel's Landlock is older than ABI 6.

mod gate;
mod layers;
mod limiter;
mod linux;
mod policy;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gate::Gate;

pub use layers::{Layer, Layers, UnknownLayer};
pub use policy::CompilerLimits;

pub(crate) use limiter::Limiter;
pub(crate) use linux::forget_descriptors;

/// The layers around every compiler, ready for use.
#[derive(Debug)]
pub(crate) struct Sandbox {
    /// Threads behind the system call layer, if there is one.
    gate: Gate,
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
            linux::Calls::new().and_then(|calls| Gate::open(move || calls.restrict_thread()))
        } else {
            Gate::open(|| Ok(()))
        };
        Ok(Self {
            gate: gate.map_err(|error| MissingLayer::new(Layer::Seccomp, &error))?,
            files,
            limits,
        })
    }

    /// Without any layer.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self {
            gate: Gate::open(|| Ok(())).expect("a thread can be started"),
            files: None,
            limits: None,
        }
    }

    /// Does `work` on a thread of its own, where what it starts may write to nothing but `directory`, and does not wait
    /// for it. `done` gets its result, or why the thread could not be restricted; without a thread it is dropped.
    pub(crate) fn within<T>(
        &self,
        directory: &Path,
        work: impl FnOnce(&Limiter) -> T + Send + 'static,
        done: impl FnOnce(io::Result<T>) + Send + 'static,
    ) {
        let files = self.files.as_ref().map(Arc::clone);
        let directory = directory.to_owned();
        let limiter = Limiter {
            limits: self.limits,
            gate: self.gate.clone(),
        };
        self.gate.pass(move || {
            let restricted = files.map_or(Ok(()), |files| files.restrict_thread(&directory));
            done(restricted.map(|()| work(&limiter)));
        });
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
    let done = Gate::open(|| Ok(())).and_then(|gate| gate.wait_for(set_up));
    done.map(Some)
        .map_err(|error| MissingLayer::new(layer, &error))
}
