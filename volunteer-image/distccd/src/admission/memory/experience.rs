//! What heavy jobs needed, so that their successors are expected to need the same.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::Duration;

/// What a job is expected to need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The largest resident set.
    pub(crate) peak_bytes: u64,
    /// The time until it has grown to that.
    pub(crate) wall: Duration,
}

impl Expected {
    /// A job of which nothing is known: most compiles of C need less, and those that need more are learnt.
    pub(crate) const UNKNOWN: Self = Self {
        peak_bytes: HEAVY_BYTES / 2,
        wall: Duration::from_secs(1),
    };

    /// How much it still grows after it has run for `elapsed`: compilers grow steadily.
    pub(crate) fn growth_bytes(&self, elapsed: Duration) -> u64 {
        let wall = self.wall.as_millis().max(1);
        let left = wall.saturating_sub(elapsed.as_millis());
        u64::try_from(u128::from(self.peak_bytes) * left / wall).unwrap_or(u64::MAX)
    }
}

/// Jobs with more than this are worth remembering.
const HEAVY_BYTES: u64 = 128 << 20;

/// How many are remembered, each twice: for its client and for everybody.
const ENTRIES: usize = 2048;

/// Heavy jobs by the name of their source, for each client and for all together.
///
/// Bounded: when it is full, it starts anew, and one build fills it again.
#[derive(Debug, Default)]
pub(crate) struct Experience {
    heavy: HashMap<u64, Expected>,
    hasher: RandomState,
}

impl Experience {
    /// What a job of `client` with a source called `name` is expected to need.
    pub(crate) fn expect(&self, client: IpAddr, name: &str) -> Expected {
        let [own, any] = self.keys(client, name);
        let known = self.heavy.get(&own).or_else(|| self.heavy.get(&any));
        known.copied().unwrap_or(Expected::UNKNOWN)
    }

    /// Notes what a job needed.
    pub(crate) fn learn(&mut self, client: IpAddr, name: &str, needed: Expected) {
        let keys = self.keys(client, name);
        if needed.peak_bytes <= HEAVY_BYTES {
            self.heavy.remove(&keys[0]);
            return;
        }
        if self.heavy.len() >= ENTRIES {
            self.heavy.clear();
        }
        self.heavy.extend(keys.map(|key| (key, needed)));
    }

    /// Two names with the same key are mistaken for each other, which costs a moment of waiting at worst.
    fn keys(&self, client: IpAddr, name: &str) -> [u64; 2] {
        [
            self.hasher.hash_one((client, name)),
            self.hasher.hash_one(name),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn client(number: u8) -> IpAddr {
        [10, 0, 0, number].into()
    }

    fn needed(peak_bytes: u64) -> Expected {
        let wall = Duration::from_secs(40);
        Expected { peak_bytes, wall }
    }

    #[test]
    fn heavy_jobs_are_remembered_for_their_client_first() {
        let mut experience = Experience::default();
        let expect = |experience: &Experience, number, name| {
            experience.expect(client(number), name).peak_bytes
        };
        experience.learn(client(1), "big.cc", needed(GIB));
        experience.learn(client(2), "big.cc", needed(2 * GIB));
        experience.learn(client(1), "small.c", needed(1 << 20));
        assert_eq!(expect(&experience, 1, "big.cc"), GIB);
        assert_eq!(expect(&experience, 2, "big.cc"), 2 * GIB);
        assert_eq!(expect(&experience, 3, "big.cc"), 2 * GIB);
        let unknown = Expected::UNKNOWN.peak_bytes;
        assert_eq!(expect(&experience, 1, "small.c"), unknown);
        assert_eq!(expect(&experience, 1, "other.cc"), unknown);
    }

    #[test]
    fn a_job_that_became_light_is_forgotten_for_its_client() {
        let mut experience = Experience::default();
        experience.learn(client(1), "config.h.cc", needed(GIB));
        experience.learn(client(1), "config.h.cc", needed(2 << 20));
        experience.learn(client(1), "config.h.cc", needed(GIB / 2));
        assert_eq!(
            experience.expect(client(1), "config.h.cc").peak_bytes,
            GIB / 2
        );
    }

    #[test]
    fn memory_of_jobs_is_bounded() {
        let mut experience = Experience::default();
        for number in 0..3 * ENTRIES {
            experience.learn(client(1), &number.to_string(), needed(GIB));
            assert!(experience.heavy.len() <= ENTRIES + 1);
        }
        let last = (3 * ENTRIES - 1).to_string();
        assert_eq!(experience.expect(client(1), &last).peak_bytes, GIB);
    }

    #[test]
    fn a_job_grows_until_it_has_run_as_long_as_its_predecessor() {
        let cases = [(0, 1000), (10, 750), (39, 25), (40, 0), (100, 0)];
        for (seconds, expected) in cases {
            let left = needed(1000).growth_bytes(Duration::from_secs(seconds));
            assert_eq!(left, expected, "after {seconds} s");
        }
        let at_once = Expected {
            peak_bytes: 7,
            wall: Duration::ZERO,
        };
        assert_eq!(at_once.growth_bytes(Duration::ZERO), 7);
    }
}
