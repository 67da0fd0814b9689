//! The program: from a command line to an exit code.

use std::ffi::OsString;
use std::future::{self, Future};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::time;

use crate::accept::Service;
use crate::compilers::{self, NoCompilers};
use crate::config::{
    self, Config, ConfigError, DoorConfig, Environment, Invocation, Mode, Place, Sink, StatsPort,
};
use crate::connection::Served;
use crate::door::{self, Adoption};
use crate::exit::Exit;
use crate::inetd::{self, Turn};
use crate::listeners::Listeners;
use crate::pid_file::PidFile;
use crate::probe::PROBE_DEADLINE;
use crate::shutdown::Signals;
use crate::start::{self, Started};
use crate::supervise::Orphans;
use crate::toolchain_file;
use crate::user::StillRoot;
use crate::{
    AllowList, Compilers, MissingLayer, NoPermission, Server, Settings, Shutdown, detach, listen,
    probe,
};

/// Why the program cannot go on.
#[derive(Debug)]
pub(crate) struct Fatal {
    exit: Exit,
    message: String,
    hint: Option<String>,
}

/// Runs the program with `arguments`, its own name first, and returns its exit code.
///
/// Codes are the stock daemon's: 0 when told to end, 101 for a bad command line, 102 for a port that cannot be opened,
/// 107 for files that cannot be used, 110 without compilers, 112 if it cannot stop being root, 119 for options of GSS-API,
/// 100 otherwise; with one client at standard input 108 if that left too early, 109 if it does not speak the protocol and
/// 113 if it may not; a failed `--probe` is 1.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let done = match config::parse(arguments.iter().cloned(), &Environment::read()) {
        Ok(Invocation::Serve(config)) => serve(*config, &arguments),
        Ok(Invocation::KeepDoor(config)) => keep_door(*config, &arguments),
        Ok(Invocation::Probe {
            listen,
            port,
            toolchain,
        }) => check(listen, port, &toolchain),
        Ok(Invocation::Print(text)) => {
            // Whoever closed our output does not want the text.
            drop(io::stdout().write_all(text.as_bytes()));
            Ok(Exit::Done.into())
        }
        Err(error) => {
            complain(&error.to_string());
            return exit_of(&error).into();
        }
    };
    done.unwrap_or_else(|fatal| {
        let hint = fatal
            .hint
            .map(|hint| format!("hint: {hint}\n"))
            .unwrap_or_default();
        complain(&format!("error: {}\n{hint}", fatal.message));
        fatal.exit.into()
    })
}

fn exit_of(error: &ConfigError) -> Exit {
    match error {
        ConfigError::Refused(option) if option.is_authentication() => Exit::NoAuthentication,
        ConfigError::Usage(_) | ConfigError::Values(_) | ConfigError::Refused(_) => {
            Exit::BadArguments
        }
    }
}

fn complain(text: &str) {
    drop(io::stderr().write_all(text.as_bytes()));
}

fn serve(config: Config, arguments: &[OsString]) -> Result<ExitCode, Fatal> {
    match (config.process.mode, config.process.place) {
        (Mode::Inetd, _) => serve_one(&config),
        (Mode::Unsaid, Place::Foreground | Place::Background)
            if config.door.is_none() && inetd::standard_input_is_socket() =>
        {
            serve_one(&config)
        }
        (_, Place::Background) => detach::start(arguments).map_err(Fatal::cannot_start),
        (_, Place::Foreground) => serve_all(config),
        (_, Place::Detached) => {
            detach::leave_session()?;
            serve_all(config)
        }
    }
}

fn keep_door(config: DoorConfig, arguments: &[OsString]) -> Result<ExitCode, Fatal> {
    match config.process.place {
        Place::Background => return detach::start(arguments).map_err(Fatal::cannot_start),
        Place::Detached => detach::leave_session()?,
        Place::Foreground => {}
    }
    door::keep(config).map(ExitCode::from)
}

/// Serves the client at standard input.
fn serve_one(config: &Config) -> Result<ExitCode, Fatal> {
    let signals = Signals::catch()?;
    let Started {
        compilers,
        mut settings,
        temporary,
        root,
        runtime,
    } = start::prepare(config)?;
    if !config.allow_given {
        // Who started this process has let the client in.
        settings.allow = AllowList::everybody();
    }
    let turn = Turn::wait(&temporary, settings.jobs).map_err(|error| {
        Fatal::new(
            Exit::IoError,
            format!("cannot limit the jobs of this machine: {error}"),
        )
    })?;
    let served = runtime.block_on(async {
        let orphans = Orphans::adopt()?;
        let shutdown = Shutdown::new();
        let service = Service::new(compilers, settings, shutdown.clone())?;
        let served = inetd::serve(&service, signals, orphans, shutdown).await;
        served.map_err(|error| {
            let message = format!("standard input and output cannot be used: {error}");
            Fatal::new(Exit::IoError, message)
                .hint("--inetd is for ssh and inetd; --daemon listens on a port")
        })
    })?;
    drop((turn, root));
    let exit = match served {
        Served::Answered => Exit::Done,
        Served::Truncated => Exit::Truncated,
        Served::Malformed => Exit::ProtocolError,
        Served::Denied => Exit::AccessDenied,
    };
    Ok(exit.into())
}

/// Serves whoever connects.
fn serve_all(config: Config) -> Result<ExitCode, Fatal> {
    let signals = Signals::catch()?;
    let started = start::prepare(&config)?;
    let (runtime, root) = (started.runtime, started.root);
    let served = serve_until_told(config, started.compilers, started.settings, signals);
    let end = runtime.block_on(served)?;
    drop((runtime, root));
    match end {
        End::Told => Ok(Exit::Done.into()),
        End::OldAge => {
            // As the stock daemon does. Where the kernel spares process 1 from it, the code says the same.
            kill_process(getpid(), Signal::ALARM).map_err(io::Error::from)?;
            Ok(ExitCode::from(128 + 14))
        }
    }
}

/// Why serving ended.
enum End {
    Told,
    /// Of `--lifetime`.
    OldAge,
}

async fn serve_until_told(
    config: Config,
    compilers: Compilers,
    settings: Settings,
    signals: Signals,
) -> Result<End, Fatal> {
    let port = config.port;
    let listener = listen(config.listen, port.get()).map_err(|error| {
        Fatal::new(
            Exit::BindFailed,
            format!("cannot listen on port {port}: {error}"),
        )
    })?;
    let stats = config.stats.map(listen_for_statistics).transpose()?;
    let orphans = Orphans::adopt()?;
    let address = listener.local_addr()?;
    let shutdown = Shutdown::new();
    compilers::announce(&compilers);
    let door = config.door;
    let door = door.map(|directory| adoption(directory, address, &compilers, &settings));
    let door = door.transpose()?;
    let listeners = Listeners::behind(listener, door.as_ref().map(Adoption::jobs));
    let stats = stats.map(|own| Listeners::behind(own, door.as_ref().map(Adoption::statistics)));
    let server = Server::new(listeners, compilers, settings.clone(), shutdown.clone())?;
    let pid_file = config.process.pid_file.map(PidFile::write).transpose();
    let pid_file = pid_file.map_err(Fatal::no_pid_file)?;
    announce(&settings, address);
    if config.process.place == Place::Detached {
        detach::ready(config.log.sink == Sink::StandardError)?;
    }
    let children = server.children();
    let statistics = stats.map(|listeners| server.statistics(listeners));
    let door = door.map(|door| door.run(shutdown.clone()));
    let end = tokio::select! {
        () = server.serve() => End::Told,
        () = for_ever(statistics) => End::Told,
        () = for_ever(door) => End::Told,
        () = signals.tell(shutdown) => End::Told,
        () = orphans.collect(children) => End::Told,
        () = over(config.process.lifetime) => End::OldAge,
    };
    tracing::info!("ended");
    drop(pid_file);
    Ok(end)
}

async fn over(lifetime: Option<Duration>) {
    match lifetime {
        Some(lifetime) => time::sleep(lifetime).await,
        None => future::pending().await,
    }
}

/// The way to the door in `directory` for the daemon that listens on `own`.
fn adoption(
    directory: PathBuf,
    own: SocketAddr,
    compilers: &Compilers,
    settings: &Settings,
) -> Result<Adoption, Fatal> {
    let Compilers::Image(toolchain) = compilers else {
        let message = "--door needs a toolchain file, which says what objects must be".to_owned();
        return Err(Fatal::new(Exit::NoCompiler, message).hint("name one with --toolchain"));
    };
    let adoption = Adoption::new(directory, own, toolchain.object.clone());
    let prover = adoption.tried_at().ip();
    if !settings.allow.allows(prover) {
        let message =
            format!("--door has the daemon try itself as {prover}, which may not send jobs");
        return Err(Fatal::new(Exit::BadArguments, message)
            .hint("let it in with --allow, beside those who may"));
    }
    Ok(adoption)
}

fn listen_for_statistics(at: StatsPort) -> Result<TcpListener, Fatal> {
    listen(at.listen, at.port.get()).map_err(|error| {
        let message = format!("cannot listen on port {} for statistics: {error}", at.port);
        Fatal::new(Exit::BindFailed, message)
            .hint("choose another one with --stats-port, or leave --stats out")
    })
}

/// Never ends where there is nothing to do.
async fn for_ever(task: Option<impl Future<Output = ()>>) {
    match task {
        Some(task) => task.await,
        None => future::pending().await,
    }
}

/// What an administrator wants to see first.
fn announce(settings: &Settings, address: SocketAddr) {
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        %address,
        allow = %settings.allow,
        jobs = settings.jobs,
        connections = settings.connections,
        sandbox = %settings.sandbox,
        "listening"
    );
}

fn check(listen: Option<IpAddr>, port: NonZeroU16, toolchain: &Path) -> Result<ExitCode, Fatal> {
    let toolchain = toolchain_file::load(toolchain)
        .map_err(|error| Fatal::new(Exit::Unhealthy, error.to_string()).hint(error.hint()))?;
    let listen = listen.filter(|address| !address.is_unspecified());
    let address = SocketAddr::new(listen.unwrap_or(Ipv4Addr::LOCALHOST.into()), port.get());
    let unhealthy = |error: &dyn std::fmt::Display| Fatal::new(Exit::Unhealthy, error.to_string());
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
    Ok(Exit::Done.into())
}

impl Fatal {
    pub(crate) fn new(exit: Exit, message: String) -> Self {
        Self {
            exit,
            message,
            hint: None,
        }
    }

    pub(crate) fn hint(self, hint: &str) -> Self {
        Self {
            hint: Some(hint.to_owned()),
            ..self
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "the shape that `map_err` wants"
    )]
    pub(crate) fn no_pid_file(error: io::Error) -> Self {
        Self::new(
            Exit::IoError,
            format!("cannot write the process number: {error}"),
        )
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "the shape that `map_err` wants"
    )]
    pub(crate) fn cannot_start(error: io::Error) -> Self {
        Self::new(Exit::Failed, format!("cannot start: {error}"))
    }
}

impl From<io::Error> for Fatal {
    fn from(error: io::Error) -> Self {
        Self::cannot_start(error)
    }
}

impl From<MissingLayer> for Fatal {
    fn from(error: MissingLayer) -> Self {
        Self::new(Exit::Failed, error.to_string()).hint(&error.hint())
    }
}

impl From<NoCompilers> for Fatal {
    fn from(error: NoCompilers) -> Self {
        let exit = match &error {
            NoCompilers::Machine(NoPermission::UnreadableList { .. }) => Exit::IoError,
            NoCompilers::Machine(NoPermission::NoDirectory) | NoCompilers::Toolchain(_) => {
                Exit::NoCompiler
            }
        };
        Self::new(exit, error.to_string()).hint(error.hint())
    }
}

impl From<StillRoot> for Fatal {
    fn from(error: StillRoot) -> Self {
        Self::new(Exit::StillRoot, error.to_string())
            .hint("start the daemon as the user it is to be")
    }
}
