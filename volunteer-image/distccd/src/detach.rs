//! Puts the daemon into the background.
//!
//! The program starts itself once more, and its first process ends when the second one has its port open: so whoever
//! waits for the command knows that the daemon answers. Nothing is copied by `fork`, which a program with threads must not
//! be.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

/// Tells the second process what it is.
const FLAG: &str = "--detached";

/// What the second process says on its standard output when its port is open.
const READY: &[u8] = b"listening\n";

/// Starts the program again with the same `arguments`, its own name first, and waits until it listens or ends. Returns what
/// this process ends with.
pub(crate) fn start(arguments: &[OsString]) -> io::Result<ExitCode> {
    let mut words = arguments.iter();
    let mut command = Command::new("/proc/self/exe");
    if let Some(name) = words.next() {
        command.arg0(name);
    }
    let mut child = command
        .arg(FLAG)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut told = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut told)?;
    }
    if told == READY {
        return Ok(ExitCode::SUCCESS);
    }
    let code = child.wait()?.code();
    let code = code.and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Leaves the terminal's session, in the second process.
pub(crate) fn leave_session() -> io::Result<()> {
    rustix::process::setsid()?;
    Ok(())
}

/// Lets the first process end, and lets go of what is its: standard input and output, and standard error unless it is the log.
pub(crate) fn ready(log_to_stderr: bool) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(READY)?;
    stdout.flush()?;
    let nowhere = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nowhere)?;
    rustix::stdio::dup2_stdout(&nowhere)?;
    if !log_to_stderr {
        rustix::stdio::dup2_stderr(&nowhere)?;
    }
    Ok(())
}
