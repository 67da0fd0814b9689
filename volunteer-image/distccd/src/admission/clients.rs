//! How many connections each client address has, so that one client does not take them all.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many connections of a client may be in the middle of being refused; any more are closed at once.
const REFUSALS: usize = 8;

/// The connections of all clients.
#[derive(Debug)]
pub(crate) struct Clients {
    limit: NonZeroUsize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection of a client, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    clients: Arc<Clients>,
    client: IpAddr,
    over_limit: bool,
}

impl Clients {
    /// Each client may have `limit` connections.
    pub(crate) fn new(limit: NonZeroUsize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            open: Mutex::default(),
        })
    }

    /// Counts one more connection of `client`; `None` if it has far too many.
    pub(crate) fn enter(self: &Arc<Self>, client: IpAddr) -> Option<Place> {
        let mut open = self.open();
        let count = open.entry(client).or_default();
        if *count >= self.limit.get().saturating_add(REFUSALS) {
            return None;
        }
        *count += 1;
        Some(Place {
            clients: Arc::clone(self),
            client,
            over_limit: *count > self.limit.get(),
        })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // Whole after every statement, so a panic elsewhere does not matter.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The limit, if this connection exceeds it and is to be refused.
    pub(crate) fn exceeds(&self) -> Option<NonZeroUsize> {
        self.over_limit.then_some(self.clients.limit)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = self.clients.open().entry(self.client) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_own_limit_and_is_told_for_a_while() {
        let clients = Clients::new(NonZeroUsize::new(2).unwrap());
        let [first, second] = [[10, 0, 0, 1], [10, 0, 0, 2]].map(IpAddr::from);
        let mut places: Vec<_> = (0..2 + REFUSALS).map(|_| clients.enter(first)).collect();
        let refused = |place: &Option<Place>| place.as_ref().unwrap().exceeds().is_some();
        assert!(!refused(&places[0]) && !refused(&places[1]));
        assert!(places[2..].iter().all(refused));
        assert!(clients.enter(first).is_none());
        assert!(!refused(&clients.enter(second)));
        places.truncate(1);
        assert!(!refused(&clients.enter(first)));
        places.clear();
        assert!(clients.open().is_empty());
    }
}
