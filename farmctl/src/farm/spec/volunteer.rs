//! What was decided for one target on one host.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::door::{door_mount, stats_port};
use super::{
    DOOR_DIRECTORY, DoorSpec, Fingerprint, HealthCheck, ImageTag, Role, Shape, labels, posture,
};
use crate::farm::{
    AllowRule, Cpus, FarmName, GccMajor, Grace, ImageSource, Labels, Memory, Network, Nice, Port,
    Restart, Slots, Stats, TargetName,
};

/// The volunteer of one target on one host and its door, fully decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolunteerSpec {
    /// The farm it belongs to.
    pub farm: FarmName,
    /// What it compiles for.
    pub target: TargetName,
    /// The image it runs.
    pub image: ImageTag,
    /// Where the image comes from.
    pub source: ImageSource,
    /// The port inside the containers and on the host.
    pub port: Port,
    /// The only host address on which the port is published; unspecified is every one.
    pub publish: IpAddr,
    /// Through which network masters reach it.
    pub network: Network,
    /// Jobs at once.
    pub slots: Slots,
    /// Upper limit of the processors' time.
    pub cpus: Option<Cpus>,
    /// Added to the niceness of every compiler.
    pub nice: Nice,
    /// Upper limit of the container's memory, scratch space included.
    pub memory: Memory,
    /// Who may send jobs, farmctl's own checks included.
    pub allow: Vec<AllowRule>,
    /// Installed GCC versions, the preferred one first.
    pub gcc: Vec<GccMajor>,
    /// When the engine starts its containers again.
    pub restart: Restart,
    /// How long jobs in flight may finish once the container is told to stop.
    pub stop_grace: Grace,
    /// Who may read its statistics.
    pub stats: Stats,
    /// Labels of the user's own.
    pub labels: Labels,
    /// Whether the engine can limit swap.
    pub swap_limit: bool,
    /// Whether the engine can limit processes.
    pub process_limit: bool,
}

/// Processes of one job at the most: driver, compiler, assembler, and some room for the daemon itself.
const PROCESSES_PER_SLOT: i64 = 8;
const PROCESSES_OF_THE_DAEMON: i64 = 64;

const HEALTH_INTERVAL: Duration = Duration::from_secs(30);
/// On a busy volunteer the check waits for a free slot, as every job does.
const HEALTH_TIMEOUT: Duration = Duration::from_mins(5);
const HEALTH_RETRIES: i64 = 3;

/// The container's own loopback, from where the health check comes.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1/128"];
/// Every address there is.
const EVERYBODY: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// How masters come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entrance {
    /// Through the door; the daemon's own port is for its health check.
    Door,
    /// Through the daemon's own port.
    Own {
        /// Where it listens for jobs.
        listen: IpAddr,
        /// Where it tells its statistics, if that is to be open.
        stats: Option<IpAddr>,
    },
}

impl VolunteerSpec {
    /// The names that its container may have on its engine: while a predecessor has one of them, it has another.
    pub fn container_names(&self) -> [String; 2] {
        let name = format!("farmctl-{}-{}", self.farm, self.target);
        [name.clone(), format!("{name}-2")]
    }

    /// The name that its container has while it is kept from working, whatever else is applied.
    pub fn drained_name(farm: &FarmName, target: &TargetName) -> String {
        format!("farmctl-{farm}-{target}-drained")
    }

    /// Its door.
    pub fn door(&self) -> DoorSpec {
        DoorSpec {
            farm: self.farm.clone(),
            target: self.target.clone(),
            image: self.image.clone(),
            port: self.port,
            publish: self.publish,
            network: self.network,
            stats: self.stats,
            restart: self.restart,
            swap_limit: self.swap_limit,
            process_limit: self.process_limit,
        }
    }

    /// The daemon's arguments, in the stock daemon's spelling. It listens on its own loopback, for the health check;
    /// masters come through the door.
    pub fn command(&self) -> Vec<String> {
        self.command_at(Entrance::Door)
    }

    pub(super) fn command_at(&self, entrance: Entrance) -> Vec<String> {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let (listen, stats) = match entrance {
            Entrance::Door => (loopback, loopback),
            Entrance::Own { listen, stats } => (listen, stats.unwrap_or(loopback)),
        };
        let mut command = ["--daemon", "--no-detach", "--log-stderr"]
            .map(str::to_owned)
            .to_vec();
        let mut option = |name: &str, value: String| command.extend([name.to_owned(), value]);
        option("--port", self.port.to_string());
        option("--listen", listen.to_string());
        if entrance == Entrance::Door {
            option("--door", DOOR_DIRECTORY.to_owned());
        }
        option("--jobs", self.slots.to_string());
        option("--nice", self.nice.increment().to_string());
        option("--grace", self.daemon_grace().as_secs().to_string());
        if let Some(port) = stats_port(self.port) {
            option("--stats-port", port.to_string());
            option("--stats-listen", stats.to_string());
            command.push("--stats".to_owned());
        }
        for rule in &self.allow {
            match rule {
                AllowRule::Private => command.push("--allow-private".to_owned()),
                AllowRule::Local => command.extend(allowing(LOOPBACK)),
                AllowRule::Range(range) => command.extend(allowing([range])),
                AllowRule::Any => command.extend(allowing(EVERYBODY)),
            }
        }
        command
    }

    /// A little less than the engine's own patience, so that the daemon ends its last jobs itself and says so.
    fn daemon_grace(&self) -> Duration {
        self.stop_grace
            .duration()
            .saturating_sub(Duration::from_secs(5))
    }

    /// The container to make.
    pub fn shape(&self) -> Shape {
        self.unsealed().sealed()
    }

    /// The same without its fingerprint, which costs more than all the rest.
    pub fn unsealed(&self) -> Shape {
        let memory = i64::try_from(self.memory.bytes()).unwrap_or(i64::MAX);
        let processes =
            PROCESSES_OF_THE_DAEMON + PROCESSES_PER_SLOT * i64::from(self.slots.count());
        Shape {
            command: self.command(),
            hostname: Some(self.target.to_string()),
            labels: self.all_labels(),
            mounts: door_mount(&self.farm, &self.target),
            memory,
            memory_swap: if self.swap_limit { memory } else { -1 },
            nano_cpus: self.cpus.map_or(0, Cpus::nanos),
            processes: if self.process_limit { processes } else { 0 },
            restart: self.restart,
            tmpfs: BTreeMap::from([("/tmp".to_owned(), self.scratch())]),
            stop_seconds: i64::from(self.stop_grace.seconds()),
            health: Some(self.health_check(None)),
            ..posture::locked_in(self.image.clone())
        }
    }

    fn all_labels(&self) -> BTreeMap<String, String> {
        let gcc: Vec<_> = self.gcc.iter().map(ToString::to_string).collect();
        let own = [
            (labels::FARM, self.farm.to_string()),
            (labels::TARGET, self.target.to_string()),
            (labels::ROLE, Role::Volunteer.as_str().to_owned()),
            (labels::SLOTS, self.slots.to_string()),
            (labels::GCC, gcc.join(",")),
        ];
        let of_the_user = self
            .labels
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.clone()));
        of_the_user
            .chain(own.map(|(name, value)| (name.to_owned(), value)))
            .collect()
    }

    /// Scratch space counts as the container's memory; half of it leaves the other half to the compilers.
    fn scratch(&self) -> BTreeSet<String> {
        ["rw", "nosuid", "nodev", "noexec", "mode=1777"]
            .map(str::to_owned)
            .into_iter()
            .chain([format!("size={}", self.memory.bytes() / 2)])
            .collect()
    }

    /// A real compile, whose object is checked, at the address where the volunteer listens if that is not its loopback.
    pub(super) fn health_check(&self, address: Option<IpAddr>) -> HealthCheck {
        health_check(self.port, address)
    }

    /// A hash over everything that its container is made of: one with another hash is replaced.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.shape().fingerprint()
    }
}

/// A real compile, whose object is checked: see the daemon's probe.
pub(super) fn health_check(port: Port, address: Option<IpAddr>) -> HealthCheck {
    let nanoseconds = |time: Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
    let listens = address
        .into_iter()
        .flat_map(|address| ["--listen".to_owned(), address.to_string()]);
    HealthCheck {
        test: std::iter::once("CMD".to_owned())
            .chain(probe_command(port))
            .chain(listens)
            .collect(),
        interval: nanoseconds(HEALTH_INTERVAL),
        timeout: nanoseconds(HEALTH_TIMEOUT),
        retries: HEALTH_RETRIES,
    }
}

/// What is run inside a volunteer's container to find out whether it compiles.
pub fn probe_command(port: Port) -> [String; 3] {
    ["/usr/bin/distccd", "--probe", &port.to_string()].map(str::to_owned)
}

fn allowing<R: fmt::Display>(ranges: impl IntoIterator<Item = R>) -> impl Iterator<Item = String> {
    ranges
        .into_iter()
        .flat_map(|range| ["--allow".to_owned(), range.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> VolunteerSpec {
        VolunteerSpec {
            farm: "attic".parse().unwrap(),
            target: "armv7h".parse().unwrap(),
            image: ImageTag::new("farmctl/armv7h:0"),
            source: ImageSource::Assemble,
            port: Port::try_from(3635).unwrap(),
            publish: IpAddr::from([10, 30, 5, 9]),
            network: Network::Bridge,
            slots: Slots::try_from(20).unwrap(),
            cpus: None,
            nice: Nice::DEFAULT,
            memory: "4GiB".parse().unwrap(),
            allow: ["private", "local", "203.0.113.0/24"]
                .map(|rule| rule.parse().unwrap())
                .into(),
            gcc: vec![GccMajor::try_from(14).unwrap()],
            restart: Restart::default(),
            stop_grace: Grace::DEFAULT,
            stats: Stats::Off,
            labels: Labels::new(),
            swap_limit: true,
            process_limit: true,
        }
    }

    type Edit = fn(&mut VolunteerSpec);

    fn door_differences(changed: &VolunteerSpec) -> Vec<String> {
        let found = changed.door().shape();
        let wanted = spec().door().unsealed_of(&found.image);
        wanted.differences(&found, &BTreeMap::new())
    }

    #[test]
    fn the_command_uses_the_stock_spelling() {
        assert_eq!(
            spec().command().join(" "),
            "--daemon --no-detach --log-stderr --port 3635 --listen 127.0.0.1 --door /run/door --jobs 20 --nice 5 --grace 115 \
             --stats-port 3735 --stats-listen 127.0.0.1 --stats --allow-private --allow 127.0.0.0/8 --allow ::1/128 --allow 203.0.113.0/24",
        );
    }

    #[test]
    fn a_change_of_the_volunteer_leaves_its_door_alone() {
        let edits: [Edit; 10] = [
            |s| s.image = ImageTag::new("farmctl/armv7h:1"),
            |s| s.memory = "5GiB".parse().unwrap(),
            |s| s.cpus = Some("2.5".parse().unwrap()),
            |s| s.allow.clear(),
            |s| s.gcc.push(GccMajor::try_from(13).unwrap()),
            |s| s.nice = Nice::try_from(6).unwrap(),
            |s| s.slots = Slots::clamped(21),
            |s| s.stop_grace = "1m".parse().unwrap(),
            |s| {
                s.labels.insert("room".parse().unwrap(), "1".to_owned());
            },
            |s| s.swap_limit = false,
        ];
        for (number, edit) in edits.into_iter().enumerate() {
            let mut changed = spec();
            edit(&mut changed);
            assert_ne!(changed.fingerprint(), spec().fingerprint(), "edit {number}");
            assert_ne!(
                spec()
                    .shape()
                    .differences(&changed.shape(), &BTreeMap::new()),
                [""; 0]
            );
            if number < edits.len() - 1 {
                let door = door_differences(&changed);
                assert_eq!(door, [""; 0], "edit {number}");
            }
        }
        assert_eq!(spec().fingerprint(), spec().fingerprint());
    }

    #[test]
    fn a_change_of_the_door_leaves_the_volunteer_alone() {
        let edits: [Edit; 3] = [
            |s| s.publish = IpAddr::from([127, 0, 0, 1]),
            |s| s.network = Network::Host,
            |s| s.stats = Stats::Lan,
        ];
        for (number, edit) in edits.into_iter().enumerate() {
            let mut changed = spec();
            edit(&mut changed);
            assert_eq!(changed.fingerprint(), spec().fingerprint(), "edit {number}");
            let door = door_differences(&changed);
            assert_ne!(door, [""; 0], "edit {number}");
        }
    }

    #[test]
    fn doors_listen_where_their_network_is() {
        let mut spec = spec();
        let listens = |spec: &VolunteerSpec| {
            let command = spec.door().shape().command.join(" ");
            let (_, rest) = command.split_once("--keep-door /run/door ").unwrap();
            rest.to_owned()
        };
        assert_eq!(listens(&spec), "--port 3635 --listen 0.0.0.0");
        spec.stats = Stats::Loopback;
        assert_eq!(
            listens(&spec),
            "--port 3635 --listen 0.0.0.0 --stats-port 3735 --stats-listen 0.0.0.0"
        );
        let published: Vec<_> = spec
            .door()
            .addresses()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(published, ["10.30.5.9:3635", "127.0.0.1:3735"]);
        spec.network = Network::Host;
        assert_eq!(
            listens(&spec),
            "--port 3635 --listen 10.30.5.9 --stats-port 3735 --stats-listen 127.0.0.1"
        );
        assert!(spec.door().shape().ports.is_empty());
    }

    #[test]
    fn alone_it_owns_its_port_and_is_nobodys() {
        let mut spec = spec();
        spec.stats = Stats::Loopback;
        spec.labels.insert("room".parse().unwrap(), "1".to_owned());
        let (behind, alone) = (spec.shape(), spec.alone());
        let command = alone.command.join(" ");
        assert!(!command.contains("--door"), "{command}");
        assert!(
            command.contains("--port 3635 --listen 0.0.0.0 --jobs 20 ")
                && command.contains("--stats-port 3735 --stats-listen 0.0.0.0 --stats"),
            "{command}"
        );
        assert_eq!(alone.ports, spec.door().shape().ports);
        assert_eq!(alone.network, spec.door().shape().network);
        assert_eq!(alone.labels.keys().collect::<Vec<_>>(), ["room"]);
        assert_eq!(
            behind.differences(&alone, &BTreeMap::new()),
            ["command", "labels", "network", "ports", "mounts"],
            "everything else is as behind a door"
        );
    }

    #[test]
    fn alone_in_the_hosts_network_it_is_asked_where_it_listens() {
        let mut spec = spec();
        spec.network = Network::Host;
        let alone = spec.alone();
        assert!(alone.command.join(" ").contains("--listen 10.30.5.9"));
        let check = alone.health.unwrap().test.join(" ");
        assert_eq!(
            check,
            "CMD /usr/bin/distccd --probe 3635 --listen 10.30.5.9"
        );
    }

    #[test]
    fn drift_is_told_by_name() {
        let wanted = spec().shape();
        let mut observed = wanted.clone();
        observed.memory += 1;
        observed.foreign.insert("privileged".to_owned());
        observed.labels.insert("vendor".to_owned(), "x".to_owned());
        let inherited = BTreeMap::from([("vendor".to_owned(), "x".to_owned())]);
        assert_eq!(
            wanted.differences(&observed, &inherited),
            ["memory", "privileged"]
        );
        assert_eq!(
            wanted.differences(&observed, &BTreeMap::new()),
            ["labels", "memory", "privileged"]
        );
    }
}
