//! An engine that exists only in memory: what tests plan against and execute on.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::{TryStreamExt, stream};
use tokio::sync::watch;

use super::memory_swarm::MemorySwarm;
use super::{
    Engine, EngineError, EngineErrorKind, EngineFacts, Fitness, ImageArchive, LiveContainer,
    LiveImage, LiveNetwork, LiveState, LiveVolume, LogLine, LogLines, LogRequest, Observed,
    TaggedImage, labels, network_name,
};
use crate::farm::{
    Architecture, DOOR_DIRECTORY, FarmName, ImageTag, Memory, Port, Restart, Role, Shape,
    volume_options,
};

/// An engine whose state is what it was told to do. Like a real one it refuses what cannot be.
#[derive(Debug)]
pub struct MemoryEngine {
    facts: EngineFacts,
    state: Mutex<State>,
    /// Every line so far with the container that wrote it; followers wake up at each new one.
    logs: watch::Sender<Vec<(String, LogLine)>>,
    /// The swarm that it manages.
    pub(super) swarm: MemorySwarm,
}

#[derive(Debug, Default)]
struct State {
    observed: Observed,
    to_load: Vec<ImageTag>,
    made: u64,
    calls: Vec<String>,
    failing: Option<String>,
    unfit: Option<String>,
}

impl MemoryEngine {
    /// An engine in the given state. Loading an archive gives it the images of `to_load`.
    pub fn new(observed: Observed, to_load: Vec<ImageTag>) -> Self {
        let facts = EngineFacts {
            version: "memory".to_owned(),
            architecture: Architecture::own(),
            processors: 4,
            memory: Memory::from_bytes(16 << 30),
            swap_limit: true,
            process_limit: true,
        };
        Self {
            facts,
            state: Mutex::new(State {
                observed,
                to_load,
                ..State::default()
            }),
            logs: watch::Sender::default(),
            swarm: MemorySwarm::default(),
        }
    }

    /// The same engine as the manager of `swarm`.
    #[must_use]
    pub fn managing(self, swarm: MemorySwarm) -> Self {
        Self { swarm, ..self }
    }

    /// The swarm that it manages.
    pub fn swarm(&self) -> &MemorySwarm {
        &self.swarm
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

    /// Makes every volunteer whose name contains `part` compile nothing.
    pub fn make_unfit(&self, part: &str) {
        self.state().unfit = Some(part.to_owned());
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
        change: impl FnOnce(&mut State) -> Result<T, String>,
    ) -> Result<T, EngineError> {
        let mut state = self.state();
        state.calls.push(call.clone());
        let is_failing = |part: &String| call.contains(part.as_str());
        let outcome = if state.failing.as_ref().is_some_and(is_failing) {
            Err("told to fail".to_owned())
        } else {
            change(&mut state)
        };
        outcome.map_err(|message| EngineError {
            operation: call,
            kind: EngineErrorKind::Refused {
                status: 409,
                message,
            },
        })
    }
}

impl State {
    fn containers(&mut self) -> impl Iterator<Item = &mut LiveContainer> {
        let Observed {
            volunteers, doors, ..
        } = &mut self.observed;
        volunteers.iter_mut().chain(doors)
    }

    fn container(&mut self, id: &str) -> Result<&mut LiveContainer, String> {
        let found = self
            .containers()
            .find(|live| live.id == id || live.name == id);
        found.ok_or_else(|| format!("no container {id}"))
    }

    fn refuse_taken_name(&mut self, name: &str) -> Result<(), String> {
        let taken = self.observed.taken_names.iter().any(|taken| taken == name)
            || self.containers().any(|live| live.name == name);
        if taken {
            return Err(format!("name {name} is taken"));
        }
        Ok(())
    }

    /// A running container's ports are its own.
    fn refuse_taken_ports(&mut self, shape: &Shape, id: Option<&str>) -> Result<(), String> {
        let wanted: Vec<_> = shape.ports.values().flatten().copied().collect();
        let running = |live: &&mut LiveContainer| live.is_active() && Some(live.id.as_str()) != id;
        for other in self.containers().filter(running) {
            if let Some(port) = other.published().find(|port| wanted.contains(port)) {
                return Err(format!("{port} is taken by {}", other.name));
            }
        }
        Ok(())
    }

    fn make(&mut self, name: &str, shape: &Shape) -> Result<(), String> {
        self.refuse_taken_name(name)?;
        self.refuse_taken_ports(shape, None)?;
        let Some(image) = self.observed.images.get(&shape.image).cloned() else {
            return Err(format!("no image {}", shape.image));
        };
        self.refuse_missing_network(shape)?;
        self.make_volumes(shape);
        self.made += 1;
        let live = LiveContainer::made(
            name.to_owned(),
            shape.clone(),
            format!("id{}", self.made),
            &image,
        );
        let list = match live.role {
            Some(Role::Door) => &mut self.observed.doors,
            _ => &mut self.observed.volunteers,
        };
        list.push(live);
        list.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }

    fn refuse_missing_network(&self, shape: &Shape) -> Result<(), String> {
        match &shape.network {
            crate::farm::Attachment::Network(name)
                if !self
                    .observed
                    .networks
                    .iter()
                    .any(|network| network.name == *name) =>
            {
                Err(format!("no network {name}"))
            }
            _ => Ok(()),
        }
    }

    fn make_volumes(&mut self, shape: &Shape) {
        let Some(mount) = shape.mounts.get(DOOR_DIRECTORY) else {
            return;
        };
        let volumes = &mut self.observed.volumes;
        if !volumes.iter().any(|volume| volume.name == mount.source) {
            volumes.push(LiveVolume {
                name: mount.source.clone(),
                is_ours: true,
                target: labels::read(&shape.labels).target,
                options: Some(volume_options()),
            });
        }
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
        archive
            .try_for_each(|_chunk| std::future::ready(Ok(())))
            .await
            .map_err(broken)?;
        self.change("load images".to_owned(), |state| {
            let loaded: BTreeMap<_, _> = state
                .to_load
                .drain(..)
                .map(|tag| (tag.clone(), TaggedImage::assembled(&tag)))
                .collect();
            state.observed.images.extend(loaded);
            Ok(())
        })
    }

    async fn pull_image(&self, image: &ImageTag) -> Result<(), EngineError> {
        self.change(format!("pull {image}"), |state| {
            let pulled = TaggedImage::assembled(image);
            state.observed.images.insert(image.clone(), pulled);
            Ok(())
        })
    }

    async fn create_network(&self, farm: &FarmName) -> Result<(), EngineError> {
        let name = network_name(farm);
        self.change(format!("create network {name}"), |state| {
            state.made += 1;
            state.observed.networks.push(LiveNetwork {
                id: format!("network{}", state.made),
                name,
                is_isolated: true,
            });
            Ok(())
        })
    }

    async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
        self.change(format!("remove network {id}"), |state| {
            state.observed.networks.retain(|network| network.id != id);
            Ok(())
        })
    }

    async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        self.change(format!("remove volume {name}"), |state| {
            let is_used = |live: &mut LiveContainer| {
                live.shape.mounts.values().any(|mount| mount.source == name)
            };
            if state.containers().any(is_used) {
                return Err(format!("volume {name} is in use"));
            }
            state.observed.volumes.retain(|volume| volume.name != name);
            Ok(())
        })
    }

    async fn run_container(&self, name: &str, shape: &Shape) -> Result<(), EngineError> {
        self.change(format!("run {name}"), |state| state.make(name, shape))
    }

    async fn probe(&self, container: &str, _port: Port) -> Result<Fitness, EngineError> {
        self.change(format!("probe {container}"), |state| {
            let unfit = state.unfit.clone();
            let live = state.container(container)?;
            let is_unfit = unfit.is_some_and(|part| live.name.contains(&part));
            Ok(if is_unfit || live.state != LiveState::Running {
                Fitness::Unfit("told to compile nothing".to_owned())
            } else {
                Fitness::Fit
            })
        })
    }

    async fn start_container(&self, id: &str) -> Result<(), EngineError> {
        self.change(format!("start {id}"), |state| {
            let shape = state.container(id)?.shape.clone();
            state.refuse_taken_ports(&shape, Some(id))?;
            state.refuse_missing_network(&shape)?;
            state.container(id)?.state = LiveState::Running;
            Ok(())
        })
    }

    async fn unpause_container(&self, id: &str) -> Result<(), EngineError> {
        self.change(format!("unpause {id}"), |state| {
            state.container(id)?.state = LiveState::Running;
            Ok(())
        })
    }

    async fn rename_container(&self, id: &str, name: &str) -> Result<(), EngineError> {
        self.change(format!("rename {id} to {name}"), |state| {
            state.refuse_taken_name(name)?;
            name.clone_into(&mut state.container(id)?.name);
            Ok(())
        })
    }

    async fn hold_container(&self, id: &str) -> Result<(), EngineError> {
        self.change(format!("hold {id}"), |state| {
            let live = state.container(id)?;
            live.shape.restart = Restart::No;
            live.state = LiveState::Exited;
            Ok(())
        })
    }

    async fn remove_container(&self, id: &str) -> Result<(), EngineError> {
        self.change(format!("remove {id}"), |state| {
            state.observed.volunteers.retain(|live| live.id != id);
            state.observed.doors.retain(|live| live.id != id);
            Ok(())
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
        let live = |(tag, image): (&ImageTag, &TaggedImage)| LiveImage {
            id: image.id.clone(),
            tags: vec![tag.clone()],
            bytes: image.bytes,
            in_use: observed.containers().any(|live| live.image == *tag),
        };
        Ok(observed.images.iter().map(live).collect())
    }

    async fn remove_image(&self, image: &str) -> Result<(), EngineError> {
        self.change(format!("remove image {image}"), |state| {
            let images = &mut state.observed.images;
            images.retain(|tag, _image| tag.as_str() != image);
            Ok(())
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
