//! The ssh process that carries one engine's socket to this machine.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, ChildStdin};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::{command, unstarted, words};
use crate::engine::error::SshProblem;
use crate::farm::SshEndpoint;

/// An ssh process, and the near end of what it carries. Both end with this.
#[derive(Debug)]
pub(in crate::engine) struct Tunnel {
    endpoint: SshEndpoint,
    process: Pid,
    folder: TempDir,
    /// ssh's last words once it has ended.
    words: watch::Receiver<Option<String>>,
    watcher: JoinHandle<()>,
    /// As long as this is open ssh lives.
    _lifeline: ChildStdin,
}

/// How long ssh may take until it is through: somebody may have to touch a security key.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it is looked whether it is.
const GLANCE: Duration = Duration::from_millis(20);
/// How long ssh's own reason may come after the connections that it carried have ended.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// More than this nobody reads.
const MOST_WORDS: usize = 64 << 10;

/// What the folders of tunnels are called; the number of the process that made them follows.
const FOLDER: &str = "farmctl-ssh-";
/// The kernel's limit for the path of a socket, and what follows the folder for temporary files.
const LONGEST: usize = 107;
const BELOW: usize = FOLDER.len() + "/1234567890-abcdef/engine".len();

impl Tunnel {
    /// Starts ssh and waits until it is through.
    pub(in crate::engine) async fn open(endpoint: &SshEndpoint) -> Result<Self, SshProblem> {
        let folder = private_folder().map_err(|error| SshProblem::NotStarted {
            reason: error.to_string(),
        })?;
        let mut command = command::tunnel(endpoint, &folder.path().join(NEAR));
        let mut child = command.spawn().map_err(|error| unstarted(&error))?;
        let process = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let pipes = (child.stdin.take(), child.stderr.take());
        let (Some(process), (Some(lifeline), Some(stderr))) = (process, pipes) else {
            let reason = "it has no pipes".to_owned();
            return Err(SshProblem::NotStarted { reason });
        };
        let (told, words) = watch::channel(None);
        let watcher = tokio::spawn(async move {
            let last = listen(child, stderr).await;
            told.send_replace(Some(last));
        });
        let mut tunnel = Self {
            endpoint: endpoint.clone(),
            process,
            folder,
            words,
            watcher,
            _lifeline: lifeline,
        };
        tunnel.get_through().await?;
        Ok(tunnel)
    }

    async fn get_through(&mut self) -> Result<(), SshProblem> {
        let deadline = Instant::now() + PATIENCE;
        while UnixStream::connect(self.near()).await.is_err() {
            if let Some(words) = &*self.words.borrow_and_update() {
                return Err(words::ended(words));
            }
            if Instant::now() > deadline {
                let seconds = PATIENCE.as_secs();
                return Err(SshProblem::Silence { seconds });
            }
            sleep(GLANCE).await;
        }
        Ok(())
    }

    /// The machine at the far end.
    pub(in crate::engine) fn endpoint(&self) -> &SshEndpoint {
        &self.endpoint
    }

    /// Where the engine's socket is on this machine.
    pub(in crate::engine) fn near(&self) -> PathBuf {
        self.folder.path().join(NEAR)
    }

    /// Why the tunnel is no more, if it has ended.
    pub(in crate::engine) fn lost(&self) -> Option<SshProblem> {
        let words = self.words.borrow();
        let reason = words::last(words.as_ref()?);
        Some(SshProblem::Lost { reason })
    }

    /// After a connection broke: waits for ssh to say why, if it was ssh that ended.
    pub(in crate::engine) async fn settle(&self) {
        let mut words = self.words.clone();
        let _still_there = timeout(LAST_WORDS, words.wait_for(Option::is_some)).await;
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        // The task owns the process, which would be killed with it, but when that is nobody knows: the program may end now.
        if self.words.borrow().is_none() {
            let _gone_already = kill_process(self.process, Signal::KILL);
        }
        self.watcher.abort();
    }
}

const NEAR: &str = "engine";

/// What ssh says until it ends.
async fn listen(mut child: Child, mut stderr: ChildStderr) -> String {
    let mut words = Vec::new();
    {
        let heard = hear(&mut stderr, &mut words);
        tokio::pin!(heard);
        tokio::select! {
            () = &mut heard => drop(child.wait().await),
            // A program that ssh started may hold the pipe open for longer.
            _ended = child.wait() => drop(timeout(LAST_WORDS, heard).await),
        }
    }
    String::from_utf8_lossy(&words).into_owned()
}

/// Reads to the end and keeps what came last.
async fn hear(stderr: &mut ChildStderr, words: &mut Vec<u8>) {
    let mut chunk = [0; 4096];
    while let Ok(length @ 1..) = stderr.read(&mut chunk).await {
        words.extend_from_slice(&chunk[..length]);
        words.drain(..words.len().saturating_sub(MOST_WORDS));
    }
}

/// A folder for this user alone, whose path ssh understands and the kernel takes.
fn private_folder() -> std::io::Result<TempDir> {
    let usual = std::env::temp_dir();
    let place = if is_plain(&usual) {
        usual
    } else {
        PathBuf::from("/tmp")
    };
    sweep(&place);
    tempfile::Builder::new()
        .prefix(&format!("{FOLDER}{}-", std::process::id()))
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(place)
}

/// ssh reads more than a path out of colons, percent signs and the like.
fn is_plain(folder: &Path) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    folder.to_str().is_some_and(|path| {
        path.starts_with('/') && path.len() + BELOW <= LONGEST && path.chars().all(plain)
    })
}

/// Removes what processes left behind that were killed.
fn sweep(place: &Path) {
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| {
            let (process, _) = name.strip_prefix(FOLDER)?.split_once('-')?;
            process.parse::<u32>().ok()
        });
        if owner.is_some_and(|process| !Path::new(&format!("/proc/{process}")).exists()) {
            // Another user's folder stays.
            let _not_ours = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_whose_paths_ssh_would_read_otherwise_are_not_used() {
        for (folder, is_used) in [
            ("/tmp", true),
            ("/run/user/1000", true),
            ("/tmp/a:b", false),
            ("/tmp/%h", false),
            ("/tmp/${HOME}", false),
            ("relative", false),
        ] {
            assert_eq!(is_plain(Path::new(folder)), is_used, "{folder}");
        }
        assert!(!is_plain(Path::new(&format!("/{}", "a".repeat(80)))));
    }

    #[test]
    fn what_the_dead_left_goes_and_what_the_living_have_stays() {
        let place = tempfile::tempdir().unwrap();
        let of = |process: u32| place.path().join(format!("{FOLDER}{process}-abcdef"));
        let (dead, living) = (of(u32::MAX), of(std::process::id()));
        std::fs::create_dir(&dead).unwrap();
        std::fs::create_dir(&living).unwrap();
        sweep(place.path());
        assert!(!dead.exists());
        assert!(living.exists());
    }
}
