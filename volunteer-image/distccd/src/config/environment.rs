//! The environment variables that the stock daemon reads, and what they mean here.
//!
//! `DISTCC_TCP_CORK` and `DISTCC_TCP_DEFER_ACCEPT` are checked and change nothing: replies are written in few large
//! pieces, and a connection without a request costs next to nothing. `TMPDIR` is read where directories are made.

use std::env;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::BadValue;

/// The variables as they are written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    pub(super) path: Option<OsString>,
    pub(super) own_path: Option<OsString>,
    pub(super) list: Option<OsString>,
    pub(super) list_words: Option<OsString>,
    pub(super) save_temps: Option<OsString>,
    pub(super) io_timeout: Option<OsString>,
    pub(super) cork: Option<OsString>,
    pub(super) defer_accept: Option<OsString>,
}

/// Where compilers are looked for when nothing else is said.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

impl Environment {
    /// Those of this process.
    pub(crate) fn read() -> Self {
        Self {
            path: env::var_os("PATH"),
            own_path: env::var_os("DISTCCD_PATH"),
            list: env::var_os("DISTCC_CMDLIST"),
            list_words: env::var_os("DISTCC_CMDLIST_NUMWORDS"),
            save_temps: env::var_os("DISTCC_SAVE_TEMPS"),
            io_timeout: env::var_os("DISTCC_IO_TIMEOUT"),
            cork: env::var_os("DISTCC_TCP_CORK"),
            defer_accept: env::var_os("DISTCC_TCP_DEFER_ACCEPT"),
        }
    }

    /// Where compilers are looked for.
    pub(super) fn search_path(&self) -> OsString {
        let named = self.own_path.clone().or_else(|| self.path.clone());
        named.unwrap_or_else(|| DEFAULT_PATH.into())
    }

    /// The list of compilers that jobs may use, and how many of the last components of a path must be the same.
    pub(super) fn list(&self, bad: &mut Vec<BadValue>) -> Option<(PathBuf, NonZeroUsize)> {
        let meaning =
            "how many of the last components of a compiler's path must be the same, at least 1";
        let components = read(
            "DISTCC_CMDLIST_NUMWORDS",
            self.list_words.as_ref(),
            meaning,
            bad,
        );
        let list = self.list.clone().map(PathBuf::from)?;
        Some((list, components.unwrap_or(NonZeroUsize::MIN)))
    }

    /// Whether the directories of jobs stay.
    pub(super) fn keep_jobs(&self, bad: &mut Vec<BadValue>) -> bool {
        for (name, value) in [
            ("DISTCC_TCP_CORK", &self.cork),
            ("DISTCC_TCP_DEFER_ACCEPT", &self.defer_accept),
        ] {
            switch(name, value.as_ref(), bad);
        }
        switch("DISTCC_SAVE_TEMPS", self.save_temps.as_ref(), bad)
    }

    /// How long a client may send nothing, or read nothing.
    pub(super) fn idle(&self, bad: &mut Vec<BadValue>) -> Option<Duration> {
        let meaning = "seconds without a byte, at least 1";
        let seconds: NonZeroUsize =
            read("DISTCC_IO_TIMEOUT", self.io_timeout.as_ref(), meaning, bad)?;
        Some(Duration::from_secs(seconds.get() as u64))
    }
}

/// The stock programs take exactly `0` and `1`.
fn switch(name: &str, value: Option<&OsString>, bad: &mut Vec<BadValue>) -> bool {
    let meaning = "0 or 1";
    let number: Option<u8> = read(name, value, meaning, bad);
    if number > Some(1) {
        let text = value.map(|text| text.to_string_lossy()).unwrap_or_default();
        bad.push(BadValue::new(name, &text, meaning));
    }
    number == Some(1)
}

fn read<T: std::str::FromStr>(
    name: &str,
    value: Option<&OsString>,
    meaning: &str,
    bad: &mut Vec<BadValue>,
) -> Option<T> {
    let text = value?.to_string_lossy();
    super::value(name, &text, meaning, bad)
}
