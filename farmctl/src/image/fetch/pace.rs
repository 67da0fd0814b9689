//! Whether a download goes on at a speed that leads anywhere.

use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_mins(1);
/// 1 KiB/s: slower than any line that somebody would download compilers over.
const MIN_BYTES: u64 = 60 << 10;

/// Watches one connection: a server that sends a byte now and then never goes silent and never ends.
pub(super) struct Pace {
    window_began: Instant,
    bytes: u64,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            window_began: now,
            bytes: 0,
        }
    }

    /// Takes note of bytes that came; tells whether that is still fast enough.
    pub(super) fn keeps_up(&mut self, bytes: usize, now: Instant) -> bool {
        self.bytes += bytes as u64;
        if now.duration_since(self.window_began) < WINDOW {
            return true;
        }
        let enough = self.bytes >= MIN_BYTES;
        *self = Self::new(now);
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trickle_is_too_slow_and_a_slow_line_is_not() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut trickle = Pace::new(begun);
        assert!((0..60).all(|second| trickle.keeps_up(1, at(second))));
        assert!(!trickle.keeps_up(1, at(60)));

        let mut slow_line = Pace::new(begun);
        assert!((0..600).all(|second| slow_line.keeps_up(2 << 10, at(second))));
    }

    #[test]
    fn every_window_counts_by_itself() {
        let begun = Instant::now();
        let mut pace = Pace::new(begun);
        assert!(pace.keeps_up(100 << 20, begun + WINDOW));
        assert!(pace.keeps_up(1, begun + WINDOW + WINDOW / 2));
        assert!(!pace.keeps_up(1, begun + 2 * WINDOW));
    }
}
