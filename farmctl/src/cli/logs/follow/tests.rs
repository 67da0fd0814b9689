//! Against the engine in memory, which never cuts anything by the clock.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::super::source::Writers;
use super::*;
use crate::converge::fixture;
use crate::engine::{LiveContainer, LogStream, MemoryEngine, Observed};
use crate::swarm::fixture as swarm;

const PATIENCE: Duration = Duration::from_mins(1);

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn line(seconds: u64, message: &str) -> LogLine {
    LogLine {
        time: at(seconds),
        stream: LogStream::Stderr,
        message: message.to_owned(),
    }
}

fn selection(targets: &[&str]) -> Selection {
    Selection {
        farm: "attic".parse().unwrap(),
        targets: targets.iter().map(|name| name.parse().unwrap()).collect(),
        doors: false,
        tail: Tail::All,
        since: None,
    }
}

fn volunteer(target: &str, id: &str) -> LiveContainer {
    LiveContainer::running(&fixture::spec(target, 3635), id.to_owned())
}

/// Two volunteers, `a` for armv7h and `b` for aarch64, with two lines each.
fn engine() -> MemoryEngine {
    let observed = Observed {
        volunteers: vec![volunteer("armv7h", "a"), volunteer("aarch64", "b")],
        ..Observed::default()
    };
    let engine = MemoryEngine::new(observed, Vec::new());
    for (container, seconds) in [("b", 1), ("a", 2), ("a", 3), ("b", 4)] {
        engine.write_log(container, line(seconds, &format!("{container}{seconds}")));
    }
    engine
}

fn only<E>(engine: E) -> Vec<Source<E>> {
    vec![Source {
        host: "box".parse().unwrap(),
        engine,
        writers: Writers::Containers,
    }]
}

async fn messages(selection: &Selection) -> Vec<String> {
    let mut messages = Vec::new();
    let collect = |_: &Container, line: &LogLine| {
        messages.push(line.message.clone());
        Ok(ControlFlow::Continue(()))
    };
    so_far(&only(engine()), selection, collect).await.unwrap();
    messages
}

#[tokio::test]
async fn lines_are_merged_by_time_and_chosen() {
    assert_eq!(messages(&selection(&[])).await, ["b1", "a2", "a3", "b4"]);
    assert_eq!(messages(&selection(&["armv7h"])).await, ["a2", "a3"]);
    let last = Selection {
        tail: Tail::Lines(1),
        ..selection(&[])
    };
    assert_eq!(messages(&last).await, ["a3", "b4"]);
    let late = Selection {
        since: Some(at(3)),
        ..selection(&[])
    };
    assert_eq!(messages(&late).await, ["a3", "b4"]);
}

#[tokio::test]
async fn a_reader_that_has_enough_ends_it() {
    let mut messages = Vec::new();
    let one = |_: &Container, line: &LogLine| {
        messages.push(line.message.clone());
        Ok(ControlFlow::Break(()))
    };
    let (engine, selection) = (engine(), selection(&[]));
    let sources = only(engine);
    let following = follow(&sources, &selection, one, |_, _| {});
    timeout(PATIENCE, following).await.unwrap().unwrap();
    assert_eq!(messages, ["b1"]);
}

/// Follows in the background; what is printed comes out of the channel.
struct Following {
    sources: Arc<Vec<Source<MemoryEngine>>>,
    printed: mpsc::UnboundedReceiver<String>,
    task: tokio::task::JoinHandle<()>,
}

impl Following {
    fn start(selection: Selection) -> Self {
        let (sources, (send, printed)) = (Arc::new(only(engine())), mpsc::unbounded_channel());
        let shared = Arc::clone(&sources);
        let task = tokio::spawn(async move {
            let print = |_: &Container, line: &LogLine| {
                send.send(line.message.clone()).unwrap();
                Ok(ControlFlow::Continue(()))
            };
            follow(&shared, &selection, print, |_, _| {}).await.unwrap();
        });
        Self {
            sources,
            printed,
            task,
        }
    }

    fn engine(&self) -> &MemoryEngine {
        &self.sources[0].engine
    }

    async fn next(&mut self) -> String {
        timeout(PATIENCE, self.printed.recv())
            .await
            .unwrap()
            .unwrap()
    }
}

#[tokio::test]
async fn following_goes_on_with_the_successor_of_a_volunteer() {
    let mut following = Following::start(selection(&["armv7h"]));
    assert_eq!(following.next().await, "a2");
    assert_eq!(following.next().await, "a3");
    following.engine().write_log("a", line(5, "a5"));
    assert_eq!(
        following.next().await,
        "a5",
        "once, though it is the last second's"
    );

    following.engine().disturb(|observed| {
        observed.volunteers.retain(|live| live.id != "a");
        observed.volunteers.push(volunteer("armv7h", "c"));
    });
    following
        .engine()
        .write_log("b", line(6, "another target's"));
    following.engine().write_log("c", line(6, "c6"));
    assert_eq!(following.next().await, "c6");
    following.task.abort();
}

#[tokio::test]
async fn what_the_tail_left_out_does_not_come_afterwards() {
    let mut following = Following::start(Selection {
        tail: Tail::Lines(1),
        ..selection(&[])
    });
    assert_eq!(following.next().await, "a3");
    assert_eq!(following.next().await, "b4");
    following.engine().write_log("c", line(5, "c5"));
    following.engine().write_log("c", line(6, "c6"));
    following
        .engine()
        .disturb(|observed| observed.volunteers.push(volunteer("armv6h", "c")));
    assert_eq!(following.next().await, "c5", "all of a new container's");
    assert_eq!(following.next().await, "c6");
    following.engine().write_log("a", line(7, "a7"));
    assert_eq!(following.next().await, "a7");
    following.task.abort();
}

/// A swarm of two nodes with a door and a volunteer on each, each with its own name as its only line.
async fn swarm_engine() -> MemoryEngine {
    let engine = swarm::swarm(2);
    let wish = swarm::wish(&swarm::farm("", "armv7h"));
    let observed = engine.swarm().observed();
    let plan = crate::swarm::diff(&wish, &observed, &BTreeMap::new()).unwrap();
    swarm::carry_out(&plan, &engine).await;
    for service in engine.swarm().observed().services {
        for task in service.tasks {
            engine.write_log(&task.id, line(1, &task.id));
        }
    }
    engine
}

async fn nodes(engine: MemoryEngine, doors: bool) -> Vec<(Option<String>, bool)> {
    let sources = [Source {
        host: "rack".parse().unwrap(),
        engine,
        writers: Writers::Tasks,
    }];
    let selection = Selection {
        doors,
        ..selection(&["armv7h"])
    };
    let mut nodes = Vec::new();
    let collect = |container: &Container, _: &LogLine| {
        nodes.push((container.node.clone(), container.is_door));
        Ok(ControlFlow::Continue(()))
    };
    so_far(&sources, &selection, collect).await.unwrap();
    nodes.sort();
    nodes
}

#[tokio::test(start_paused = true)]
async fn lines_of_a_swarm_have_their_node() {
    let node = |name: &str, is_door| (Some(name.to_owned()), is_door);
    let volunteers = [node("10.0.0.1", false), node("10.0.0.2", false)];
    assert_eq!(nodes(swarm_engine().await, false).await, volunteers);
    assert_eq!(nodes(swarm_engine().await, true).await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_nobody_hears_of_is_not_asked() {
    let engine = swarm_engine().await;
    engine
        .swarm()
        .disturb(|observed| observed.nodes[0].is_ready = false);
    assert_eq!(
        nodes(engine, false).await,
        [(Some("10.0.0.2".to_owned()), false)]
    );
}
