//! Which lines come in which order.
//!
//! What is there already is merged by time. Following then goes on in the order of arrival: each container from its
//! last line on, and any further container of the farm from its beginning, so that a replaced volunteer's successor is
//! followed as well. A host whose engine breaks is left behind, and the others' lines go on. Engines cut logs at whole
//! seconds, so lines up to the last one seen are left out here.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use futures_util::stream::{self, FuturesUnordered, SelectAll, Stream, StreamExt};
use tokio::time::sleep;

use super::selection::{Selection, Tail};
use super::source::{Container, Found, Source};
use crate::cli::Failure;
use crate::engine::{Engine, EngineError, LiveState, LogLine, LogLines, LogRequest, SwarmEngine};
use crate::farm::HostName;

/// What becomes of each line; it says when to stop.
pub(super) trait Sink:
    FnMut(&Container, &LogLine) -> Result<ControlFlow<()>, Failure>
{
}
impl<F: FnMut(&Container, &LogLine) -> Result<ControlFlow<()>, Failure>> Sink for F {}

/// Hosts whose logs could not be read to their end. The others' lines go on.
pub(super) type Broken = Vec<(HostName, EngineError)>;

/// Everything written so far, merged by time.
pub(super) async fn so_far<E: Engine + SwarmEngine>(
    sources: &[Source<E>],
    selection: &Selection,
    mut sink: impl Sink,
) -> Result<Broken, Failure> {
    let mut broken = Broken::new();
    let present = present(sources, selection, &mut broken).await;
    let past = Past::open(&present, selection, &mut broken).await;
    let _flow = past.merge(&mut sink, |_, _| {}, &mut broken).await?;
    Ok(broken)
}

/// The same, and then everything that is written until the sink has enough or no host is left; `tell` hears of those that
/// break while others go on.
pub(super) async fn follow<E: Engine + SwarmEngine>(
    sources: &[Source<E>],
    selection: &Selection,
    mut sink: impl Sink,
    tell: impl Fn(&HostName, &EngineError),
) -> Result<Broken, Failure> {
    let mut broken = Broken::new();
    let mut followed = Followed::default();
    let present = present(sources, selection, &mut broken).await;
    for (_, (container, _)) in &present {
        let never = SystemTime::UNIX_EPOCH;
        followed.last.insert(container.id.clone(), never);
    }
    let seen = |container: &Container, line: &LogLine| {
        followed.last.insert(container.id.clone(), line.time);
    };
    let past = Past::open(&present, selection, &mut broken).await;
    if past.merge(&mut sink, seen, &mut broken).await?.is_break() {
        return Ok(broken);
    }
    for (source, found) in present {
        followed.attach(source, selection, vec![found]);
    }

    let is_whole = |source: &&Source<E>, broken: &Broken| {
        let mut hosts = broken.iter();
        !hosts.any(|(host, _)| *host == source.host)
    };
    let whole = sources.iter().filter(|source| is_whole(source, &broken));
    let mut looks: FuturesUnordered<_> = whole.map(|source| look(source, selection)).collect();
    while !looks.is_empty() {
        tokio::select! {
            Some((container, event)) = followed.streams.next() => match event {
                Some(Ok(line)) => {
                    if followed.is_new(&container, &line) && sink(&container, &line)?.is_break() {
                        return Ok(broken);
                    }
                }
                // Why it broke is what the next look at its engine finds.
                Some(Err(_)) | None => followed.open.retain(|id| *id != container.id),
            },
            Some((source, present)) = looks.next() => match present {
                Ok(present) => {
                    followed.attach(source, selection, present);
                    looks.push(look(source, selection));
                }
                Err(error) => {
                    if !looks.is_empty() {
                        tell(&source.host, &error);
                    }
                    broken.push((source.host.clone(), error));
                }
            }
        }
    }
    Ok(broken)
}

/// Looks for containers that were made or started again, after a while.
async fn look<'s, E: Engine + SwarmEngine>(
    source: &'s Source<E>,
    selection: &Selection,
) -> (&'s Source<E>, Result<Vec<Found>, EngineError>) {
    sleep(LOOK_AGAIN).await;
    (source, source.containers(selection).await)
}

/// How often to look for containers that were made or started again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A container's next line; `None` when its log has ended.
type Event = (Container, Option<Result<LogLine, EngineError>>);

#[derive(Default)]
struct Followed {
    streams: SelectAll<Pin<Box<dyn Stream<Item = Event> + Send>>>,
    /// Containers with a stream.
    open: Vec<String>,
    /// Each container ever seen, with the time of its last line.
    last: BTreeMap<String, SystemTime>,
}

impl Followed {
    /// Opens a stream for every container that can write and has none.
    fn attach<E: Engine + SwarmEngine>(
        &mut self,
        source: &Source<E>,
        selection: &Selection,
        present: Vec<Found>,
    ) {
        for (container, state) in present {
            if !can_write(state) || self.open.contains(&container.id) {
                continue;
            }
            let last = self.last.get(&container.id).copied();
            let seen = last.filter(|time| *time > SystemTime::UNIX_EPOCH);
            let request = LogRequest {
                follow: true,
                // Without a line seen there may be lines that were not wanted before; a new container has only new ones.
                tail: match (seen, last, selection.tail) {
                    (None, Some(_known), Tail::Lines(lines)) => Some(lines),
                    _ => None,
                },
                since: seen.or(selection.since),
            };
            self.open.push(container.id.clone());
            let lines = source.lines(&container, &request);
            self.streams.push(tagged(container, lines));
        }
    }

    /// Whether the line comes after all that were seen of its container; if so it is the last one now.
    fn is_new(&mut self, container: &Container, line: &LogLine) -> bool {
        let last = self
            .last
            .entry(container.id.clone())
            .or_insert(SystemTime::UNIX_EPOCH);
        let is_new = line.time > *last;
        *last = line.time.max(*last);
        is_new
    }
}

fn can_write(state: LiveState) -> bool {
    matches!(
        state,
        LiveState::Running | LiveState::Paused | LiveState::Restarting
    )
}

fn tagged(container: Container, lines: LogLines) -> Pin<Box<dyn Stream<Item = Event> + Send>> {
    let end = container.clone();
    let lines = lines.map(move |line| (container.clone(), Some(line)));
    Box::pin(lines.chain(stream::once(std::future::ready((end, None)))))
}

/// The containers of all hosts, each with where it is.
async fn present<'s, E: Engine + SwarmEngine>(
    sources: &'s [Source<E>],
    selection: &Selection,
    broken: &mut Broken,
) -> Vec<(&'s Source<E>, Found)> {
    let asked = sources
        .iter()
        .map(async |source| (source, source.containers(selection).await));
    let mut present = Vec::new();
    for (source, found) in join_all(asked).await {
        match found {
            Ok(found) => present.extend(found.into_iter().map(|found| (source, found))),
            Err(error) => broken.push((source.host.clone(), error)),
        }
    }
    present
}

/// What containers have written; each one's own lines are in order already.
struct Past(Vec<Log>);

/// The next line of a container, and those after it.
struct Log {
    next: LogLine,
    container: Container,
    rest: LogLines,
}

impl Past {
    async fn open<E: Engine + SwarmEngine>(
        present: &[(&Source<E>, Found)],
        selection: &Selection,
        broken: &mut Broken,
    ) -> Self {
        let request = LogRequest {
            follow: false,
            tail: match selection.tail {
                Tail::All => None,
                Tail::Lines(lines) => Some(lines),
            },
            since: selection.since,
        };
        let opened = present.iter().map(async |(source, (container, _))| {
            let mut rest = source.lines(container, &request);
            let first = rest.next().await.transpose();
            (container, first, rest)
        });
        let mut logs = Vec::new();
        for (container, first, rest) in join_all(opened).await {
            match first {
                Ok(Some(next)) => logs.push(Log {
                    next,
                    container: container.clone(),
                    rest,
                }),
                Ok(None) => {}
                Err(error) => note_once(broken, &container.host, error),
            }
        }
        Self(logs)
    }

    /// All of it by time.
    async fn merge(
        self,
        sink: &mut impl Sink,
        mut seen: impl FnMut(&Container, &LogLine),
        broken: &mut Broken,
    ) -> Result<ControlFlow<()>, Failure> {
        let Self(mut logs) = self;
        loop {
            let heads = logs.iter().enumerate();
            let earliest = heads.min_by_key(|(_, log)| log.next.time);
            let Some((at, _)) = earliest else {
                return Ok(ControlFlow::Continue(()));
            };
            let Log {
                next,
                container,
                rest,
            } = &mut logs[at];
            if sink(container, next)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            seen(container, next);
            match rest.next().await.transpose() {
                Ok(Some(line)) => *next = line,
                Ok(None) => drop(logs.swap_remove(at)),
                Err(error) => {
                    note_once(broken, &container.host, error);
                    drop(logs.swap_remove(at));
                }
            }
        }
    }
}

fn note_once(broken: &mut Broken, host: &HostName, error: EngineError) {
    if !broken.iter().any(|(known, _)| known == host) {
        broken.push((host.clone(), error));
    }
}

#[cfg(test)]
mod tests;
