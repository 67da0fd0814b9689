//! A thread behind the system call layer, and the fresh threads that inherit it.
//!
//! To install the filter takes the kernel longer than to start a compiler, so it is installed once. File rules differ
//! from job to job and stay with a thread for good, so each errand has a thread of its own: the one that waits at the
//! gate takes the errand, after it has put a successor in its place.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

type Errand = Box<dyn FnOnce() + Send>;

/// Where errands are handed in. Closed when its last copy is dropped.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    errands: Sender<Errand>,
}

impl Gate {
    /// Opens a gate whose threads all are as `restrict` leaves the first one.
    pub(super) fn open(
        restrict: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> io::Result<Self> {
        let (errands, waiting) = mpsc::channel();
        let (opened, result) = mpsc::sync_channel(1);
        thread::Builder::new().spawn(move || {
            let restricted = restrict();
            let ready = restricted.is_ok();
            // Who asked waits for it.
            drop(opened.send(restricted));
            if ready {
                keep(&Arc::new(Mutex::new(waiting)));
            }
        })?;
        result.recv().unwrap_or_else(|_gone| Err(no_thread()))?;
        Ok(Self { errands })
    }

    /// Does `errand` on a thread of its own behind the gate, and does not wait for it. Where no thread can be had, it is
    /// dropped.
    pub(super) fn pass(&self, errand: impl FnOnce() + Send + 'static) {
        // Whoever waits for it hears of its drop.
        drop(self.errands.send(Box::new(errand)));
    }

    /// The same, and waits for its result.
    pub(super) fn wait_for<T: Send + 'static>(
        &self,
        errand: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let (done, result) = mpsc::sync_channel(1);
        self.pass(move || drop(done.send(errand())));
        result.recv().unwrap_or_else(|_gone| Err(no_thread()))
    }
}

/// Waits at the gate for one errand, and does it after a successor waits.
fn keep(waiting: &Arc<Mutex<Receiver<Errand>>>) {
    loop {
        let next = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(errand) = next else { return };
        let successor = Arc::clone(waiting);
        if thread::Builder::new()
            .spawn(move || keep(&successor))
            .is_ok()
        {
            return errand();
        }
        // Without a successor this thread must stay as it is. The errand is dropped, which its sender hears of.
    }
}

/// What has become of an errand that was dropped.
pub(super) fn no_thread() -> io::Error {
    io::Error::new(
        io::ErrorKind::ResourceBusy,
        "no thread could be started to run it",
    )
}
