//! Command lines for ssh: words, never a shell's text on this machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::engine::Route;
use crate::farm::SshEndpoint;

/// How long ssh may try to reach the other machine's ssh server.
const REACHING: Duration = Duration::from_secs(20);

/// What holds for every connection, whatever the user's configuration says.
const OPTIONS: [&str; 9] = [
    // A question would hang where nobody is.
    "BatchMode=yes",
    // A connection that others share would outlive us, or end with them.
    "ControlMaster=no",
    "ControlPath=none",
    "RemoteCommand=none",
    "PermitLocalCommand=no",
    // The user's own forwardings may be open in another window already.
    "ExitOnForwardFailure=no",
    // What goes wrong is told on this level; a banner comes along with it.
    "LogLevel=INFO",
    // A cut cable is noticed.
    "ServerAliveInterval=15",
    "ServerAliveCountMax=3",
];

/// The engine's socket on the machine.
pub(super) fn socket(endpoint: &SshEndpoint) -> PathBuf {
    let usual = || PathBuf::from(Route::DEFAULT_SOCKET);
    endpoint.socket.clone().unwrap_or_else(usual)
}

/// Carries the engine's socket to `near`. The other side runs `cat`: it ends when we are gone, however that came about,
/// because the pipe to its input ends then.
pub(super) fn tunnel(endpoint: &SshEndpoint, near: &Path) -> Command {
    let mut forward = OsString::from(near);
    forward.push(":");
    forward.push(socket(endpoint));
    let mut command = connection(endpoint, |command| {
        command.arg("-L").arg(forward);
    });
    command.arg("cat").stdin(Stdio::piped());
    command
}

/// Asks something of the machine. Every shell understands these words: none of them holds anything but letters, digits
/// and the marks that paths and options are made of.
pub(super) fn question(endpoint: &SshEndpoint, words: &[&str]) -> Command {
    let mut command = connection(endpoint, |_none| {});
    command.args(words).stdin(Stdio::null());
    command
}

/// Asks ssh what it makes of the host; nothing is dialled.
pub(super) fn configuration(endpoint: &SshEndpoint) -> Command {
    let mut command = Command::new("ssh");
    command.arg("-G");
    named(&mut command, endpoint);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn connection(endpoint: &SshEndpoint, more: impl FnOnce(&mut Command)) -> Command {
    let mut command = Command::new("ssh");
    // No terminal, agent or display there.
    command.args(["-T", "-a", "-x"]);
    for option in OPTIONS {
        command.args(["-o", option]);
    }
    command.args(["-o", &format!("ConnectTimeout={}", REACHING.as_secs())]);
    more(&mut command);
    named(&mut command, endpoint);
    command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // Ctrl-C at the terminal is for us alone: what has begun is being finished.
        .process_group(0)
        .kill_on_drop(true);
    command
}

/// Behind `--` nothing is an option.
fn named(command: &mut Command, endpoint: &SshEndpoint) {
    if let Some(port) = endpoint.port {
        command.args(["-p", &port.to_string()]);
    }
    if let Some(user) = &endpoint.user {
        command.args(["-l", user]);
    }
    command.args(["--", &endpoint.host]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::farm::DockerEndpoint;

    fn words(command: &Command) -> String {
        let words = command.as_std().get_args();
        let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    fn endpoint(text: &str) -> SshEndpoint {
        match text.parse().unwrap() {
            DockerEndpoint::Ssh(endpoint) => endpoint,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn the_host_stands_behind_all_options() {
        let near = Path::new("/tmp/farmctl-ssh-1-abc/engine");
        let usual = words(&tunnel(&endpoint("ssh://nas"), near));
        assert!(
            usual.ends_with(
                "-o ConnectTimeout=20 -L /tmp/farmctl-ssh-1-abc/engine:/var/run/docker.sock -- nas cat"
            ),
            "{usual}"
        );
        let other = endpoint("ssh://me@nas:2222/run/user/1000/docker.sock");
        let other = words(&tunnel(&other, near));
        assert!(
            other.ends_with("engine:/run/user/1000/docker.sock -p 2222 -l me -- nas cat"),
            "{other}"
        );
        let asked = words(&question(&endpoint("ssh://nas"), &["test", "-e", "/a"]));
        assert!(asked.ends_with(" -- nas test -e /a"), "{asked}");
        assert_eq!(
            words(&configuration(&endpoint("ssh://me@nas"))),
            "-G -l me -- nas"
        );
    }
}
