//! The program: from a command line to an exit code.

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU16, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use volunteer_toolchain::Toolchain;

use crate::config::{self, Config, Invocation};
use crate::exit::Exit;
use crate::job;
use crate::sandbox;
use crate::shutdown::Signals;
use crate::supervise::Orphans;
use crate::toolchain_file::{self, ToolchainError};
use crate::{MissingLayer, Server, Settings, Shutdown, listen, probe, telemetry};

/// Why the program cannot go on.
#[derive(Debug)]
struct Fatal {
    exit: Exit,
    message: String,
    hint: Option<String>,
}

/// Threads that move bytes. Compilers do the work; these need a small part of a processor each.
const WORKERS: usize = 4;

/// How long a probe may take: the daemon's slots may all be taken.
const PROBE_DEADLINE: Duration = Duration::from_mins(1);

/// Runs the program with `arguments`, its own name first, and returns its exit code.
///
/// Codes are the stock daemon's: 0 when told to end, 101 for a bad command line, 102 for a port that cannot be opened,
/// 107 for files that cannot be used, 110 without compilers, 100 otherwise; a failed `--probe` is 1.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let done = match config::parse(arguments) {
        Ok(Invocation::Serve(config)) => serve(*config),
        Ok(Invocation::Probe { port, toolchain }) => check(port, &toolchain),
        Ok(Invocation::Print(text)) => {
            // Whoever closed our output does not want the text.
            drop(io::stdout().write_all(text.as_bytes()));
            Ok(())
        }
        Err(error) => {
            complain(&error.to_string());
            return Exit::BadArguments.into();
        }
    };
    match done {
        Ok(()) => Exit::Done.into(),
        Err(fatal) => {
            let hint = fatal
                .hint
                .map(|hint| format!("hint: {hint}\n"))
                .unwrap_or_default();
            complain(&format!("error: {}\n{hint}", fatal.message));
            fatal.exit.into()
        }
    }
}

fn complain(text: &str) {
    drop(io::stderr().write_all(text.as_bytes()));
}

fn serve(config: Config) -> Result<(), Fatal> {
    telemetry::start(&config.log)
        .map_err(|error| fatal(Exit::IoError, format!("cannot log: {error}"), None))?;
    let toolchain = toolchain_file::load(&config.toolchain)?;
    sandbox::forget_descriptors().map_err(cannot_start)?;
    for remark in &config.remarks {
        tracing::warn!("{remark}");
    }
    let workspace = std::env::temp_dir();
    job::check_room(&workspace).map_err(|error| {
        let message = format!(
            "cannot make directories in {}: {error}",
            workspace.display()
        );
        fatal(
            Exit::IoError,
            message,
            Some("set TMPDIR to a directory that the daemon may write to"),
        )
    })?;
    lower_priority(config.nice);
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let runtime = Builder::new_multi_thread()
        .worker_threads(processors.min(WORKERS))
        .enable_all()
        .build()
        .map_err(cannot_start)?;
    runtime.block_on(serve_until_told(config, toolchain, workspace))
}

async fn serve_until_told(
    config: Config,
    toolchain: Toolchain,
    workspace: PathBuf,
) -> Result<(), Fatal> {
    let listener = listen(config.listen, config.port.get()).map_err(|error| {
        fatal(
            Exit::BindFailed,
            format!("cannot listen on port {}: {error}", config.port),
            None,
        )
    })?;
    let signals = Signals::catch().map_err(cannot_start)?;
    let orphans = Orphans::adopt().map_err(cannot_start)?;
    let settings = Settings {
        workspace,
        ..config.settings
    };
    let address = listener.local_addr().ok();
    let shutdown = Shutdown::new();
    let server = Server::new(
        listener,
        toolchain.clone(),
        settings.clone(),
        shutdown.clone(),
    )?;
    announce(&settings, &toolchain, address);
    let children = server.children();
    tokio::select! {
        () = server.serve() => {}
        () = signals.tell(shutdown) => {}
        () = orphans.collect(children) => {}
    }
    tracing::info!("ended");
    Ok(())
}

/// What an administrator wants to see first.
fn announce(settings: &Settings, toolchain: &Toolchain, address: Option<SocketAddr>) {
    for compiler in &toolchain.compilers {
        tracing::info!(gcc = compiler.major, c = %compiler.gcc.display(), cxx = %compiler.gxx.display(), "compiler");
    }
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        target = toolchain.target,
        address = address.map(tracing::field::display),
        allow = %settings.allow,
        jobs = settings.jobs,
        connections = settings.connections,
        defaults = toolchain.defaults.join(" "),
        object = %toolchain.object,
        sandbox = %settings.sandbox,
        "listening"
    );
}

fn lower_priority(increment: i32) {
    if let Err(error) = rustix::process::nice(increment) {
        tracing::warn!(%error, increment, "cannot change the priority");
    }
}

fn check(port: NonZeroU16, toolchain: &Path) -> Result<(), Fatal> {
    let toolchain = toolchain_file::load(toolchain)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.get()));
    let unhealthy = |error: &dyn std::fmt::Display| fatal(Exit::Unhealthy, error.to_string(), None);
    let runtime: Runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| unhealthy(&error))?;
    let report = runtime
        .block_on(probe(address, &toolchain.object, PROBE_DEADLINE))
        .map_err(|error| unhealthy(&error))?;
    let line = format!(
        "{} compiles C and C++ to {} ({} ms)\n",
        toolchain.target,
        report.object,
        report.elapsed.as_millis()
    );
    drop(io::stdout().write_all(line.as_bytes()));
    Ok(())
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that `map_err` wants"
)]
fn cannot_start(error: io::Error) -> Fatal {
    fatal(Exit::Failed, format!("cannot start: {error}"), None)
}

fn fatal(exit: Exit, message: String, hint: Option<&str>) -> Fatal {
    Fatal {
        exit,
        message,
        hint: hint.map(str::to_owned),
    }
}

impl From<MissingLayer> for Fatal {
    fn from(error: MissingLayer) -> Self {
        fatal(Exit::Failed, error.to_string(), Some(&error.hint()))
    }
}

impl From<ToolchainError> for Fatal {
    fn from(error: ToolchainError) -> Self {
        fatal(Exit::NoCompiler, error.to_string(), Some(error.hint()))
    }
}
