//! An engine that exists only in memory: what tests plan against and execute on.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::{TryStreamExt, stream};
use tokio::sync::watch;

use super::{
    Engine, EngineError, EngineErrorKind, EngineFacts, ImageArchive, LiveImage, LiveNetwork,
    LiveState, LiveVolunteer, LogLine, LogLines, LogRequest, Observed, network_name,
};
use crate::farm::{FarmName, ImageTag, Memory, VolunteerSpec};

/// An engine without containers, whose state is what it was told to do.
#[derive(Debug)]
pub struct MemoryEngine {
    facts: EngineFacts,
    state: Mutex<State>,
    /// Every line so far with the container that wrote it; followers wake up at each new one.
    logs: watch::Sender<Vec<(String, LogLine)>>,
}

#[derive(Debug, Default)]
struct State {
    observed: Observed,
    to_load: Vec<ImageTag>,
    made: u64,
    calls: Vec<String>,
    failing: Option<String>,
}

impl MemoryEngine {
    /// An engine in the given state. Loading an archive gives it the images of `to_load`.
    pub fn new(observed: Observed, to_load: Vec<ImageTag>) -> Self {
        let facts = EngineFacts {
            version: "memory".to_owned(),
            processors: 4,
            memory: Memory::from_bytes(16 << 30),
        };
        Self {
            facts,
            state: Mutex::new(State {
                observed,
                to_load,
                ..State::default()
            }),
            logs: watch::Sender::default(),
        }
    }

    /// Makes every call fail whose description contains `part`.
    pub fn fail_calls_with(&self, part: &str) {
        self.state().failing = Some(part.to_owned());
    }

    /// Changes what the engine has, as if others had done it.
    pub fn disturb(&self, change: impl FnOnce(&mut Observed)) {
        change(&mut self.state().observed);
    }

    /// Has a container write a line.
    pub fn write_log(&self, container: &str, line: LogLine) {
        self.logs
            .send_modify(|lines| lines.push((container.to_owned(), line)));
    }

    /// The calls that changed something or tried to, in order.
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(
        &self,
        call: String,
        change: impl FnOnce(&mut State) -> T,
    ) -> Result<T, EngineError> {
        let mut state = self.state();
        state.calls.push(call.clone());
        if state
            .failing
            .as_ref()
            .is_some_and(|part| call.contains(part.as_str()))
        {
            let kind = EngineErrorKind::Refused {
                status: 500,
                message: "told to fail".to_owned(),
            };
            return Err(EngineError {
                operation: call,
                kind,
            });
        }
        Ok(change(&mut state))
    }
}

impl Engine for MemoryEngine {
    async fn facts(&self) -> Result<EngineFacts, EngineError> {
        Ok(self.facts.clone())
    }

    async fn observe(&self, _farm: &FarmName) -> Result<Observed, EngineError> {
        Ok(self.state().observed.clone())
    }

    async fn load_images(&self, archive: ImageArchive) -> Result<(), EngineError> {
        let broken = |error: std::io::Error| EngineError {
            operation: "load images".to_owned(),
            kind: EngineErrorKind::Broken {
                reason: error.to_string(),
            },
        };
        let bytes = archive.map_ok(|chunk| chunk.len() as u64);
        let size = bytes
            .try_fold(0, |sum, n| std::future::ready(Ok(sum + n)))
            .await
            .map_err(broken)?;
        self.change("load images".to_owned(), |state| {
            let loaded = state.to_load.drain(..).map(|tag| (tag, size));
            state.observed.images.extend(loaded);
        })
    }

    async fn create_network(&self, farm: &FarmName) -> Result<(), EngineError> {
        let name = network_name(farm);
        self.change(format!("create network {name}"), |state| {
            state.observed.networks.push(LiveNetwork {
                id: name.clone(),
                name,
            });
        })
    }

    async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
        self.change(format!("remove network {id}"), |state| {
            state.observed.networks.retain(|network| network.id != id);
        })
    }

    async fn run_volunteer(&self, spec: &VolunteerSpec) -> Result<(), EngineError> {
        self.change(format!("run {}", spec.container_name()), |state| {
            state.made += 1;
            let live = LiveVolunteer::running(spec, format!("id{}", state.made));
            state.observed.volunteers.push(live);
        })
    }

    async fn start_container(&self, id: &str) -> Result<(), EngineError> {
        self.change(format!("start {id}"), |state| {
            for volunteer in state.observed.volunteers.iter_mut().filter(|v| v.id == id) {
                volunteer.state = LiveState::Running;
            }
        })
    }

    async fn remove_container(&self, id: &str) -> Result<(), EngineError> {
        self.change(format!("remove {id}"), |state| {
            state.observed.volunteers.retain(|v| v.id != id);
        })
    }

    fn logs(&self, container: &str, request: &LogRequest) -> LogLines {
        let reader = LogReader {
            lines: self.logs.subscribe(),
            container: container.to_owned(),
            request: request.clone(),
            next: None,
        };
        Box::pin(stream::unfold(reader, async |mut reader| {
            let line = reader.line().await?;
            Some((Ok(line), reader))
        }))
    }

    async fn assembled_images(&self) -> Result<Vec<LiveImage>, EngineError> {
        let observed = &self.state().observed;
        let live = |(tag, bytes): (&ImageTag, &u64)| LiveImage {
            id: format!("sha256:{tag}"),
            tags: vec![tag.clone()],
            bytes: *bytes,
            in_use: observed.volunteers.iter().any(|live| live.image == *tag),
        };
        Ok(observed.images.iter().map(live).collect())
    }

    async fn remove_image(&self, image: &str) -> Result<(), EngineError> {
        self.change(format!("remove image {image}"), |state| {
            state
                .observed
                .images
                .retain(|tag, _bytes| tag.as_str() != image);
        })
    }

    async fn pull_image(&self, tag: &ImageTag) -> Result<(), EngineError> {
        self.change(format!("pull image {tag}"), |state| {
            state.observed.images.insert(tag.clone(), 0);
        })
    }
}

/// One reader of one container's log.
struct LogReader {
    lines: watch::Receiver<Vec<(String, LogLine)>>,
    container: String,
    request: LogRequest,
    /// Where to read on, among the lines of the container that are late enough.
    next: Option<usize>,
}

impl LogReader {
    async fn line(&mut self) -> Option<LogLine> {
        loop {
            if let Some(line) = self.written_line() {
                return Some(line);
            }
            if !self.request.follow || self.lines.changed().await.is_err() {
                return None;
            }
        }
    }

    fn written_line(&mut self) -> Option<LogLine> {
        let lines = self.lines.borrow_and_update();
        let of_container = lines.iter().filter(|(container, line)| {
            *container == self.container && self.request.since.is_none_or(|time| line.time >= time)
        });
        let written: Vec<_> = of_container.map(|(_, line)| line).collect();
        let skipped = |tail: u64| {
            let tail = usize::try_from(tail).unwrap_or(usize::MAX);
            written.len().saturating_sub(tail)
        };
        let next = self
            .next
            .get_or_insert_with(|| self.request.tail.map_or(0, skipped));
        let line = (*written.get(*next)?).clone();
        *next += 1;
        Some(line)
    }
}
