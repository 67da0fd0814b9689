//! A command that has ended, on the host or in a container.

use std::fmt;

use anyhow::{Context, Result, bail};

/// What a command left behind. Its display is what a person wants to see when it was not what the test expects.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The command line, for people.
    pub command: String,
    /// The exit code; `128 + n` where signal `n` ended it.
    pub code: i64,
    /// Everything on its standard output.
    pub stdout: Vec<u8>,
    /// Everything on its standard error.
    pub stderr: Vec<u8>,
}

impl Finished {
    /// Itself, if the command ended with `code`.
    ///
    /// # Errors
    /// Another exit code; the message holds the command and its output.
    pub fn expect_code(self, code: i64) -> Result<Self> {
        if self.code != code {
            bail!("expected exit code {code}, got {self}");
        }
        Ok(self)
    }

    /// Itself, if the command ended well.
    ///
    /// # Errors
    /// See [`Self::expect_code`].
    pub fn success(self) -> Result<Self> {
        self.expect_code(0)
    }

    /// The standard output as text.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn stdout_text(&self) -> Result<&str> {
        str::from_utf8(&self.stdout).with_context(|| format!("the output is no text: {self}"))
    }

    /// The standard error as text.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn stderr_text(&self) -> Result<&str> {
        str::from_utf8(&self.stderr).with_context(|| format!("the output is no text: {self}"))
    }

    /// Checks that the standard error has a line that begins with `error: ` (or `hint: `) and contains `words`.
    ///
    /// # Errors
    /// There is no such line.
    pub fn says(&self, label: &str, words: &str) -> Result<()> {
        let prefix = format!("{label}: ");
        let found = self
            .stderr_text()?
            .lines()
            .any(|line| line.starts_with(&prefix) && line.contains(words));
        if !found {
            bail!("expected a line '{prefix}…{words}…' of {self}");
        }
        Ok(())
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} -> exit code {}", self.command, self.code)?;
        for (name, bytes) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            for line in String::from_utf8_lossy(bytes).lines() {
                writeln!(f, "  {name} | {line}")?;
            }
        }
        Ok(())
    }
}
