//! What the assembly reports while it works; printing is the listener's business.

use std::sync::Arc;

/// Receives the events of an assembly, from several threads at once.
pub trait Progress: Send + Sync {
    /// Takes note of one event. Must return quickly: downloads wait for it.
    fn report(&self, event: Event);
}

/// Ignores every event.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _event: Event) {}
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// So much will be downloaded by the step that begins now; what the cache holds is not counted.
    Planned {
        /// Number of files.
        files: usize,
        /// Their sizes together.
        bytes: u64,
    },
    /// A piece of work began.
    Started {
        /// Which one.
        work: Work,
        /// How many bytes it will process, where that is known.
        total_bytes: Option<u64>,
    },
    /// A piece of work went on by `bytes` bytes.
    Advanced {
        /// Which one.
        work: Work,
        /// Bytes since the last event of this work.
        bytes: u64,
    },
    /// A download lost its connection and is tried again.
    Retried {
        /// Which one.
        work: Work,
        /// Why, in words.
        reason: String,
    },
    /// A piece of work is done.
    Finished {
        /// Which one.
        work: Work,
    },
}

/// A piece of work, by the name people know it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    /// Download and verification of a suite's signed index.
    Index {
        /// The suite, such as `stable`.
        suite: String,
    },
    /// Download of one package.
    Package {
        /// The package's name.
        name: String,
    },
    /// Download of a toolchain's archive.
    Archive {
        /// Its file name.
        name: String,
    },
    /// Making of one layer.
    Layer {
        /// What the layer holds, such as `gcc 14 (armv7h)`.
        name: String,
    },
}

/// A listener shared by the parts of an assembly.
pub(super) type Listener = Arc<dyn Progress>;

/// Reports the beginning of a piece of work now and its end when dropped.
pub(super) struct Span {
    listener: Listener,
    work: Work,
}

impl Span {
    pub(super) fn start(listener: &Listener, work: Work, total_bytes: Option<u64>) -> Self {
        listener.report(Event::Started {
            work: work.clone(),
            total_bytes,
        });
        Self {
            listener: Arc::clone(listener),
            work,
        }
    }

    /// Reports on the same work from elsewhere, without ending it.
    pub(super) fn share(&self) -> impl Fn(u64) + Send + use<> {
        let (listener, work) = (Arc::clone(&self.listener), self.work.clone());
        move |bytes| {
            listener.report(Event::Advanced {
                work: work.clone(),
                bytes,
            });
        }
    }

    pub(super) fn advance(&self, bytes: u64) {
        self.listener.report(Event::Advanced {
            work: self.work.clone(),
            bytes,
        });
    }

    pub(super) fn retry(&self, reason: String) {
        self.listener.report(Event::Retried {
            work: self.work.clone(),
            reason,
        });
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        self.listener.report(Event::Finished {
            work: self.work.clone(),
        });
    }
}
