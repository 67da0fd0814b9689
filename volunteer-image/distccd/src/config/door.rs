//! The options of a door, on both sides of it.

use std::net::IpAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::Args;

use super::flags::Flags;
use super::{BadValue, Log, Process, StatsPort};

/// Whether to keep a door, or to serve one.
#[derive(Debug, Args)]
#[command(next_help_heading = "Door")]
pub(super) struct DoorFlags {
    /// Serve the door in a directory, too: accept from its ports as soon as a compile of this daemon's own has succeeded.
    /// Needs a toolchain file
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["inetd", "enable_tcp_insecure"])]
    pub(super) door: Option<PathBuf>,

    /// Compile nothing: open the port, with --stats or --stats-port that of the statistics, too, and give them to the
    /// daemons of this user that are started with --door for the same directory
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = NOT_FOR_DOORS)]
    pub(super) keep_door: Option<PathBuf>,
}

/// Who keeps a door neither compiles nor lets anybody in.
const NOT_FOR_DOORS: [&str; 16] = [
    "door",
    "inetd",
    "no_fork",
    "wizard",
    "lifetime",
    "jobs",
    "nice",
    "allow",
    "allow_private",
    "job_lifetime",
    "grace",
    "toolchain",
    "enable_tcp_insecure",
    "version_skew",
    "without_sandbox",
    "LimitFlags",
];

/// How to keep a door.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DoorConfig {
    /// Where daemons ask for the ports.
    pub(crate) directory: PathBuf,
    /// Where to listen; everywhere without an address.
    pub(crate) listen: Option<IpAddr>,
    pub(crate) port: NonZeroU16,
    /// Where statistics are asked for, if at all.
    pub(crate) stats: Option<StatsPort>,
    pub(crate) process: Process,
    pub(crate) log: Log,
    /// What was asked for and is done differently; for the log.
    pub(crate) remarks: Vec<String>,
}

impl DoorConfig {
    pub(super) fn read(directory: PathBuf, flags: &Flags, bad: &mut Vec<BadValue>) -> Self {
        let process = Process::read(&flags.process, bad);
        let (log, remarks) = super::log(flags, &process);
        let listen = super::listen(flags, bad);
        Self {
            directory,
            listen,
            port: super::port_of("--port", flags.port.as_deref(), bad),
            stats: flags.stats.door_port(listen, bad),
            process,
            log,
            remarks,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::config::{ConfigError, Environment, Invocation, Place, Sink, parse};

    fn parsed(line: &str) -> Result<Invocation, ConfigError> {
        let words = std::iter::once("distccd").chain(line.split_whitespace());
        parse(words.map(OsString::from), &Environment::default())
    }

    fn kept(line: &str) -> DoorConfig {
        match parsed(line) {
            Ok(Invocation::KeepDoor(config)) => *config,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn reads_the_command_line_of_a_containers_door() {
        let line = "--daemon --no-detach --log-stderr --keep-door /run/door --port 3635 --listen 10.1.1.1 --stats-port 3735 --stats-listen 127.0.0.1";
        let config = kept(line);
        assert_eq!(config.directory, PathBuf::from("/run/door"));
        assert_eq!(config.port.get(), 3635);
        assert_eq!(config.listen, "10.1.1.1".parse().ok());
        let stats = config.stats.unwrap();
        assert_eq!(stats.listen, "127.0.0.1".parse().ok());
        assert_eq!(stats.port.get(), 3735);
        assert_eq!(config.process.place, Place::Foreground);
        assert_eq!(config.log.sink, Sink::StandardError);
    }

    #[test]
    fn a_door_is_open_for_statistics_only_if_that_is_asked_for() {
        let port = |line| kept(line).stats.map(|stats| stats.port.get());
        assert_eq!(port("--keep-door /d"), None);
        assert_eq!(port("--keep-door /d --stats-listen ::1"), None);
        assert_eq!(port("--keep-door /d --stats"), Some(3633));
        assert_eq!(port("--keep-door /d --stats-port 3700"), Some(3700));
    }

    #[test]
    fn a_daemon_that_serves_a_door_is_a_daemon_all_the_same() {
        let Ok(Invocation::Serve(config)) = parsed("--door /run/door --jobs 3") else {
            panic!("served")
        };
        assert_eq!(config.door, Some("/run/door".into()));
        assert_eq!(config.settings.jobs.get(), 3);
    }

    #[test]
    fn what_only_a_compile_server_does_is_not_for_doors() {
        let cases = [
            "--keep-door /d --door /d",
            "--keep-door /d --inetd",
            "--keep-door /d --wizard",
            "--keep-door /d --allow 10.1.1.1",
            "--keep-door /d --allow-private",
            "--keep-door /d --jobs 3",
            "--keep-door /d --toolchain /t",
            "--keep-door /d --max-files 3",
            "--keep-door /d --without-sandbox seccomp",
            "--keep-door /d --probe",
            "--keep-door",
            "--door /d --probe 3632",
            "--door /d --inetd",
            "--door /d --enable-tcp-insecure",
        ];
        for line in cases {
            assert!(matches!(parsed(line), Err(ConfigError::Usage(_))), "{line}");
        }
    }

    #[test]
    fn every_wrong_value_of_a_door_is_told_in_one_run() {
        let line =
            "--keep-door /d --port 0 --listen host.example --stats-port x --oom-score-adj 5000";
        let Err(ConfigError::Values(bad)) = parsed(line) else {
            panic!("refused")
        };
        assert_eq!(bad.len(), 4, "{bad:?}");
    }
}
