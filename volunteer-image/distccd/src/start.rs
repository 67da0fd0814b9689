//! What the process becomes before it serves anybody: priority, user, log, compilers, a place for jobs.

use std::env;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use tokio::runtime::{Builder, Runtime};

use crate::compilers;
use crate::config::{Config, Log, Process};
use crate::job::{self, JobRoot};
use crate::run::Fatal;
use crate::{Compilers, Settings, exit::Exit, sandbox, telemetry, user};

/// Threads that move bytes. Compilers do the work; these need a small part of a processor each.
const WORKERS: usize = 4;

/// Everything that serving needs.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) compilers: Compilers,
    pub(crate) settings: Settings,
    /// Where all processes of this user make their directories.
    pub(crate) temporary: PathBuf,
    /// This one's, to be dropped last. None if directories of jobs are to stay.
    pub(crate) root: Option<JobRoot>,
    pub(crate) runtime: Runtime,
}

/// Does what `config` says about the process, in an order that matters: what needs root comes first.
pub(crate) fn prepare(config: &Config) -> Result<Started, Fatal> {
    let mut remarks = config.remarks.clone();
    remarks.extend(lower_priority(config.nice));
    // A toolchain file, or a list of compilers, may be for root's eyes only.
    let compilers = compilers::find(&config.compilers)?;
    settle(&config.process, &config.log, remarks)?;
    sandbox::forget_descriptors().map_err(Fatal::cannot_start)?;
    let temporary = env::temp_dir();
    let root = job_root(&temporary)?;
    let root = (!config.settings.keep_jobs).then_some(root);
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let runtime = Builder::new_multi_thread()
        .worker_threads(processors.min(WORKERS))
        .enable_all()
        .build()
        .map_err(Fatal::cannot_start)?;
    Ok(Started {
        compilers,
        settings: Settings {
            workspace: root
                .as_ref()
                .map_or(temporary.as_path(), JobRoot::path)
                .to_owned(),
            ..config.settings.clone()
        },
        temporary,
        root,
        runtime,
    })
}

/// Becomes who the process is to be and starts its log, with `remarks`.
pub(crate) fn settle(process: &Process, log: &Log, mut remarks: Vec<String>) -> Result<(), Fatal> {
    remarks.extend(adjust_oom_score(process.oom_score));
    remarks.extend(user::become_unprivileged(process.user.as_deref())?);
    telemetry::start(log)
        .map_err(|error| Fatal::new(Exit::IoError, format!("cannot log: {error}")))?;
    for remark in remarks {
        tracing::warn!("{remark}");
    }
    Ok(())
}

fn job_root(temporary: &Path) -> Result<JobRoot, Fatal> {
    let swept = job::sweep(temporary);
    if swept > 0 {
        tracing::info!(
            directories = swept,
            "removed what killed daemons left behind"
        );
    }
    JobRoot::create(temporary).map_err(|error| {
        let place = temporary.display();
        let message = format!("cannot make directories in {place}: {error}");
        Fatal::new(Exit::IoError, message)
            .hint("set TMPDIR to a directory that the daemon's user may write to")
    })
}

fn lower_priority(increment: i32) -> Option<String> {
    let error = rustix::process::nice(increment).err()?;
    Some(format!(
        "cannot change the priority by {increment}: {error}"
    ))
}

/// For this process and all that it starts.
fn adjust_oom_score(score: Option<i16>) -> Option<String> {
    let score = score?;
    let error = fs::write("/proc/self/oom_score_adj", score.to_string()).err()?;
    Some(format!("--oom-score-adj {score} has no effect: {error}"))
}
