//! Room for connections, and slots for compilers that jobs wait for.
//!
//! The two are counted apart: a client sends its arguments first and its source when its preprocessor is done, which
//! on a small board takes a while, and a slot should not stand idle for so long. Connections are taken as they come;
//! whose job gets the next slot [`queue`](super::queue) decides, and whether memory allows one [`memory`](super::memory).

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{self, Instant};

use super::memory::{Expected, Experience, Gauge, READINGS_AGE, Sources};
use super::queue::{Queue, Ticket};

/// Room for connections and for running compilers.
#[derive(Debug)]
pub(crate) struct Slots {
    connections: Arc<Semaphore>,
    compilers: Arc<Mutex<Compilers>>,
    patience: Duration,
}

/// Room for one connection, given back on drop.
#[derive(Debug)]
pub(crate) struct ConnectionPermit(
    #[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit,
);

/// Room for one running compiler, given back on drop.
#[derive(Debug)]
pub(crate) struct Slot {
    compilers: Arc<Mutex<Compilers>>,
    ticket: Ticket,
    client: IpAddr,
    name: String,
}

/// No slot for a job, and none soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Overload {
    /// Too many wait already.
    #[error("{waiting} jobs wait already")]
    Queue {
        /// As many as may.
        waiting: NonZeroUsize,
    },
    /// It waited too long.
    #[error("no slot became free within {} s", .waited.as_secs())]
    Wait {
        /// As long as it may.
        waited: Duration,
    },
}

/// Everything about compilers that run and jobs that wait.
#[derive(Debug)]
struct Compilers {
    queue: Queue,
    room: NonZeroUsize,
    memory: Gauge,
    experience: Experience,
    waiting: HashMap<Ticket, Waiting>,
    /// What runs, and since when.
    running: HashMap<Ticket, (Expected, Instant)>,
}

#[derive(Debug)]
struct Waiting {
    expected: Expected,
    /// Told when the job has its slot.
    called: oneshot::Sender<()>,
}

/// How many jobs run and wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) running: usize,
    pub(crate) waiting: usize,
}

/// What bounds the slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// Clients that send, wait or read.
    pub(crate) connections: NonZeroUsize,
    /// Compilers at once.
    pub(crate) jobs: NonZeroUsize,
    /// Jobs that wait for a slot.
    pub(crate) queue: NonZeroUsize,
    /// For how long they wait.
    pub(crate) patience: Duration,
}

impl Slots {
    /// As many slots as `room` says, while `memory` allows.
    pub(crate) fn new(room: Room, memory: Sources) -> Self {
        let connections = room.connections.get().min(Semaphore::MAX_PERMITS);
        let compilers = Compilers {
            queue: Queue::new(room.jobs, room.queue),
            room: room.queue,
            memory: Gauge::new(memory),
            experience: Experience::default(),
            waiting: HashMap::new(),
            running: HashMap::new(),
        };
        Self {
            connections: Arc::new(Semaphore::new(connections)),
            compilers: Arc::new(Mutex::new(compilers)),
            patience: room.patience,
        }
    }

    /// Waits for room for one more connection; to be held before it is accepted, so that clients wait in the kernel's
    /// queue instead of in our memory.
    pub(crate) async fn connection(&self) -> ConnectionPermit {
        let permit = Arc::clone(&self.connections).acquire_owned().await;
        ConnectionPermit(permit.expect("the semaphore is never closed"))
    }

    /// Waits for room for one more compiler, for a job of `client` whose source is called `name`.
    pub(crate) async fn compiler(&self, client: IpAddr, name: &str) -> Result<Slot, Overload> {
        let (slot, called) = self.arrive(client, name)?;
        let Some(mut called) = called else {
            return Ok(slot);
        };
        let has_slot = async {
            // Memory becomes free without anybody telling.
            while time::timeout(READINGS_AGE, &mut called).await.is_err() {
                lock(&self.compilers).start_jobs(Instant::now());
            }
        };
        let waited = self.patience;
        match time::timeout(waited, has_slot).await {
            Ok(()) => Ok(slot),
            Err(_elapsed) => Err(Overload::Wait { waited }),
        }
    }

    /// How many jobs run and wait at this moment.
    pub(crate) fn load(&self) -> Load {
        let compilers = lock(&self.compilers);
        Load {
            running: compilers.queue.running(),
            waiting: compilers.queue.waiting(),
        }
    }

    /// Whether the kernel has killed a process for memory since this was asked last.
    pub(crate) fn has_killed(&self) -> bool {
        lock(&self.compilers).memory.has_killed()
    }

    fn arrive(
        &self,
        client: IpAddr,
        name: &str,
    ) -> Result<(Slot, Option<oneshot::Receiver<()>>), Overload> {
        let mut compilers = lock(&self.compilers);
        let ticket = compilers
            .queue
            .arrive(client)
            .map_err(|_full| Overload::Queue {
                waiting: compilers.room,
            })?;
        let (called, receiver) = oneshot::channel();
        let expected = compilers.experience.expect(client, name);
        compilers
            .waiting
            .insert(ticket, Waiting { expected, called });
        compilers.start_jobs(Instant::now());
        let waits = !compilers.queue.is_running(ticket);
        drop(compilers);
        let slot = Slot {
            compilers: Arc::clone(&self.compilers),
            ticket,
            client,
            name: name.to_owned(),
        };
        Ok((slot, waits.then_some(receiver)))
    }
}

impl Compilers {
    /// Gives free slots to the jobs whose turn it is, as far as memory allows. One job may always run.
    fn start_jobs(&mut self, now: Instant) {
        while let Some(ticket) = self.queue.next() {
            let next = self.waiting.get(&ticket);
            let expected = next.map_or(Expected::UNKNOWN, |job| job.expected);
            if self.queue.running() > 0 && !self.fits(expected, now) {
                return;
            }
            self.queue.start_next();
            self.running.insert(ticket, (expected, now));
            if let Some(job) = self.waiting.remove(&ticket) {
                // Who does not listen any more is about to leave.
                let _ = job.called.send(());
            }
        }
    }

    fn fits(&mut self, expected: Expected, now: Instant) -> bool {
        let growing = self.running.values().map(|(expected, started)| {
            expected.growth_bytes(now.saturating_duration_since(*started))
        });
        let growth_bytes = growing.fold(expected.peak_bytes, u64::saturating_add);
        self.memory.read(now).allow(growth_bytes)
    }

    fn leave(&mut self, ticket: Ticket) {
        self.queue.leave(ticket);
        self.waiting.remove(&ticket);
        self.running.remove(&ticket);
        self.start_jobs(Instant::now());
    }
}

impl Slot {
    /// Remembers what the job needed, for its successors.
    pub(crate) fn learn(&self, peak_bytes: u64, wall: Duration) {
        let needed = Expected { peak_bytes, wall };
        lock(&self.compilers)
            .experience
            .learn(self.client, &self.name, needed);
    }
}

impl Drop for Slot {
    /// Also of a job that still waits: it leaves the queue.
    fn drop(&mut self) {
        lock(&self.compilers).leave(self.ticket);
    }
}

fn lock(compilers: &Mutex<Compilers>) -> MutexGuard<'_, Compilers> {
    // Nothing in here panics half-way; a panic elsewhere does not matter.
    compilers.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::*;

    const GIB: u64 = 1 << 30;

    fn client(number: u8) -> IpAddr {
        [10, 0, 0, number].into()
    }

    fn count(number: usize) -> NonZeroUsize {
        NonZeroUsize::new(number).unwrap()
    }

    /// A machine with this much memory left, and slots on it.
    fn slots(jobs: usize, queue: usize, available_bytes: u64) -> (tempfile::TempDir, Slots) {
        let machine = tempfile::tempdir().unwrap();
        std::fs::create_dir(machine.path().join("proc")).unwrap();
        leave_bytes(&machine, available_bytes);
        let room = Room {
            connections: count(1),
            jobs: count(jobs),
            queue: count(queue),
            patience: Duration::from_secs(10),
        };
        let slots = Slots::new(room, Sources::below(machine.path()));
        (machine, slots)
    }

    fn leave_bytes(machine: &tempfile::TempDir, available_bytes: u64) {
        let text = format!("MemAvailable: {} kB\n", available_bytes / 1024);
        std::fs::write(machine.path().join("proc/meminfo"), text).unwrap();
    }

    fn running_and_waiting(slots: &Slots) -> (usize, usize) {
        let Load { running, waiting } = slots.load();
        (running, waiting)
    }

    fn has_ended<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
        match Pin::new(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }

    #[tokio::test]
    async fn a_slot_that_is_given_back_goes_to_the_client_whose_turn_it_is() {
        let (_machine, slots) = slots(1, 10, 16 * GIB);
        let running = slots.compiler(client(1), "a.c").await.unwrap();
        let mut same = pin!(slots.compiler(client(1), "b.c"));
        let mut again = pin!(slots.compiler(client(1), "c.c"));
        let mut other = pin!(slots.compiler(client(2), "d.c"));
        for waiting in [&mut same, &mut again, &mut other] {
            assert!(has_ended(waiting).is_none());
        }
        assert_eq!(running_and_waiting(&slots), (1, 3));
        drop(running);
        let second = same.await.unwrap();
        drop(second);
        assert!(has_ended(&mut again).is_none());
        drop(other.await.unwrap());
        drop(again.await.unwrap());
        assert_eq!(running_and_waiting(&slots), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_waits_too_long_or_for_too_many_is_told_so() {
        let (_machine, slots) = slots(1, 1, 16 * GIB);
        let running = slots.compiler(client(1), "a.c").await.unwrap();
        let mut waiting = pin!(slots.compiler(client(1), "b.c"));
        assert!(has_ended(&mut waiting).is_none());
        let full = slots.compiler(client(2), "c.c").await.unwrap_err();
        assert_eq!(full.to_string(), "1 jobs wait already");
        let late = waiting.await.unwrap_err();
        assert_eq!(late.to_string(), "no slot became free within 10 s");
        assert_eq!(running_and_waiting(&slots), (1, 0));
        drop(running);
        assert!(slots.compiler(client(2), "c.c").await.is_ok());
    }

    #[tokio::test]
    async fn a_job_that_stops_waiting_leaves_the_queue_even_if_it_was_just_called() {
        let (_machine, slots) = slots(1, 10, 16 * GIB);
        let running = slots.compiler(client(1), "a.c").await.unwrap();
        {
            let mut waiting = pin!(slots.compiler(client(1), "b.c"));
            assert!(has_ended(&mut waiting).is_none());
            drop(running);
            assert_eq!(running_and_waiting(&slots), (1, 0));
        }
        assert_eq!(running_and_waiting(&slots), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn while_memory_is_short_one_job_runs_and_the_others_wait_until_there_is_room() {
        let (machine, slots) = slots(4, 10, GIB / 16);
        let first = slots.compiler(client(1), "a.c").await.unwrap();
        let mut second = pin!(slots.compiler(client(1), "b.c"));
        assert!(has_ended(&mut second).is_none());
        leave_bytes(&machine, 16 * GIB);
        let second = second.await.unwrap();
        drop((first, second));
        leave_bytes(&machine, 0);
        assert!(slots.compiler(client(1), "a.c").await.is_ok());
    }

    #[tokio::test]
    async fn jobs_that_were_heavy_are_expected_to_be_heavy_again() {
        let (_machine, slots) = slots(4, 10, 4 * GIB);
        for name in ["big.cc", "huge.cc"] {
            let slot = slots.compiler(client(1), name).await.unwrap();
            slot.learn(3 * GIB, Duration::from_hours(1));
        }
        let big = slots.compiler(client(1), "big.cc").await.unwrap();
        let mut huge = pin!(slots.compiler(client(2), "huge.cc"));
        assert!(has_ended(&mut huge).is_none());
        drop(big);
        assert!(huge.await.is_ok());
    }
}
