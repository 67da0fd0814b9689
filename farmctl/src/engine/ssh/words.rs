//! What ssh says when it fails, understood.

use crate::engine::error::SshProblem;

/// What `words` mean that ssh wrote before it ended, without a connection having come about.
pub(super) fn ended(words: &str) -> SshProblem {
    let has = |part: &str| words.contains(part);
    let reason = last(words);
    if has("IDENTIFICATION HAS CHANGED") {
        SshProblem::HostKeyChanged {
            known_at: old_key(words),
            forget: forgetting(words),
        }
    } else if has("Host key verification failed") {
        SshProblem::HostKeyUnknown
    } else if has("Could not resolve hostname") {
        SshProblem::NameUnknown { reason }
    } else if has("Permission denied (") || has("Too many authentication failures") {
        SshProblem::PermissionDenied { reason }
    } else if NO_SERVER.iter().any(|part| has(part)) {
        SshProblem::NoServer { reason }
    } else {
        SshProblem::Ended { reason }
    }
}

/// How it sounds when nothing that speaks ssh is there.
const NO_SERVER: [&str; 8] = [
    "Connection refused",
    "Connection timed out",
    "Operation timed out",
    "No route to host",
    "Network is unreachable",
    "kex_exchange_identification",
    "banner exchange",
    "Connection closed by",
];

/// The last line; a banner and warnings come before it.
pub(super) fn last(words: &str) -> String {
    let mut lines = words.lines().map(str::trim);
    let last = lines.rfind(|line| !line.is_empty());
    let last = last.unwrap_or("without a word");
    let last = last.strip_prefix("ssh: ").unwrap_or(last);
    last.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// `Offending ED25519 key in /home/me/.ssh/known_hosts:3`.
fn old_key(words: &str) -> Option<String> {
    let line = words.lines().find(|line| line.starts_with("Offending "))?;
    let (_, place) = line.trim().split_once(" key in ")?;
    Some(place.to_owned())
}

/// `ssh-keygen -f "/home/me/.ssh/known_hosts" -R "nas"`.
fn forgetting(words: &str) -> Option<String> {
    let mut lines = words.lines().map(str::trim);
    lines
        .find(|line| line.starts_with("ssh-keygen ") && line.contains(" -R "))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGED: &str = "\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
The fingerprint for the ED25519 key sent by the remote host is\nSHA256:IqNHOr+p5sKOHkoU+YpIsAumn8ZGs7X5us+JgaoSRes.\r
Offending ED25519 key in /home/me/.ssh/known_hosts:3\r
  remove with:\r
  ssh-keygen -f \"/home/me/.ssh/known_hosts\" -R \"nas\"\r
Host key for nas has changed and you have requested strict checking.\r
Host key verification failed.\r\n";

    #[test]
    fn everything_that_a_person_can_act_on_is_told_apart() {
        let reason = |text: &str| text.to_owned();
        for (words, problem) in [
            (
                CHANGED,
                SshProblem::HostKeyChanged {
                    known_at: Some(reason("/home/me/.ssh/known_hosts:3")),
                    forget: Some(reason(
                        "ssh-keygen -f \"/home/me/.ssh/known_hosts\" -R \"nas\"",
                    )),
                },
            ),
            (
                "No ED25519 host key is known for nas and you have requested strict checking.\r\nHost key verification \
                 failed.\r\n",
                SshProblem::HostKeyUnknown,
            ),
            (
                "ssh: Could not resolve hostname nas: Name or service not known\r\n",
                SshProblem::NameUnknown {
                    reason: reason("Could not resolve hostname nas: Name or service not known"),
                },
            ),
            (
                "*** Welcome ***\nroot@nas: Permission denied (publickey).\r\n",
                SshProblem::PermissionDenied {
                    reason: reason("root@nas: Permission denied (publickey)."),
                },
            ),
            (
                "ssh: connect to host nas port 22: Connection refused\r\n",
                SshProblem::NoServer {
                    reason: reason("connect to host nas port 22: Connection refused"),
                },
            ),
            (
                "This account is currently not available.\n",
                SshProblem::Ended {
                    reason: reason("This account is currently not available."),
                },
            ),
            (
                "",
                SshProblem::Ended {
                    reason: reason("without a word"),
                },
            ),
        ] {
            assert_eq!(ended(words), problem, "{words}");
        }
    }
}
