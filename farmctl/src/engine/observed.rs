//! What runs on an engine, as plain values.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::labels;
use crate::farm::{
    Fingerprint, GccMajor, ImageTag, Role, Shape, Slots, TargetName, VolunteerSpec, labels as names,
};

/// One snapshot of an engine, as far as one farm is concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// The farm's volunteers, ordered by name, and containers of the farm that do not say what they are. More than one
    /// may claim the same target.
    pub volunteers: Vec<LiveContainer>,
    /// The farm's doors, ordered by name.
    pub doors: Vec<LiveContainer>,
    /// The farm's networks.
    pub networks: Vec<LiveNetwork>,
    /// The farm's volumes, and strangers' whose names begin like theirs.
    pub volumes: Vec<LiveVolume>,
    /// Every tag that the engine has, with its image.
    pub images: BTreeMap<ImageTag, TaggedImage>,
    /// Ports that strangers' running containers have published.
    pub taken_ports: Vec<PortHolder>,
    /// Names of containers that are not this farm's.
    pub taken_names: Vec<String>,
}

impl Observed {
    /// All of the farm's containers.
    pub fn containers(&self) -> impl Iterator<Item = &LiveContainer> {
        self.volunteers.iter().chain(&self.doors)
    }

    /// The door that masters reach a target by: a running one before any other.
    pub fn door(&self, target: &TargetName) -> Option<&LiveContainer> {
        let of_target = || {
            self.doors
                .iter()
                .filter(|door| door.target.as_ref() == Some(target))
        };
        of_target()
            .find(|door| door.state == LiveState::Running)
            .or_else(|| of_target().next())
    }
}

/// A container that carries the farm's label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveContainer {
    /// The engine's id.
    pub id: String,
    /// The container's name.
    pub name: String,
    /// Its target, if its label can be read.
    pub target: Option<TargetName>,
    /// What it is there for, if its label can be read.
    pub role: Option<Role>,
    /// What it was made from, if its label can be read.
    pub fingerprint: Option<Fingerprint>,
    /// The image it runs, as it was asked for.
    pub image: ImageTag,
    /// The engine's id of that image.
    pub image_id: String,
    /// Jobs at once, if its label can be read.
    pub slots: Option<Slots>,
    /// GCC versions, if its label can be read.
    pub gcc: Vec<GccMajor>,
    /// Everything it is made of.
    pub shape: Shape,
    /// How far the engine's account of it can be compared with what was asked for.
    pub account: Account,
    /// Labels that came with its image.
    pub inherited: BTreeMap<String, String>,
    /// Whether it runs.
    pub state: LiveState,
    /// What its own health check says.
    pub health: Health,
    /// How long ago it was made.
    pub age: Duration,
}

impl LiveContainer {
    /// What a container that was just made from `shape` and started looks like.
    pub fn made(name: String, shape: Shape, id: String, image: &TaggedImage) -> Self {
        let labels = labels::read(&shape.labels);
        let label = |tag: &ImageTag| (names::IMAGE.to_owned(), tag.to_string());
        let inherited: BTreeMap<_, _> = image.made_as.iter().map(label).collect();
        let mut shape = shape;
        shape.labels.extend(inherited.clone());
        Self {
            id,
            name,
            target: labels.target,
            role: labels.role,
            fingerprint: labels.fingerprint,
            image: shape.image.clone(),
            image_id: image.id.clone(),
            slots: labels.slots,
            gcc: labels.gcc,
            shape,
            account: Account::Whole,
            inherited,
            state: LiveState::Running,
            health: Health::Healthy,
            age: Duration::ZERO,
        }
    }

    /// What a volunteer that was just made from `spec` looks like.
    pub fn running(spec: &VolunteerSpec, id: String) -> Self {
        let [name, _] = spec.container_names();
        Self::made(name, spec.shape(), id, &TaggedImage::assembled(&spec.image))
    }

    /// What the door of `spec` looks like when it was just made.
    pub fn open_door(spec: &VolunteerSpec, id: String) -> Self {
        let door = spec.door();
        let image = TaggedImage::assembled(&spec.image);
        Self::made(door.container_name(), door.shape(), id, &image)
    }

    /// The tag that its image was assembled for, if the image says so.
    pub fn image_made_as(&self) -> Option<&str> {
        self.shape.labels.get(names::IMAGE).map(String::as_str)
    }

    /// Whether it can do anything by itself, or will soon.
    pub fn is_active(&self) -> bool {
        matches!(
            self.state,
            LiveState::Running | LiveState::Restarting | LiveState::Paused
        )
    }

    /// The host's addresses that the engine publishes for it.
    pub fn published(&self) -> impl Iterator<Item = SocketAddr> {
        self.shape.ports.values().flatten().copied()
    }

    /// The host's address that masters dial, for a door: the published one, or where it listens itself.
    pub fn dialled(&self) -> Option<SocketAddr> {
        let option = |name: &str| {
            let mut words = self.shape.command.iter();
            words.find(|word| *word == name)?;
            words.next()
        };
        let port: u16 = option("--port")?.parse().ok()?;
        let listen: IpAddr = option("--listen")?.parse().ok()?;
        let published = self.shape.ports.get(&format!("{port}/tcp"));
        Some(match published.and_then(|addresses| addresses.first()) {
            Some(address) => *address,
            None => SocketAddr::new(listen, port),
        })
    }
}

/// How far an engine's account of a container can be compared with what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// Option by option.
    Whole,
    /// The engine adds options of its own and says others in other words, as Podman does: only the fingerprint tells what
    /// was asked for, and nothing tells what somebody changed afterwards.
    Fingerprint,
}

/// An image of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedImage {
    /// The engine's id.
    pub id: String,
    /// Its size in bytes, layers shared with others included.
    pub bytes: u64,
    /// The tag that farmctl assembled it for.
    pub made_as: Option<ImageTag>,
}

impl TaggedImage {
    /// What an image looks like that was just loaded.
    pub fn assembled(tag: &ImageTag) -> Self {
        Self {
            id: format!("sha256:{tag}"),
            bytes: 1,
            made_as: Some(tag.clone()),
        }
    }
}

/// A volume whose name begins like those of the farm's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveVolume {
    /// Its name, which is also its id.
    pub name: String,
    /// Whether it carries the farm's label.
    pub is_ours: bool,
    /// The target of its label.
    pub target: Option<TargetName>,
    /// Driver options that it was made with; `None` for another driver than the local one.
    pub options: Option<BTreeMap<String, String>>,
}

/// Whether a container runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveState {
    /// Made but never started.
    Created,
    /// Runs.
    Running,
    /// Frozen by the engine.
    Paused,
    /// Ended and is being started again by the engine.
    Restarting,
    /// Ended.
    Exited,
    /// Half removed: the engine will only remove it.
    Dead,
}

impl LiveState {
    /// The engine's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }
}

/// What a container's own health check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// The check compiled, and the object was right.
    Healthy,
    /// The check failed several times in a row.
    Unhealthy,
    /// The check has not finished yet.
    Starting,
    /// The container does not run, or has no check.
    Unknown,
}

impl Health {
    /// The engine's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Starting => "starting",
            Self::Unknown => "-",
        }
    }
}

/// A network that carries the farm's label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveNetwork {
    /// The engine's id.
    pub id: String,
    /// The network's name.
    pub name: String,
    /// Whether it is a bridge that keeps its containers apart from each other and from the world.
    pub is_isolated: bool,
}

/// A stranger's container that has published a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortHolder {
    /// The published port.
    pub port: u16,
    /// The host address; unspecified means all of them.
    pub address: IpAddr,
    /// The container's name.
    pub container: String,
}
