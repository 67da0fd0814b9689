//! A target's door: the container that owns its port for years, while volunteers behind it come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{Attachment, ImageTag, Mount, Role, Shape, Stats, labels, posture};
use crate::farm::{FarmName, Network, Port, Restart, TargetName};

/// Where both containers of a target see the door's directory.
pub const DOOR_DIRECTORY: &str = "/run/door";

/// The door of one target on one host, fully decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorSpec {
    /// The farm it belongs to.
    pub farm: FarmName,
    /// Whose door it is.
    pub target: TargetName,
    /// The image to make it of; one that is there already may be of another.
    pub image: ImageTag,
    /// The port that masters dial.
    pub port: Port,
    /// The host's address on which it is open; unspecified is every one.
    pub publish: IpAddr,
    /// Through which network masters reach it.
    pub network: Network,
    /// Who may read the statistics.
    pub stats: Stats,
    /// When the engine starts it again.
    pub restart: Restart,
    /// Whether the engine can limit swap.
    pub swap_limit: bool,
    /// Whether the engine can limit processes.
    pub process_limit: bool,
}

/// A door copies nothing and needs next to nothing.
const MEMORY: i64 = 64 << 20;
const PROCESSES: i64 = 64;
const STOP_SECONDS: i64 = 5;

impl DoorSpec {
    /// The container's name on its engine.
    pub fn container_name(&self) -> String {
        door_name(&self.farm, &self.target)
    }

    /// The host's addresses that it opens.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        std::iter::once(SocketAddr::new(self.publish, self.port.number()))
            .chain(self.stats_address())
            .collect()
    }

    pub(super) fn stats_address(&self) -> Option<SocketAddr> {
        let port = stats_port(self.port)?;
        match self.stats {
            Stats::Off => None,
            Stats::Loopback => Some(SocketAddr::new(loopback(self.publish), port)),
            Stats::Lan => Some(SocketAddr::new(self.publish, port)),
        }
    }

    /// The daemon's arguments. In a network of its own it listens everywhere, and the engine publishes; in the host's
    /// it listens on the host's address itself.
    fn command(&self) -> Vec<String> {
        let mut command = ["--daemon", "--no-detach", "--log-stderr"]
            .map(str::to_owned)
            .to_vec();
        let mut option = |name: &str, value: String| command.extend([name.to_owned(), value]);
        option("--keep-door", DOOR_DIRECTORY.to_owned());
        option("--port", self.port.to_string());
        option("--listen", self.listen_on(self.publish).to_string());
        if let Some(stats) = self.stats_address() {
            option("--stats-port", stats.port().to_string());
            option("--stats-listen", self.listen_on(stats.ip()).to_string());
        }
        command
    }

    /// Where in the container's network it listens for what is to be open at this address of the host.
    pub(super) fn listen_on(&self, address: IpAddr) -> IpAddr {
        match self.network {
            Network::Bridge => Ipv4Addr::UNSPECIFIED.into(),
            Network::Host => address,
        }
    }

    /// The network through which masters come.
    pub(super) fn attachment(&self) -> Attachment {
        match self.network {
            Network::Bridge => Attachment::Network(network_name(&self.farm)),
            Network::Host => Attachment::Host,
        }
    }

    pub(super) fn published(&self) -> BTreeMap<String, BTreeSet<SocketAddr>> {
        match self.network {
            Network::Host => BTreeMap::new(),
            Network::Bridge => self
                .addresses()
                .into_iter()
                .map(|address| (format!("{}/tcp", address.port()), BTreeSet::from([address])))
                .collect(),
        }
    }

    /// The container to make.
    pub fn shape(&self) -> Shape {
        self.unsealed().sealed()
    }

    /// The same without its fingerprint, which costs more than all the rest.
    fn unsealed(&self) -> Shape {
        let own = [
            (labels::FARM, self.farm.to_string()),
            (labels::TARGET, self.target.to_string()),
            (labels::ROLE, Role::Door.as_str().to_owned()),
        ];
        Shape {
            command: self.command(),
            labels: own.map(|(name, value)| (name.to_owned(), value)).into(),
            network: self.attachment(),
            ports: self.published(),
            mounts: door_mount(&self.farm, &self.target),
            memory: MEMORY,
            memory_swap: if self.swap_limit { MEMORY } else { -1 },
            processes: if self.process_limit { PROCESSES } else { 0 },
            restart: self.restart,
            stop_seconds: STOP_SECONDS,
            ..posture::locked_in(self.image.clone())
        }
    }

    /// The container to make, of another image and without its fingerprint: of which image a door was made does not
    /// matter, it is there for years.
    pub fn unsealed_of(&self, image: &ImageTag) -> Shape {
        Shape {
            image: image.clone(),
            ..self.unsealed()
        }
    }
}

/// Both containers of a target share a directory of memory that only their user may look into.
pub(super) fn door_mount(farm: &FarmName, target: &TargetName) -> BTreeMap<String, Mount> {
    let mount = Mount {
        source: volume_name(farm, target),
        read_only: false,
    };
    BTreeMap::from([(DOOR_DIRECTORY.to_owned(), mount)])
}

/// The options with which the engine's local driver makes a door's directory.
pub fn volume_options() -> BTreeMap<String, String> {
    [
        ("type", "tmpfs"),
        ("device", "tmpfs"),
        ("o", "size=64k,mode=0700,uid=65532,gid=65532"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// The name of a target's volume on its engine.
pub fn volume_name(farm: &FarmName, target: &TargetName) -> String {
    format!("farmctl-{farm}-{target}")
}

/// The name of a target's door on its engine.
pub fn door_name(farm: &FarmName, target: &TargetName) -> String {
    format!("farmctl-{farm}-{target}-door")
}

/// The name of a farm's network on its engine.
pub fn network_name(farm: &FarmName) -> String {
    format!("farmctl-{farm}")
}

/// Where the daemon tells its statistics: the stock daemon's port for that is another target's.
pub(super) fn stats_port(port: Port) -> Option<u16> {
    port.number().checked_add(Stats::PORT_DISTANCE)
}

fn loopback(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
    }
}
