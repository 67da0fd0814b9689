//! What every verb starts from: the farm, its engines, the report, and the user's wish to stop.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::environment::Environment;
use super::fleet::is_of_this_machine;
use super::{Exit, Failure};
use crate::converge::Interrupt;
use crate::doctor::facts::{DaemonSettings, daemon};
use crate::doctor::{Fact, Unknown};
use crate::engine::{ClientEnvironment, DockerEngine};
use crate::farm::{Farm, Host};
use crate::manifest::{self, ManifestError};
use crate::report::{Report, Style};

pub(super) struct Context {
    manifest: Option<PathBuf>,
    pub(super) environment: Environment,
    pub(super) report: Arc<Report>,
    /// Whether what is under way is finished at Ctrl-C instead of dropped.
    finishes: AtomicBool,
}

/// The manifest that is used when none is named and it exists.
const MANIFEST: &str = "farm.yaml";
const LOCK: &str = "farm.lock";

impl Context {
    pub(super) fn new(manifest: Option<PathBuf>, style: Style, environment: Environment) -> Self {
        let manifest = manifest.or_else(|| environment.manifest.clone());
        Self {
            manifest,
            environment,
            report: Arc::new(Report::new(style)),
            finishes: AtomicBool::new(false),
        }
    }

    /// Where the manifest is, or would be.
    pub(super) fn manifest_path(&self) -> &Path {
        self.manifest.as_deref().unwrap_or(Path::new(MANIFEST))
    }

    /// The manifest's file if there must be one or there is one.
    pub(super) fn manifest(&self) -> Option<&Path> {
        let path = self.manifest_path();
        (self.manifest.is_some() || path.exists()).then_some(path)
    }

    /// The farm of the manifest, or the default one where there is none.
    pub(super) fn farm(&self) -> Result<Farm, Failure> {
        Ok(self.read_farm()?)
    }

    /// As [`Self::farm`], with the mistakes of a manifest as they are.
    pub(super) fn read_farm(&self) -> Result<Farm, ManifestError> {
        match &self.manifest {
            Some(path) => manifest::load_existing(path),
            None => manifest::load(Path::new(MANIFEST)),
        }
    }

    /// The lock lies beside the manifest; a farm without one keeps its lock in the user's data folder.
    pub(super) fn lock_path(&self) -> Result<PathBuf, Failure> {
        let here = || Path::new(MANIFEST).exists().then_some(Path::new(MANIFEST));
        if let Some(manifest) = self.manifest.as_deref().or_else(here) {
            return Ok(manifest.with_file_name(LOCK));
        }
        let data = self
            .environment
            .data
            .as_ref()
            .ok_or_else(|| homeless("the farm's lock", "XDG_DATA_HOME"))?;
        Ok(data.join("farmctl").join(LOCK))
    }

    /// Where downloads and layers are kept.
    pub(super) fn cache_path(&self) -> Result<PathBuf, Failure> {
        let cache = self
            .environment
            .cache
            .as_ref()
            .ok_or_else(|| homeless("downloads", "XDG_CACHE_HOME"))?;
        Ok(cache.join("farmctl"))
    }

    /// Connects to the engine of `host`.
    pub(super) async fn engine(&self, host: &Host) -> Result<DockerEngine, Failure> {
        Ok(DockerEngine::connect(&host.docker, self.client()).await?)
    }

    /// What this user's `docker` command goes by.
    pub(super) fn client(&self) -> &ClientEnvironment {
        &self.environment.docker
    }

    /// How the engine of `host` was started; only an engine of this machine lets its files be read.
    pub(super) fn daemon_settings(&self, host: &Host) -> Fact<DaemonSettings> {
        if is_of_this_machine(host, self.client()) {
            daemon::settings()
        } else {
            Err(Unknown(
                "the engine's settings are on another machine".to_owned(),
            ))
        }
    }

    /// Ctrl-C or SIGTERM while nothing has begun that would have to be finished: what is at work then, such as an ssh
    /// that does not get through, is dropped and leaves nothing behind.
    pub(super) async fn abandoned(&self) {
        stop_signal().await;
        if self.finishes.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }

    /// Cancelled at the first Ctrl-C or SIGTERM; the second one ends the program at once.
    pub(super) fn interrupt(&self) -> Interrupt {
        self.finishes.store(true, Ordering::Relaxed);
        let interrupt = Interrupt::new();
        let (report, token) = (Arc::clone(&self.report), interrupt.clone());
        tokio::spawn(async move {
            stop_signal().await;
            report.note("stopping: what has begun is being finished, once more stops at once");
            token.cancel();
            stop_signal().await;
            leave_at_once();
        });
        interrupt
    }
}

fn homeless(what: &str, variable: &str) -> Failure {
    let error =
        anyhow::anyhow!("there is no folder for {what}: neither HOME nor {variable} is set");
    Failure::new(
        Exit::Failed,
        error,
        Some(format!("set {variable} to a folder that may be written to")),
    )
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_cannot_listen) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

#[expect(
    clippy::exit,
    reason = "the user asked twice; what still runs on the engine is sorted out by the next command"
)]
fn leave_at_once() -> ! {
    std::process::exit(Exit::Interrupted as i32)
}
