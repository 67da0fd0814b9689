//! How the process itself runs: as a daemon or for one job, in the background or not, as whom, for how long.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::BadValue;

/// The options that decide it.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one for each option of the stock daemon that takes no value"
)]
pub(super) struct ProcessFlags {
    /// Listen on a port, even if standard input is a socket
    #[arg(long)]
    daemon: bool,

    /// Serve one job on standard input and output, as for ssh and inetd [default: if standard input is a socket]
    #[arg(long)]
    inetd: bool,

    /// Stay in the foreground
    #[arg(long)]
    no_detach: bool,

    /// Run one compiler at a time
    #[arg(long)]
    pub(super) no_fork: bool,

    /// Accepted for the stock daemon's sake; changes nothing, as there
    #[arg(long)]
    no_fifo: bool,

    /// Short for --daemon --no-detach --no-fork --log-stderr --verbose
    #[arg(short = 'W', long)]
    pub(super) wizard: bool,

    /// Who to be when started as root [default: distcc, else distccd, else nobody]
    #[arg(long, value_name = "USER")]
    user: Option<String>,

    /// Write the daemon's process number to a file
    #[arg(short = 'P', long, value_name = "FILE")]
    pid_file: Option<PathBuf>,

    /// Seconds after which the daemon ends by itself, 0 for never [default: 0]
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    lifetime: Option<String>,

    /// Make the kernel, when short of memory, end this daemon and its compilers sooner (up to 1000) or later (-1000)
    #[arg(long, value_name = "SCORE", allow_hyphen_values = true)]
    oom_score_adj: Option<String>,

    /// Set for the process in the background that this program starts
    #[arg(long, hide = true)]
    detached: bool,
}

/// How the process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) mode: Mode,
    pub(crate) place: Place,
    /// Who to be, if root.
    pub(crate) user: Option<String>,
    pub(crate) pid_file: Option<PathBuf>,
    /// `None` for no end.
    pub(crate) lifetime: Option<Duration>,
    /// For the kernel, from -1000 to 1000.
    pub(crate) oom_score: Option<i16>,
}

/// Whom to serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Whoever connects.
    Daemon,
    /// The one at standard input.
    Inetd,
    /// The one at standard input if that is a socket, else whoever connects.
    Unsaid,
}

/// Where a daemon runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Foreground,
    /// To be started in the background by this process.
    Background,
    /// This is the process in the background.
    Detached,
}

impl Process {
    pub(super) fn read(flags: &ProcessFlags, bad: &mut Vec<BadValue>) -> Self {
        let mode = match flags {
            ProcessFlags { inetd: true, .. } => Mode::Inetd,
            ProcessFlags { daemon: true, .. } | ProcessFlags { wizard: true, .. } => Mode::Daemon,
            _ => Mode::Unsaid,
        };
        let place = match flags {
            ProcessFlags { detached: true, .. } => Place::Detached,
            ProcessFlags {
                no_detach: true, ..
            }
            | ProcessFlags { wizard: true, .. } => Place::Foreground,
            _ => Place::Background,
        };
        Self {
            mode,
            place,
            user: flags.user.clone(),
            pid_file: flags.pid_file.clone(),
            lifetime: lifetime(flags, bad),
            oom_score: oom_score(flags, bad),
        }
    }
}

fn lifetime(flags: &ProcessFlags, bad: &mut Vec<BadValue>) -> Option<Duration> {
    let text = flags.lifetime.as_ref()?;
    let meaning = "seconds after which the daemon ends, 0 for never";
    let seconds: u64 = super::value("--lifetime", text, meaning, bad)?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

fn oom_score(flags: &ProcessFlags, bad: &mut Vec<BadValue>) -> Option<i16> {
    const OPTION: &str = "--oom-score-adj";
    let text = flags.oom_score_adj.as_ref()?;
    let meaning = "a number from -1000 to 1000";
    let score: i16 = super::value(OPTION, text, meaning, bad)?;
    if !(-1000..=1000).contains(&score) {
        bad.push(BadValue::new(OPTION, text, meaning));
    }
    Some(score)
}
