//! The jobs of a soak: for the most part good ones, then such that fail, then clients that leave.

use std::io::Write;
use std::net::SocketAddr;

use anyhow::{Result, ensure};
use distcc_wire::Version;

use crate::exchange::{Prepared, Verdict, connect};
use crate::source::Source;

/// Every job of a soak, by its number.
#[derive(Debug)]
pub(crate) struct Errands {
    good: [Prepared; 2],
    failing: [Prepared; 2],
}

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errand {
    /// Wants an object.
    Good,
    /// Wants the compiler's complaint.
    Failing,
    /// Leaves after so many of the request's bytes, of this many parts.
    HangUp { parts: usize, of: usize },
}

/// Of ten jobs eight are good, one fails and one is left alone.
const ROUND: usize = 10;

/// Nothing, a part of the arguments, most of the source, all of the request.
const HANG_UPS: [(usize, usize); 4] = [(0, 1), (1, 8), (7, 8), (1, 1)];

/// Enough for more than one piece, so that there is a middle to leave in.
const SOURCE_BYTES: usize = 20_000;

impl Errands {
    /// Encodes the requests.
    ///
    /// # Errors
    /// They do not fit the protocol.
    pub(crate) fn new() -> Result<Self> {
        let source = Source::small().repeated(SOURCE_BYTES);
        let both = |more: &[&str]| -> Result<[Prepared; 2]> {
            let prepared = |version| Prepared::new(&source.request(version, more));
            Ok([prepared(Version::Plain)?, prepared(Version::Lzo)?])
        };
        Ok(Self {
            good: both(&[])?,
            failing: both(&["-fnull=fail"])?,
        })
    }

    /// Does errand `number`.
    ///
    /// # Errors
    /// It did not end as it should have.
    pub(crate) fn run(
        &self,
        number: usize,
        address: SocketAddr,
        scratch: &mut Vec<u8>,
    ) -> Result<()> {
        let version = number / ROUND % 2;
        let (good, failing) = (&self.good[version], &self.failing[version]);
        let (request, expected) = match errand(number) {
            Errand::Good => (good, Verdict::Compiled),
            Errand::Failing => (failing, Verdict::Failed),
            Errand::HangUp { parts, of } => {
                let bytes = good.bytes();
                let sent = &bytes[..bytes.len() * parts / of];
                // The daemon may have closed first; either way the connection ends here.
                drop(connect(address).and_then(|mut stream| stream.write_all(sent)));
                return Ok(());
            }
        };
        let verdict = request.exchange(address, scratch);
        ensure!(
            verdict == expected,
            "job {number} should be {expected:?} and is {verdict:?}"
        );
        Ok(())
    }
}

fn errand(number: usize) -> Errand {
    match number % ROUND {
        8 => Errand::Failing,
        9 => {
            let (parts, of) = HANG_UPS[number / ROUND / 2 % HANG_UPS.len()];
            Errand::HangUp { parts, of }
        }
        _ => Errand::Good,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_client_is_there() {
        let kinds: Vec<_> = (0..100).map(errand).collect();
        let count = |kind| kinds.iter().filter(|its| **its == kind).count();
        assert_eq!((count(Errand::Good), count(Errand::Failing)), (80, 10));
        for (parts, of) in HANG_UPS {
            assert!(count(Errand::HangUp { parts, of }) >= 2);
        }
    }
}
