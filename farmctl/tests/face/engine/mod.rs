//! An engine that does not exist: the part of Docker's HTTP API (1.41) that farmctl uses, on a Unix socket, with its
//! state in memory. Its facts are made up and never change, so that what farmctl prints depends on no machine.
//!
//! It misbehaves on request: see [`Fault`].

mod compiler;
mod containers;
mod faults;
mod images;
mod networks;
mod router;
mod state;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tokio::net::UnixListener;
use tokio::runtime::{Builder, Runtime};

pub(crate) use faults::Fault;
pub(crate) use state::{Container, State};

/// A running engine, or one that has died and can be started again with all it had.
pub(crate) struct FakeEngine {
    socket: PathBuf,
    shared: Arc<Shared>,
}

/// What the engine's tasks and the test share.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// `None` while the engine is dead.
    runtime: Mutex<Option<Runtime>>,
}

/// Told to die; the runtime cannot be ended by one of its own tasks.
type Death = mpsc::Sender<()>;

impl FakeEngine {
    /// Starts an empty engine on `socket`.
    pub(crate) fn start(socket: &Path) -> Self {
        let engine = Self {
            socket: socket.to_owned(),
            shared: Arc::new(Shared {
                state: Mutex::default(),
                runtime: Mutex::default(),
            }),
        };
        engine.revive();
        engine
    }

    /// Starts it, also again after it has died: containers that ran run again.
    pub(crate) fn revive(&self) {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (death, dying) = mpsc::channel();
        let app = router::app(Arc::clone(&self.shared), death);
        let _stale = fs::remove_file(&self.socket);
        let listener = {
            let _inside = runtime.enter();
            containers::listen_again(&mut self.state());
            UnixListener::bind(&self.socket).unwrap()
        };
        runtime.spawn(async move { axum::serve(listener, app).await });
        *self.shared.runtime.lock().unwrap() = Some(runtime);
        let (shared, socket) = (Arc::clone(&self.shared), self.socket.clone());
        thread::spawn(move || {
            if dying.recv().is_ok() {
                shared.die(&socket);
            }
        });
    }

    /// What it has; changing it is what somebody else does behind farmctl's back.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }

    /// Waits until it has died of [`Fault::Die`].
    pub(crate) fn wait_for_death(&self) {
        let deadline = Instant::now() + Duration::from_mins(2);
        while self.shared.runtime.lock().unwrap().is_some() {
            assert!(Instant::now() < deadline, "the engine should have died");
            thread::sleep(Duration::from_millis(5));
        }
        self.state().faults.clear();
    }
}

impl Shared {
    fn die(&self, socket: &Path) {
        let _gone = fs::remove_file(socket);
        if let Some(runtime) = self.runtime.lock().unwrap().take() {
            runtime.shutdown_timeout(Duration::from_mins(1));
        }
    }
}

impl Drop for FakeEngine {
    fn drop(&mut self) {
        self.shared.die(&self.socket);
    }
}
