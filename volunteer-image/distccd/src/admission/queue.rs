//! Which waiting job is next: clients take turns, each with its oldest job.
//!
//! A client with a hundred jobs in the queue delays another's first job by one turn, not by a hundred. Pure: what time
//! it is and who waits for an answer is the business of [`slots`](super::slots).

use std::collections::{HashSet, VecDeque};
use std::net::IpAddr;
use std::num::NonZeroUsize;

/// A job from its arrival until it leaves; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// The queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// Jobs that wait for a slot, and those that have one.
#[derive(Debug)]
pub(crate) struct Queue {
    slots: NonZeroUsize,
    room: NonZeroUsize,
    issued: u64,
    running: HashSet<Ticket>,
    /// Clients with waiting jobs; whose turn it is comes first. No line is empty.
    lines: VecDeque<Line>,
}

#[derive(Debug)]
struct Line {
    client: IpAddr,
    jobs: VecDeque<Ticket>,
}

impl Queue {
    /// For `slots` running jobs and `room` waiting ones.
    pub(crate) fn new(slots: NonZeroUsize, room: NonZeroUsize) -> Self {
        Self {
            slots,
            room,
            issued: 0,
            running: HashSet::new(),
            lines: VecDeque::new(),
        }
    }

    /// Puts a job of `client` in the queue.
    pub(crate) fn arrive(&mut self, client: IpAddr) -> Result<Ticket, Full> {
        if self.waiting() >= self.room.get() {
            return Err(Full);
        }
        let ticket = Ticket(self.issued);
        self.issued += 1;
        match self.lines.iter_mut().find(|line| line.client == client) {
            Some(line) => line.jobs.push_back(ticket),
            None => self.lines.push_back(Line {
                client,
                jobs: VecDeque::from([ticket]),
            }),
        }
        Ok(ticket)
    }

    /// The job whose turn it is, if a slot is free.
    pub(crate) fn next(&self) -> Option<Ticket> {
        let free = self.running.len() < self.slots.get();
        let line = self.lines.front().filter(|_| free)?;
        line.jobs.front().copied()
    }

    /// Gives a slot to the job whose turn it is.
    pub(crate) fn start_next(&mut self) {
        let Some(ticket) = self.next() else { return };
        self.running.insert(ticket);
        if let Some(mut line) = self.lines.pop_front() {
            line.jobs.pop_front();
            if !line.jobs.is_empty() {
                self.lines.push_back(line);
            }
        }
    }

    /// A job has ended, or does not wait any longer.
    pub(crate) fn leave(&mut self, ticket: Ticket) {
        if self.running.remove(&ticket) {
            return;
        }
        for line in &mut self.lines {
            line.jobs.retain(|waiting| *waiting != ticket);
        }
        self.lines.retain(|line| !line.jobs.is_empty());
    }

    /// Whether a job has a slot.
    pub(crate) fn is_running(&self, ticket: Ticket) -> bool {
        self.running.contains(&ticket)
    }

    /// How many jobs have a slot.
    pub(crate) fn running(&self) -> usize {
        self.running.len()
    }

    /// How many jobs wait for one.
    pub(crate) fn waiting(&self) -> usize {
        self.lines.iter().map(|line| line.jobs.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn client(number: u8) -> IpAddr {
        [10, 0, 0, number].into()
    }

    fn queue(slots: usize, room: usize) -> Queue {
        Queue::new(
            NonZeroUsize::new(slots).unwrap(),
            NonZeroUsize::new(room).unwrap(),
        )
    }

    fn start_all(queue: &mut Queue) -> Vec<Ticket> {
        let mut started = Vec::new();
        while let Some(ticket) = queue.next() {
            queue.start_next();
            queue.leave(ticket);
            started.push(ticket);
        }
        started
    }

    #[test]
    fn clients_take_turns_and_each_keeps_its_own_order() {
        let mut queue = queue(1, 10);
        let tickets = [1, 1, 1, 2, 3, 2].map(|number| queue.arrive(client(number)).unwrap());
        let order = [0, 3, 4, 1, 5, 2].map(|position: usize| tickets[position]);
        assert_eq!(start_all(&mut queue), order);
    }

    #[test]
    fn a_full_queue_takes_nobody_until_somebody_leaves() {
        let mut queue = queue(1, 2);
        let running = queue.arrive(client(1)).unwrap();
        queue.start_next();
        let waiting = queue.arrive(client(1)).unwrap();
        queue.arrive(client(2)).unwrap();
        assert_eq!(queue.arrive(client(3)), Err(Full));
        assert_eq!(queue.next(), None);
        queue.leave(waiting);
        assert_eq!((queue.running(), queue.waiting()), (1, 1));
        assert!(queue.arrive(client(3)).is_ok());
        queue.leave(running);
        assert_eq!(start_all(&mut queue).len(), 2);
    }

    proptest! {
        /// Whatever happens, slots and room are kept, nobody is lost, and whoever waits sees every other client served
        /// at most once before it is served itself.
        #[test]
        fn every_job_runs_once_and_no_client_overtakes_another(
            steps in prop::collection::vec((0..3_u8, 1..5_u8), 0..200),
        ) {
            let mut queue = queue(3, 20);
            let mut running = Vec::new();
            let mut waiting: HashMap<Ticket, IpAddr> = HashMap::new();
            let mut overtaken: HashSet<(IpAddr, IpAddr)> = HashSet::new();
            for (step, number) in steps {
                match step {
                    0 => {
                        let arrived = queue.arrive(client(number));
                        prop_assert_eq!(arrived.is_ok(), waiting.len() < 20);
                        waiting.extend(arrived.ok().map(|ticket| (ticket, client(number))));
                    }
                    1 => {
                        let next = queue.next();
                        prop_assert_eq!(next.is_some(), running.len() < 3 && !waiting.is_empty());
                        let Some(ticket) = next else { continue };
                        queue.start_next();
                        prop_assert!(queue.is_running(ticket));
                        running.push(ticket);
                        let served = waiting.remove(&ticket).unwrap();
                        overtaken.retain(|(client, _)| *client != served);
                        let others: HashSet<_> = waiting.values().filter(|other| **other != served).collect();
                        for other in others {
                            prop_assert!(overtaken.insert((*other, served)), "{other} waits, {served} was served twice");
                        }
                    }
                    _ if running.is_empty() => {}
                    _ => queue.leave(running.swap_remove(usize::from(number) % running.len())),
                }
                prop_assert_eq!((queue.running(), queue.waiting()), (running.len(), waiting.len()));
            }
        }
    }
}
