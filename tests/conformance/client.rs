//! The stock client, with nothing from outside.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::stage::Trouble;

/// The stock client in a folder.
#[derive(Debug, Clone)]
pub(crate) struct Client<'a> {
    /// Where the sources are.
    pub(crate) folder: &'a Path,
    /// `DISTCC_HOSTS`.
    pub(crate) hosts: String,
    /// More of the environment.
    pub(crate) environment: Vec<(&'static str, String)>,
}

/// What a command left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Done {
    /// The exit code; `128 + n` where signal `n` ended it.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// What it made, if it did.
    pub(crate) output: Option<Vec<u8>>,
}

impl Client<'_> {
    /// Compiles, and takes `output` away.
    pub(crate) fn compile(&self, words: &[&str], output: &str) -> Result<Done, Trouble> {
        run(self.command(words)?, &self.folder.join(output))
    }

    /// The command, ready to start. It has a state of its own, so that no failure is remembered.
    pub(crate) fn command(&self, words: &[&str]) -> Result<Command, Trouble> {
        let state = self.state();
        drop(fs::remove_dir_all(&state));
        fs::create_dir(&state)?;
        let mut command = clean("/usr/bin/distcc", words, self.folder);
        command
            .env("DISTCC_DIR", &state)
            .env("DISTCC_LOG", state.join("log"))
            .env("DISTCC_FALLBACK", "0")
            .env("DISTCC_HOSTS", &self.hosts)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    fn state(&self) -> PathBuf {
        self.folder.join(".distcc-state")
    }
}

/// Has the compiler preprocess first and compile what came of it, as clients do: line tables tell the difference.
const IN_TWO_STEPS: &str = "-no-integrated-cpp";

/// Compiles without any client.
pub(crate) fn compile_here(words: &[&str], folder: &Path, output: &str) -> Result<Done, Trouble> {
    let (program, words) = words
        .split_first()
        .ok_or_else(|| Trouble::Wrong("no command".to_owned()))?;
    let words = [&[IN_TWO_STEPS], words].concat();
    run(clean(program, &words, folder), &folder.join(output))
}

fn clean(program: &str, words: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .args(words)
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", folder)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null());
    command
}

fn run(mut command: Command, output: &Path) -> Result<Done, Trouble> {
    let finished = command.output()?;
    let status = finished.status;
    let made = fs::read(output).ok();
    if made.is_some() {
        fs::remove_file(output)?;
    }
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Ok(Done {
        code: status
            .code()
            .or(status.signal().map(|signal| 128 + signal))
            .unwrap_or(-1),
        stdout: text(&finished.stdout),
        stderr: text(&finished.stderr),
        output: made,
    })
}
