//! What is remembered of clients: their compiler, and how often another version stood in for it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{ClientCompiler, ClientVersion};

/// The clients of this daemon. Bounded: the one not heard of for longest is forgotten first.
#[derive(Debug, Default)]
pub(crate) struct Acquaintances {
    known: Mutex<Known>,
}

/// Clients, and pairs of client and version, that are remembered.
const ENTRIES: usize = 1024;

#[derive(Debug, Default)]
struct Known {
    /// Counts what was noted, in order.
    moment: u64,
    compilers: HashMap<IpAddr, Seen<ClientCompiler>>,
    /// Jobs whose compiler had another major version than the client's.
    skewed: HashMap<(IpAddr, ClientVersion), Seen<u64>>,
}

#[derive(Debug)]
struct Seen<T> {
    moment: u64,
    what: T,
}

impl Acquaintances {
    /// Notes that `client` has `compiler`.
    pub(crate) fn note(&self, client: IpAddr, compiler: &ClientCompiler) {
        let mut known = self.known();
        let moment = known.next_moment();
        let what = compiler.clone();
        known.compilers.insert(client, Seen { moment, what });
        forget_oldest(&mut known.compilers);
    }

    /// The compiler that `client` had last.
    pub(crate) fn recall(&self, client: IpAddr) -> Option<ClientCompiler> {
        let known = self.known();
        known.compilers.get(&client).map(|seen| seen.what.clone())
    }

    /// Counts a job of `client`, whose compiler is `version`, that another major version compiles. Returns how many
    /// there were, this one included.
    pub(crate) fn count_skewed(&self, client: IpAddr, version: &ClientVersion) -> u64 {
        let mut known = self.known();
        let moment = known.next_moment();
        let count = match known.skewed.entry((client, version.clone())) {
            Entry::Occupied(mut entry) => {
                let seen = entry.get_mut();
                seen.moment = moment;
                seen.what += 1;
                seen.what
            }
            Entry::Vacant(entry) => {
                entry.insert(Seen { moment, what: 1 });
                1
            }
        };
        forget_oldest(&mut known.skewed);
        count
    }

    /// Every client and version whose jobs another major version compiled, and how many jobs; in no order.
    pub(crate) fn skewed(&self) -> Vec<(IpAddr, ClientVersion, u64)> {
        let known = self.known();
        let counts = known.skewed.iter();
        counts
            .map(|((client, version), seen)| (*client, version.clone(), seen.what))
            .collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Whole after every statement, so a panic elsewhere does not matter.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn next_moment(&mut self) -> u64 {
        self.moment += 1;
        self.moment
    }
}

fn forget_oldest<K: Clone + Eq + Hash, T>(entries: &mut HashMap<K, Seen<T>>) {
    if entries.len() <= ENTRIES {
        return;
    }
    let oldest = entries.iter().min_by_key(|(_, seen)| seen.moment);
    if let Some(key) = oldest.map(|(key, _)| key.clone()) {
        entries.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn gcc(major: u32) -> ClientCompiler {
        let full = major.to_string();
        ClientCompiler {
            version: ClientVersion::Gcc { major, full },
            triple: None,
        }
    }

    fn client(number: usize) -> IpAddr {
        Ipv4Addr::from(u32::try_from(number).unwrap()).into()
    }

    #[test]
    fn the_compiler_seen_last_is_remembered_for_each_client() {
        let known = Acquaintances::default();
        known.note(client(1), &gcc(12));
        known.note(client(2), &gcc(13));
        known.note(client(1), &gcc(14));
        assert_eq!(known.recall(client(1)), Some(gcc(14)));
        assert_eq!(known.recall(client(2)), Some(gcc(13)));
        assert_eq!(known.recall(client(3)), None);
    }

    #[test]
    fn the_client_not_heard_of_for_longest_is_forgotten() {
        let known = Acquaintances::default();
        for number in 0..ENTRIES {
            known.note(client(number), &gcc(12));
            known.count_skewed(client(number), &gcc(12).version);
        }
        known.note(client(0), &gcc(13));
        known.count_skewed(client(0), &gcc(12).version);
        known.note(client(ENTRIES), &gcc(14));
        known.count_skewed(client(ENTRIES), &gcc(14).version);
        assert_eq!(known.recall(client(1)), None);
        assert_eq!(known.recall(client(0)), Some(gcc(13)));
        assert_eq!(known.skewed().len(), ENTRIES);
        assert_eq!(known.count_skewed(client(1), &gcc(12).version), 1);
        assert_eq!(known.count_skewed(client(0), &gcc(12).version), 3);
    }
}
