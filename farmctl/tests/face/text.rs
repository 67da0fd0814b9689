//! A run of farmctl as one text, without anything that differs between machines and moments.

use std::fmt;

/// How a command ended, and what it printed.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) command: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ farmctl {}", self.command)?;
        match self.code {
            Some(code) => writeln!(f, "exit code {code}")?,
            None => writeln!(f, "ended by a signal")?,
        }
        if !self.stdout.is_empty() {
            write!(f, "----- stdout -----\n{}", self.stdout)?;
        }
        if !self.stderr.is_empty() {
            write!(f, "----- stderr -----\n{}", in_order(&self.stderr))?;
        }
        Ok(())
    }
}

/// Steps run at the same time, and which one ends first is chance: their lines come first, sorted.
fn in_order(stderr: &str) -> String {
    let is_progress = |line: &&str| {
        let words = line.trim_start();
        let indented = words.len() < line.len();
        let ended = ["done ", "ready ", "stopped ", "failed "];
        (indented && ended.iter().any(|word| words.starts_with(word)))
            || line.starts_with("downloading ")
    };
    let (mut progress, others): (Vec<&str>, Vec<&str>) = stderr.lines().partition(is_progress);
    progress.sort_unstable();
    progress
        .into_iter()
        .chain(others)
        .flat_map(|line| [line, "\n"])
        .collect()
}

/// What is variable, and what stands for it.
pub(crate) const FILTERS: [(&str, &str); 9] = [
    (r"(farmctl/[a-z0-9_]+):[0-9a-f]{12,64}", "$1:[TAG]"),
    (r"sha256:[0-9a-f]{12,64}", "sha256:[DIGEST]"),
    (r"\b[0-9a-f]{64}\b", "[DIGEST]"),
    (r"c0ffee[0-9a-f]+", "[ID]"),
    (r"\(\d+ ms\)", "([TIME])"),
    (r"\b\d+(\.\d+)? (ms|s)\b", "[TIME]"),
    (r"\b\d+(\.\d+)? (B|KiB|MiB|GiB|kB|MB|GB)\b", "[SIZE]"),
    (r"pid \d+", "pid [PID]"),
    (r"farmctl \d+\.\d+\.\d+", "farmctl [VERSION]"),
];

/// Compares runs with the snapshot of this name.
macro_rules! assert_runs {
    ($name:expr, $($run:expr),+ $(,)?) => {{
        let text = [$($run.to_string()),+].join("\n");
        insta::with_settings!({
            filters => crate::text::FILTERS.to_vec(),
            prepend_module_to_snapshot => false,
            omit_expression => true,
            snapshot_path => "snapshots",
        }, {
            insta::assert_snapshot!($name, text);
        });
    }};
}
pub(crate) use assert_runs;
