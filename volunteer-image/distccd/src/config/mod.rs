//! The command line: the stock daemon's spellings, every wrong value told in one run.

mod compilers;
mod door;
mod environment;
mod flags;
mod hosts;
mod limits;
mod process;
mod refused;
mod stats;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::num::{NonZeroU16, NonZeroUsize};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use tracing::Level;

use crate::admission::{AllowList, BadRange, parse_range};
use crate::{Layer, Layers, Settings, VersionSkew};
use flags::Flags;

pub(crate) use compilers::CompilerRules;
pub(crate) use door::DoorConfig;
pub(crate) use environment::Environment;
pub(crate) use process::{Mode, Place, Process};
pub(crate) use refused::RefusedOption;
pub(crate) use stats::StatsPort;

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Invocation {
    /// Serve until told to end.
    Serve(Box<Config>),
    /// Keep a door for those who serve.
    KeepDoor(Box<DoorConfig>),
    /// Check the daemon that listens on this port of this machine.
    Probe {
        /// The only address at which the daemon listens; without one its loopback is asked.
        listen: Option<IpAddr>,
        port: NonZeroU16,
        /// What its objects must be is told here.
        toolchain: PathBuf,
    },
    /// Print this.
    Print(String),
}

/// How to serve.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) process: Process,
    /// Where to listen; everywhere without an address.
    pub(crate) listen: Option<IpAddr>,
    pub(crate) port: NonZeroU16,
    /// Where statistics are told, if at all.
    pub(crate) stats: Option<StatsPort>,
    /// The directory of a door to serve, if there is to be one.
    pub(crate) door: Option<PathBuf>,
    /// How much to lower the priority of this process and its compilers.
    pub(crate) nice: i32,
    /// Whether the command line says who may send jobs; matters only where the default is everyone.
    pub(crate) allow_given: bool,
    pub(crate) log: Log,
    pub(crate) compilers: CompilerRules,
    /// What the server goes by; its workspace is still to be found.
    pub(crate) settings: Settings,
    /// What was asked for and is done differently; for the log.
    pub(crate) remarks: Vec<String>,
}

/// Where to log what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) sink: Sink,
    pub(crate) level: Level,
}

/// Where to log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sink {
    StandardError,
    File(PathBuf),
    /// The system's log.
    Syslog,
}

/// A command line that cannot be followed.
#[derive(Debug)]
pub(crate) enum ConfigError {
    /// An option that does not exist, or lacks its value.
    Usage(clap::Error),
    /// Values that mean nothing, all of them.
    Values(Vec<BadValue>),
    /// An option that is refused on purpose.
    Refused(RefusedOption),
}

/// A value that means nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadValue {
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl BadValue {
    fn new(option: &str, text: &str, meaning: &str) -> Self {
        Self {
            message: format!("{option}: '{text}' cannot be used"),
            hint: format!("the value is {meaning}"),
        }
    }
}

/// The port of the stock daemon.
const DEFAULT_PORT: NonZeroU16 = NonZeroU16::new(3632).expect("3632 is not zero");
/// The stock daemon's default.
const DEFAULT_NICE: i32 = 5;
/// The stock daemon takes this many jobs more than there are processors, to use them while others wait for the network.
const SPARE_JOBS: usize = 2;

/// Reads a command line, the program's name first, and what `environment` adds.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
) -> Result<Invocation, ConfigError> {
    let flags = match Flags::read(arguments) {
        Ok(flags) => flags,
        Err(error) if !error.use_stderr() => {
            return Ok(Invocation::Print(error.render().to_string()));
        }
        Err(error) => return Err(ConfigError::Usage(error)),
    };
    if flags.version {
        return Ok(Invocation::Print(version()));
    }
    if let Some(option) = RefusedOption::read(&flags.refused) {
        return Err(ConfigError::Refused(option));
    }
    let mut bad = Vec::new();
    let invocation = match (&flags.probe, &flags.door.keep_door) {
        (Some(port), _) => probe(&flags, port.first().map(String::as_str), &mut bad),
        (None, Some(directory)) => {
            let config = DoorConfig::read(directory.clone(), &flags, &mut bad);
            Invocation::KeepDoor(Box::new(config))
        }
        (None, None) => Invocation::Serve(Box::new(config(&flags, environment, &mut bad))),
    };
    if bad.is_empty() {
        Ok(invocation)
    } else {
        Err(ConfigError::Values(bad))
    }
}

fn probe(flags: &Flags, port: Option<&str>, bad: &mut Vec<BadValue>) -> Invocation {
    let port = port.or(flags.port.as_deref());
    Invocation::Probe {
        listen: listen(flags, bad),
        port: port_of("--probe", port, bad),
        toolchain: compilers::toolchain_file(flags),
    }
}

fn config(flags: &Flags, environment: &Environment, bad: &mut Vec<BadValue>) -> Config {
    let process = Process::read(&flags.process, bad);
    let (log, remarks) = log(flags, &process);
    let listen = listen(flags, bad);
    Config {
        listen,
        port: port_of("--port", flags.port.as_deref(), bad),
        stats: flags.stats.port(listen, bad),
        door: flags.door.door.clone(),
        nice: nice(flags, bad),
        allow_given: flags.allow_private || !flags.allow.is_empty(),
        log,
        compilers: CompilerRules::read(flags, environment, bad),
        settings: settings(flags, environment, bad),
        process,
        remarks,
    }
}

fn settings(flags: &Flags, environment: &Environment, bad: &mut Vec<BadValue>) -> Settings {
    let mut settings = Settings::new(jobs(flags, bad), allow(flags, bad), PathBuf::new());
    settings.deadlines.job = job_lifetime(flags, bad);
    settings.deadlines.shutdown = grace(flags, bad);
    settings.version_skew = version_skew(flags, bad);
    settings.sandbox = sandbox(flags, bad);
    settings.keep_jobs = environment.keep_jobs(bad);
    if let Some(idle) = environment.idle(bad) {
        settings.deadlines.idle = idle;
    }
    flags.limits.apply(&mut settings, bad);
    settings
}

fn port_of(option: &str, text: Option<&str>, bad: &mut Vec<BadValue>) -> NonZeroU16 {
    let Some(text) = text else {
        return DEFAULT_PORT;
    };
    value(option, text, "a port from 1 to 65535", bad).unwrap_or(DEFAULT_PORT)
}

fn listen(flags: &Flags, bad: &mut Vec<BadValue>) -> Option<IpAddr> {
    let text = flags.listen.as_deref()?;
    listen_on("--listen", text, bad)
}

fn listen_on(option: &str, text: &str, bad: &mut Vec<BadValue>) -> Option<IpAddr> {
    let address = text.parse().ok();
    let address = address.or_else(|| hosts::addresses(text).first().copied());
    if address.is_none() {
        let meaning =
            "an IP address of this machine, or a name in /etc/hosts; other names are not resolved";
        bad.push(BadValue::new(option, text, meaning));
    }
    address
}

fn jobs(flags: &Flags, bad: &mut Vec<BadValue>) -> NonZeroUsize {
    if flags.process.no_fork || flags.process.wizard {
        return NonZeroUsize::MIN;
    }
    let processors = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let default = processors.saturating_add(SPARE_JOBS);
    let Some(text) = &flags.jobs else {
        return default;
    };
    value(
        "--jobs",
        text,
        "how many compilers may run at once, at least 1",
        bad,
    )
    .unwrap_or(default)
}

fn nice(flags: &Flags, bad: &mut Vec<BadValue>) -> i32 {
    let Some(text) = &flags.nice else {
        return DEFAULT_NICE;
    };
    value(
        "--nice",
        text,
        "by how much to lower the priority, such as 10",
        bad,
    )
    .unwrap_or(DEFAULT_NICE)
}

fn allow(flags: &Flags, bad: &mut Vec<BadValue>) -> AllowList {
    let mut ranges = Vec::new();
    for text in &flags.allow {
        match (parse_range(text), hosts::addresses(text).first()) {
            (Ok(range), _) => ranges.push(range),
            // Once, as the stock daemon does.
            (Err(_), Some(address)) => ranges.push((*address).into()),
            (Err(error), None) => bad.push(BadValue {
                message: format!("--allow: {error}"),
                hint: BadRange::hint(),
            }),
        }
    }
    AllowList::new(ranges, flags.allow_private)
}

/// The stock daemon takes 0, and everything below, for no end.
fn job_lifetime(flags: &Flags, bad: &mut Vec<BadValue>) -> Option<Duration> {
    let Some(text) = &flags.job_lifetime else {
        return crate::Deadlines::default().job;
    };
    let seconds: i64 = value(
        "--job-lifetime",
        text,
        "seconds that a compile may take, 0 for no end",
        bad,
    )?;
    u64::try_from(seconds)
        .ok()
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs)
}

fn grace(flags: &Flags, bad: &mut Vec<BadValue>) -> Duration {
    let default = crate::Deadlines::default().shutdown;
    let Some(text) = &flags.grace else {
        return default;
    };
    let seconds = value(
        "--grace",
        text,
        "seconds for jobs in flight when the daemon is told to end",
        bad,
    );
    seconds.map_or(default, Duration::from_secs)
}

fn version_skew(flags: &Flags, bad: &mut Vec<BadValue>) -> VersionSkew {
    let text = flags.version_skew.as_deref();
    let policy = text.and_then(|text| value("--version-skew", text, "warn, refuse or ignore", bad));
    policy.unwrap_or_default()
}

fn sandbox(flags: &Flags, bad: &mut Vec<BadValue>) -> Layers {
    let words = flags.without_sandbox.iter();
    let unwanted = words.filter_map(|word| {
        let meaning = "a comma-separated list of landlock, seccomp and rlimits";
        value::<Layer>("--without-sandbox", word, meaning, bad)
    });
    unwanted.fold(Layers::ALL, Layers::without)
}

/// Never an error: the stock daemon ignores a level that it does not know, too.
fn log(flags: &Flags, process: &Process) -> (Log, Vec<String>) {
    let wizard = flags.process.wizard;
    let sink = match &flags.log_file {
        _ if flags.log_stderr || wizard => Sink::StandardError,
        Some(file) => Sink::File(file.clone()),
        // Standard error is the client's, or nobody's.
        None if process.mode == Mode::Inetd || process.place != Place::Foreground => Sink::Syslog,
        None => Sink::StandardError,
    };
    let mut remarks = Vec::new();
    let mut level = Level::INFO;
    if let Some(name) = &flags.log_level {
        match level_of(name) {
            Some(known) => level = known,
            None => remarks.push(format!("--log-level: '{name}' is no level, ignored")),
        }
    }
    if flags.verbose || wizard {
        level = Level::DEBUG;
    }
    (Log { sink, level }, remarks)
}

/// The levels of syslog by the names that the stock daemon takes.
fn level_of(name: &str) -> Option<Level> {
    Some(match name {
        "emerg" | "emergency" | "alert" | "crit" | "critical" | "err" | "error" => Level::ERROR,
        "warn" | "warning" => Level::WARN,
        "note" | "notice" | "info" | "information" => Level::INFO,
        "debug" => Level::DEBUG,
        _ => return None,
    })
}

fn value<T: std::str::FromStr>(
    option: &str,
    text: &str,
    meaning: &str,
    bad: &mut Vec<BadValue>,
) -> Option<T> {
    let parsed = text.parse().ok();
    if parsed.is_none() {
        bad.push(BadValue::new(option, text, meaning));
    }
    parsed
}

/// In the shape of the stock daemon's, so that scripts which look at it find what they expect.
fn version() -> String {
    let (version, architecture) = (env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    format!(
        "distccd {version} {architecture}-linux-gnu\n  (protocols 1, 2 and 3) (default port {DEFAULT_PORT})\n"
    )
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => write!(formatter, "{}", error.render()),
            Self::Values(bad) => bad.iter().try_for_each(|value| {
                writeln!(formatter, "error: {}\nhint: {}", value.message, value.hint)
            }),
            Self::Refused(option) => {
                writeln!(
                    formatter,
                    "error: {}\nhint: {}",
                    option.message(),
                    option.hint()
                )
            }
        }
    }
}
