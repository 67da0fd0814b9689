//! Which lines come in which order.
//!
//! What is there already is merged by time. Following then goes on in the order of arrival: each container from its
//! last line on, and any further container of the farm from its beginning, so that a replaced volunteer's successor is
//! followed as well. Engines cut logs at whole seconds, so lines up to the last one seen are left out here.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use futures_util::stream::{self, SelectAll, Stream, StreamExt};
use tokio::time::{MissedTickBehavior, interval};

use crate::cli::Failure;
use crate::engine::{Engine, EngineError, LiveContainer, LiveState, LogLine, LogLines, LogRequest};
use crate::farm::{FarmName, Role, TargetName};

/// Which lines of a farm are wanted.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    pub(super) farm: FarmName,
    /// All if empty.
    pub(super) targets: Vec<TargetName>,
    /// Also what stands before the volunteers.
    pub(super) doors: bool,
    pub(super) tail: Tail,
    pub(super) since: Option<SystemTime>,
}

/// How many of each container's last lines are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    All,
    Lines(u64),
}

impl FromStr for Tail {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            number => number
                .parse()
                .map(Self::Lines)
                .map_err(|_no_number| "neither a number nor 'all'".to_owned()),
        }
    }
}

/// Whose line it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Container {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) target: Option<TargetName>,
    pub(super) is_door: bool,
}

/// What becomes of each line; it says when to stop.
pub(super) trait Sink:
    FnMut(&Container, &LogLine) -> Result<ControlFlow<()>, Failure>
{
}
impl<F: FnMut(&Container, &LogLine) -> Result<ControlFlow<()>, Failure>> Sink for F {}

/// Everything written so far, merged by time.
pub(super) async fn so_far<E: Engine>(
    engine: &E,
    selection: &Selection,
    mut sink: impl Sink,
) -> Result<(), Failure> {
    let containers = containers(engine, selection).await?;
    let containers = containers.into_iter().map(|(container, _state)| container);
    let _flow = backlog(
        engine,
        selection,
        containers.collect(),
        &mut sink,
        |_, _| {},
    )
    .await?;
    Ok(())
}

/// The same, and then everything that is written until the sink has enough.
pub(super) async fn follow<E: Engine>(
    engine: &E,
    selection: &Selection,
    mut sink: impl Sink,
) -> Result<(), Failure> {
    let mut followed = Followed::default();
    let present = containers(engine, selection).await?;
    let containers: Vec<_> = present
        .iter()
        .map(|(container, _)| container.clone())
        .collect();
    for container in &containers {
        followed
            .last
            .insert(container.id.clone(), SystemTime::UNIX_EPOCH);
    }
    let seen = |container: &Container, line: &LogLine| {
        followed.last.insert(container.id.clone(), line.time);
    };
    if backlog(engine, selection, containers, &mut sink, seen)
        .await?
        .is_break()
    {
        return Ok(());
    }
    followed.attach(engine, selection, present);

    let mut look = interval(LOOK_AGAIN);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            Some((container, event)) = followed.streams.next() => match event {
                Some(line) => {
                    let line = line?;
                    if followed.is_new(&container, &line) && sink(&container, &line)?.is_break() {
                        return Ok(());
                    }
                }
                None => followed.open.retain(|id| *id != container.id),
            },
            _now = look.tick() => {
                let present = self::containers(engine, selection).await?;
                followed.attach(engine, selection, present);
            }
        }
    }
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
    fn attach<E: Engine>(
        &mut self,
        engine: &E,
        selection: &Selection,
        present: Vec<(Container, LiveState)>,
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
            let lines = engine.logs(&container.id, &request);
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

async fn containers<E: Engine>(
    engine: &E,
    selection: &Selection,
) -> Result<Vec<(Container, LiveState)>, EngineError> {
    let observed = engine.observe(&selection.farm).await?;
    let is_wanted = |live: &LiveContainer| {
        let mut targets = selection.targets.iter();
        selection.targets.is_empty() || targets.any(|target| Some(target) == live.target.as_ref())
    };
    let doors = observed.doors.into_iter().filter(|_door| selection.doors);
    let wanted = observed
        .volunteers
        .into_iter()
        .chain(doors)
        .filter(is_wanted);
    let container = |live: LiveContainer| {
        let container = Container {
            id: live.id,
            name: live.name,
            target: live.target,
            is_door: live.role == Some(Role::Door),
        };
        (container, live.state)
    };
    Ok(wanted.map(container).collect())
}

/// Merges by time what the containers have written; each one's own lines are in order already.
async fn backlog<E: Engine>(
    engine: &E,
    selection: &Selection,
    containers: Vec<Container>,
    sink: &mut impl Sink,
    mut seen: impl FnMut(&Container, &LogLine),
) -> Result<ControlFlow<()>, Failure> {
    let request = LogRequest {
        follow: false,
        tail: match selection.tail {
            Tail::All => None,
            Tail::Lines(lines) => Some(lines),
        },
        since: selection.since,
    };
    let mut logs = Vec::new();
    for container in containers {
        let mut lines = engine.logs(&container.id, &request);
        if let Some(first) = lines.next().await.transpose()? {
            logs.push((first, container, lines));
        }
    }
    loop {
        let heads = logs.iter().enumerate();
        let earliest = heads.min_by_key(|(_, (line, _, _))| line.time);
        let Some((at, _)) = earliest else {
            return Ok(ControlFlow::Continue(()));
        };
        let (line, container, lines) = &mut logs[at];
        if sink(container, line)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        seen(container, line);
        match lines.next().await.transpose()? {
            Some(next) => *line = next,
            None => drop(logs.swap_remove(at)),
        }
    }
}

#[cfg(test)]
mod tests;
