//! One volunteer's container, down to everything that must cause it to be replaced.

use std::fmt;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{AllowRule, FarmName, GccMajor, Memory, Nice, Port, Slots, TargetName};

/// A tag of an assembled image, such as `farmctl/armv7h:1f0c…`; the same contents have the same tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageTag(String);

impl ImageTag {
    /// Takes a tag as the engine spells it.
    pub fn new(tag: impl Into<String>) -> Self {
        Self(tag.into())
    }

    /// The tag as the engine spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The container of one target on one host, fully decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolunteerSpec {
    /// The farm it belongs to.
    pub farm: FarmName,
    /// What it compiles for.
    pub target: TargetName,
    /// The image it runs.
    pub image: ImageTag,
    /// The port inside the container and on the host.
    pub port: Port,
    /// The only host address on which the port is published.
    pub publish: IpAddr,
    /// Jobs at once.
    pub slots: Slots,
    /// Added to the niceness of every compiler.
    pub nice: Nice,
    /// Upper limit of the container's memory, scratch space included.
    pub memory: Memory,
    /// Who may send jobs, farmctl's own checks included.
    pub allow: Vec<AllowRule>,
    /// Installed GCC versions, the preferred one first.
    pub gcc: Vec<GccMajor>,
    /// How long jobs in flight may finish once the container is told to stop.
    pub stop_grace: Duration,
}

/// Equal for equal specifications; a container carries the one it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Takes a fingerprint back from a label.
    pub fn from_label(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text for a label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl VolunteerSpec {
    /// The container's name on its engine.
    pub fn container_name(&self) -> String {
        format!("farmctl-{}-{}", self.farm, self.target)
    }

    /// The daemon's arguments, in the stock daemon's spelling.
    pub fn command(&self) -> Vec<String> {
        let mut command = vec![
            "--daemon".to_owned(),
            "--no-detach".to_owned(),
            "--log-stderr".to_owned(),
        ];
        let mut option = |name: &str, value: String| command.extend([name.to_owned(), value]);
        option("--port", self.port.to_string());
        option("--jobs", self.slots.to_string());
        option("--nice", self.nice.increment().to_string());
        option("--grace", self.daemon_grace().as_secs().to_string());
        if let Some(port) = self.stats_port() {
            option("--stats-port", port.to_string());
            option("--stats-listen", "127.0.0.1".to_owned());
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

    /// Where the daemon tells its statistics, inside the container only: the stock daemon's port for that is another
    /// target's.
    fn stats_port(&self) -> Option<u16> {
        self.port.number().checked_add(STATS_PORT_DISTANCE)
    }

    /// A little less than the engine's own patience, so that the daemon ends its last jobs itself and says so.
    fn daemon_grace(&self) -> Duration {
        self.stop_grace.saturating_sub(Duration::from_secs(5))
    }

    /// A hash over every field: a container with another one is replaced.
    pub fn fingerprint(&self) -> Fingerprint {
        // Taken apart without `..`, so that a new field cannot be forgotten here.
        let Self {
            farm,
            target,
            image,
            port,
            publish,
            slots,
            nice,
            memory,
            allow,
            gcc,
            stop_grace,
        } = self;
        let mut text = format!(
            "{POSTURE}\n{farm}\n{target}\n{image}\n{publish}:{port}\n{slots}\n{}\n{memory}\n{}\n",
            nice.increment(),
            stop_grace.as_secs(),
        );
        for version in gcc {
            let _ = writeln!(text, "gcc {version}");
        }
        for rule in allow {
            let _ = writeln!(text, "allow {rule}");
        }
        Fingerprint(hex::encode(&Sha256::digest(text)[..16]))
    }
}

/// The container's own loopback, from where the health check comes.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1/128"];

/// Every address there is.
const EVERYBODY: [&str; 2] = ["0.0.0.0/0", "::/0"];

fn allowing<R: fmt::Display>(ranges: impl IntoIterator<Item = R>) -> impl Iterator<Item = String> {
    ranges
        .into_iter()
        .flat_map(|range| ["--allow".to_owned(), range.to_string()])
}

/// From the port of the jobs to that of the statistics.
const STATS_PORT_DISTANCE: u16 = 100;

/// Counts up when the container is built differently from the same specification.
const POSTURE: &str = "posture 3";

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> VolunteerSpec {
        VolunteerSpec {
            farm: "attic".parse().unwrap(),
            target: "armv7h".parse().unwrap(),
            image: ImageTag::new("farmctl/armv7h:0"),
            port: Port::try_from(3635).unwrap(),
            publish: IpAddr::from([10, 30, 5, 9]),
            slots: Slots::try_from(20).unwrap(),
            nice: Nice::DEFAULT,
            memory: "4GiB".parse().unwrap(),
            allow: ["private", "local", "203.0.113.0/24"]
                .map(|rule| rule.parse().unwrap())
                .into(),
            gcc: vec![GccMajor::try_from(14).unwrap()],
            stop_grace: Duration::from_mins(2),
        }
    }

    #[test]
    fn the_command_uses_the_stock_spelling() {
        assert_eq!(
            spec().command().join(" "),
            "--daemon --no-detach --log-stderr --port 3635 --jobs 20 --nice 5 --grace 115 \
             --stats-port 3735 --stats-listen 127.0.0.1 --stats --allow-private --allow 127.0.0.0/8 --allow ::1/128 --allow 203.0.113.0/24",
        );
    }

    #[test]
    fn every_change_has_another_fingerprint() {
        let edits: [fn(&mut VolunteerSpec); 6] = [
            |s| s.image = ImageTag::new("farmctl/armv7h:1"),
            |s| s.publish = IpAddr::from([127, 0, 0, 1]),
            |s| s.memory = "5GiB".parse().unwrap(),
            |s| s.allow.clear(),
            |s| s.gcc.push(GccMajor::try_from(13).unwrap()),
            |s| s.nice = Nice::try_from(6).unwrap(),
        ];
        for edit in edits {
            let mut changed = spec();
            edit(&mut changed);
            assert_ne!(changed.fingerprint(), spec().fingerprint());
        }
        assert_eq!(spec().fingerprint(), spec().fingerprint());
    }
}
