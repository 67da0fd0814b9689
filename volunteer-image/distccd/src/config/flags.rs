//! The options as they are written; values are read later, so that all mistakes can be told at once.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;

use super::door::DoorFlags;
use super::limits::LimitFlags;
use super::process::ProcessFlags;
use super::refused::RefusedFlags;
use super::stats::StatsFlags;

/// A distcc compile server: for the one target of an image, or for the compilers of this machine.
#[derive(Debug, Parser)]
#[command(
    name = "distccd",
    disable_version_flag = true,
    args_override_self = true
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one for each option of the stock daemon that takes no value"
)]
pub(super) struct Flags {
    #[command(flatten)]
    pub(super) process: ProcessFlags,

    #[command(flatten)]
    pub(super) refused: RefusedFlags,

    /// Port to listen on [default: 3632]
    #[arg(short, long, value_name = "PORT")]
    pub(super) port: Option<String>,

    /// Address to listen on, or a name in /etc/hosts [default: all, IPv4 and IPv6]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Option<String>,

    /// Compilers that run at once [default: processors + 2]
    #[arg(short, long, value_name = "COUNT")]
    pub(super) jobs: Option<String>,

    /// Lower the priority of compilers by this much [default: 5]
    #[arg(
        short = 'N',
        long,
        value_name = "INCREMENT",
        allow_hyphen_values = true
    )]
    pub(super) nice: Option<String>,

    /// Let clients of an address or range in, or of a name in /etc/hosts; repeatable [default: private networks]
    #[arg(short, long, value_name = "ADDRESS[/BITS]")]
    pub(super) allow: Vec<String>,

    /// Let clients of private networks and of this machine in
    #[arg(long)]
    pub(super) allow_private: bool,

    /// Seconds that a compile may take, 0 for no end [default: 1800]
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    pub(super) job_lifetime: Option<String>,

    /// Seconds for jobs in flight when told to end [default: 60]
    #[arg(long, value_name = "SECONDS")]
    pub(super) grace: Option<String>,

    /// Log to standard error, whatever else is said
    #[arg(long)]
    pub(super) log_stderr: bool,

    /// Append the log to a file [default: standard error, in the background the system's log]
    #[arg(long, value_name = "FILE")]
    pub(super) log_file: Option<PathBuf>,

    /// Least important messages to log: error, warning, info or debug [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(super) log_level: Option<String>,

    /// Log everything
    #[arg(long)]
    pub(super) verbose: bool,

    /// What to compile for, and with what [default: that of the image; without one the compilers of this machine that
    /// have an entry in /usr/lib/distcc or are listed in the file that the variable `DISTCC_CMDLIST` names]
    #[arg(long, value_name = "FILE")]
    pub(super) toolchain: Option<PathBuf>,

    /// Without a toolchain file: let jobs use every compiler on the search path; the client gives it over ssh
    #[arg(long)]
    pub(super) enable_tcp_insecure: bool,

    /// Jobs of clients whose compiler version is not installed: warn, refuse or ignore [default: warn]
    #[arg(long, value_name = "POLICY")]
    pub(super) version_skew: Option<String>,

    /// Run compilers without layers of their sandbox: landlock, seccomp, rlimits
    #[arg(long, value_name = "LAYER", value_delimiter = ',')]
    pub(super) without_sandbox: Vec<String>,

    /// Check that the daemon on a port of this machine, with --listen at that address of it, compiles, and exit with 0 or 1
    #[arg(long, value_name = "PORT", num_args = 0..=1, conflicts_with_all = ["door", "keep_door"])]
    pub(super) probe: Option<Vec<String>>,

    /// Print the version
    #[arg(long)]
    pub(super) version: bool,

    #[command(flatten)]
    pub(super) stats: StatsFlags,

    #[command(flatten)]
    pub(super) door: DoorFlags,

    #[command(flatten)]
    pub(super) limits: LimitFlags,

    /// Words that are no options; the stock daemon ignores them
    #[arg(hide = true)]
    words: Vec<OsString>,
}

impl Flags {
    pub(super) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        Self::try_parse_from(arguments)
    }
}
