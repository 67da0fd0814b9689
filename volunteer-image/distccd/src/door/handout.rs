//! What a door gives, and the words that say which socket is which: `distccd-door/1 jobs statistics` and a newline.
//!
//! Doors are older than the volunteers behind them: this version must be understood for as long as there are such doors.

use std::fmt::Write;

/// The sockets that a door gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Handout<T> {
    /// Where jobs come from.
    pub(super) jobs: T,
    /// Where statistics are asked for, if the door is open for that.
    pub(super) statistics: Option<T>,
}

/// Sockets that come without words which make sense with them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotUnderstood {
    /// Other words, or too many of them.
    #[error("these are not the words of a door")]
    Foreign,
    /// The words of a later version.
    #[error("the door speaks version {0}, this daemon version {VERSION}")]
    Version(u32),
    /// Not one word for each socket.
    #[error("the door names {named} sockets and gives {given}")]
    Count {
        /// Words.
        named: usize,
        /// Sockets.
        given: usize,
    },
    /// A socket for nothing that is known here, or a second one for the same.
    #[error("the door gives a socket for something else than jobs and statistics")]
    Purpose,
    /// Nothing to accept jobs from.
    #[error("the door gives no socket for jobs")]
    NoJobs,
}

/// More than a door has to say.
pub(super) const MAX_BYTES: usize = 128;
/// As many as a door may give.
pub(super) const MAX_SOCKETS: usize = 2;

const VERSION: u32 = 1;
const NAME: &str = "distccd-door/";
const JOBS: &str = "jobs";
const STATISTICS: &str = "statistics";

impl<T> Handout<T> {
    /// What is said with the sockets.
    pub(super) fn words(&self) -> String {
        let mut words = format!("{NAME}{VERSION} {JOBS}");
        if self.statistics.is_some() {
            let _ = write!(words, " {STATISTICS}");
        }
        words.push('\n');
        words
    }

    /// The sockets in the order of the words.
    pub(super) fn sockets(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.jobs).chain(&self.statistics)
    }

    /// The same for what another process has said.
    pub(super) fn understand(words: &[u8], sockets: Vec<T>) -> Result<Self, NotUnderstood> {
        let named = purposes(words)?.count();
        let given = sockets.len();
        if named != given {
            return Err(NotUnderstood::Count { named, given });
        }
        let (mut jobs, mut statistics) = (None, None);
        for (purpose, socket) in purposes(words)?.zip(sockets) {
            let place = match purpose {
                JOBS => &mut jobs,
                STATISTICS => &mut statistics,
                _ => return Err(NotUnderstood::Purpose),
            };
            if place.replace(socket).is_some() {
                return Err(NotUnderstood::Purpose);
            }
        }
        Ok(Self {
            jobs: jobs.ok_or(NotUnderstood::NoJobs)?,
            statistics,
        })
    }
}

/// The words after the version.
fn purposes(words: &[u8]) -> Result<impl Iterator<Item = &str>, NotUnderstood> {
    if words.len() > MAX_BYTES {
        return Err(NotUnderstood::Foreign);
    }
    let text = std::str::from_utf8(words).map_err(|_not_text| NotUnderstood::Foreign)?;
    let line = text.strip_suffix('\n').ok_or(NotUnderstood::Foreign)?;
    let mut words = line.split(' ');
    let version = words.next().and_then(|name| name.strip_prefix(NAME));
    let version = version.and_then(|version| version.parse().ok());
    match version {
        Some(VERSION) => Ok(words),
        Some(other) => Err(NotUnderstood::Version(other)),
        None => Err(NotUnderstood::Foreign),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn understood(words: &str, sockets: &[u8]) -> Result<Handout<u8>, NotUnderstood> {
        Handout::understand(words.as_bytes(), sockets.to_vec())
    }

    #[test]
    fn what_a_door_says_is_understood() {
        for statistics in [None, Some(2)] {
            let given = Handout {
                jobs: 1,
                statistics,
            };
            let sockets: Vec<_> = given.sockets().copied().collect();
            let words = given.words();
            assert!(words.len() <= MAX_BYTES && sockets.len() <= MAX_SOCKETS);
            assert_eq!(understood(&words, &sockets), Ok(given));
        }
    }

    #[test]
    fn the_words_are_those_of_the_first_version_for_good() {
        let sockets = Handout {
            jobs: 1,
            statistics: Some(2),
        };
        assert_eq!(sockets.words(), "distccd-door/1 jobs statistics\n");
        let other_way_round = understood("distccd-door/1 statistics jobs\n", &[2, 1]);
        assert_eq!(other_way_round, Ok(sockets));
    }

    #[test]
    fn everything_else_is_told_apart() {
        use NotUnderstood::{Count, Foreign, NoJobs, Purpose, Version};
        let long = format!("distccd-door/1 {}\n", "x".repeat(MAX_BYTES));
        let count = |named, given| Count { named, given };
        let cases = [
            ("", &[][..], Foreign),
            ("distccd-door/1 jobs", &[1], Foreign),
            ("GET / HTTP/1.0\r\n", &[], Foreign),
            ("distccd-door/ jobs\n", &[1], Foreign),
            ("distccd-door/-1 jobs\n", &[1], Foreign),
            ("distccd-door/99999999999 jobs\n", &[1], Foreign),
            (&long, &[1], Foreign),
            ("distccd-door/2 jobs\n", &[1], Version(2)),
            ("distccd-door/0\n", &[], Version(0)),
            ("distccd-door/1\n", &[], NoJobs),
            ("distccd-door/1 statistics\n", &[1], NoJobs),
            ("distccd-door/1 jobs\n", &[], count(1, 0)),
            ("distccd-door/1 jobs\n", &[1, 2], count(1, 2)),
            ("distccd-door/1 jobs statistics\n", &[1], count(2, 1)),
            ("distccd-door/1 jobs jobs\n", &[1, 2], Purpose),
            ("distccd-door/1 jobs doors\n", &[1, 2], Purpose),
            ("distccd-door/1 jobs \n", &[1, 2], Purpose),
        ];
        for (words, sockets, expected) in cases {
            assert_eq!(understood(words, sockets), Err(expected), "{words:?}");
        }
        let not_text = Handout::understand(b"distccd-door/1 \xff\n", vec![1]);
        assert_eq!(not_text, Err(Foreign));
    }

    proptest! {
        #[test]
        fn no_words_are_too_much(words: Vec<u8>, sockets: Vec<u8>) {
            drop(Handout::understand(&words, sockets));
        }
    }
}
