//! Many clients at once.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::exchange::{Prepared, Verdict};

/// So many jobs by so many clients, each of which sends its next job when it has the reply to its last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Clients at once.
    pub connections: usize,
    /// Jobs of all clients together.
    pub jobs: usize,
}

/// How it went.
#[derive(Debug, Clone, Default)]
pub struct Done {
    /// From the first connection to the last reply.
    pub wall: Duration,
    /// From connection to reply, of every job that ended as expected, shortest first.
    pub latencies: Vec<Duration>,
    /// Jobs that did not.
    pub failed: usize,
}

impl Load {
    /// Sends `request` as often as this says, and counts the replies that are as `expected`.
    pub fn run(self, address: SocketAddr, request: &Prepared, expected: Verdict) -> Done {
        let begun = Instant::now();
        let taken = AtomicUsize::new(0);
        let mut done = thread::scope(|scope| {
            let clients: Vec<_> = (0..self.connections)
                .map(|_| scope.spawn(|| client(self.jobs, &taken, address, (request, expected))))
                .collect();
            let results = clients.into_iter().map(|client| {
                let panicked = "a client cannot panic";
                client.join().expect(panicked)
            });
            results.fold(Done::default(), Done::and)
        });
        done.wall = begun.elapsed();
        done.latencies.sort_unstable();
        done
    }
}

/// Takes one job after the other until `jobs` are taken.
fn client(
    jobs: usize,
    taken: &AtomicUsize,
    address: SocketAddr,
    (request, expected): (&Prepared, Verdict),
) -> Done {
    let mut done = Done::default();
    let mut scratch = Vec::new();
    while taken.fetch_add(1, Ordering::Relaxed) < jobs {
        let begun = Instant::now();
        if request.exchange(address, &mut scratch) == expected {
            done.latencies.push(begun.elapsed());
        } else {
            done.failed += 1;
        }
    }
    done
}

impl Done {
    fn and(mut self, other: Self) -> Self {
        self.latencies.extend(other.latencies);
        self.failed += other.failed;
        self
    }

    /// The latency that this share of all jobs did not exceed.
    pub fn percentile(&self, share: f64) -> Duration {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "a share from 0 to 1 of a count that fits memory"
        )]
        let position = (self.latencies.len() as f64 * share).ceil() as usize;
        let position = position.saturating_sub(1);
        self.latencies.get(position).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_latency_that_was_measured() {
        let done = Done {
            latencies: (1..=200).map(Duration::from_millis).collect(),
            ..Done::default()
        };
        for (share, expected) in [(0.0, 1), (0.5, 100), (0.99, 198), (1.0, 200)] {
            assert_eq!(done.percentile(share), Duration::from_millis(expected));
        }
        assert_eq!(Done::default().percentile(0.5), Duration::ZERO);
    }
}
