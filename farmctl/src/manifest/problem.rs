//! What can be wrong with a manifest, in words.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::farm::{
    AddressError, AllowRule, AllowRuleError, EndpointError, GccMajor, HostName, NameError, Port,
    QuantityError, SettingError, Stats, SwarmError, TargetName, UnknownArchitecture,
};

/// Longest manifest accepted, in bytes.
pub(super) const MAX_BYTES: u64 = 64 << 10;

/// One mistake in a manifest or in a target's file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error("cannot read {path}: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("{path} is a directory")]
    Directory { path: String },
    #[error("{path} does not exist")]
    Missing { path: String },
    #[error("{path} is longer than {} KiB", MAX_BYTES >> 10)]
    TooLong { path: String },
    #[error("{path} is not UTF-8 text: line {line} holds the byte 0x{byte:02x}")]
    NotUtf8 { path: String, line: usize, byte: u8 },

    #[error("the control character U+{:04X} is not allowed in YAML", *.0 as u32)]
    ControlCharacter(char),
    #[error("this is not YAML: {0}")]
    Syntax(String),
    #[error("too many brackets are open")]
    TooDeep,
    #[error("too many values")]
    TooManyValues,
    #[error("more than one YAML document")]
    SecondDocument,

    #[error("expected {expected}, found {found}")]
    Kind {
        expected: &'static str,
        found: &'static str,
    },
    #[error("unknown key {}", quoted(.key))]
    UnknownKey {
        key: String,
        known: Vec<&'static str>,
        /// Where a key of this name belongs.
        elsewhere: Option<&'static str>,
    },
    #[error("{} is here twice", quoted(.0))]
    Repeated(String),
    #[error("the key '{0}' is missing")]
    MissingKey(&'static str),
    #[error("{0} holds nothing")]
    Empty(&'static str),

    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Quantity(#[from] QuantityError),
    #[error("{0} is out of range")]
    OutOfRange(i128),
    #[error(transparent)]
    Allow(#[from] AllowRuleError),
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error("{0} lets much of the internet in")]
    WideRange(AllowRule),
    #[error("together with the ranges before it, {0} lets much of the internet in")]
    WideTogether(AllowRule),
    #[error("{} is not the address of a package archive", quoted(.0))]
    Mirror(String),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(
        "{0} has no `tls`: whoever reaches an engine without certificates is root on its machine"
    )]
    NoCertificates(String),
    #[error("{0} is reached without `tls`")]
    UselessCertificates(String),
    #[error("{} is no path", quoted(.0))]
    File(String),
    #[error(transparent)]
    Machine(#[from] UnknownArchitecture),
    #[error(transparent)]
    Swarm(#[from] SwarmError),
    #[error("a swarm needs a `registry`, from which its nodes get images")]
    NoRegistry,
    #[error("`{0}` is for swarms")]
    OnlySwarm(&'static str),
    #[error("masters dial each node of a swarm by its own address")]
    SwarmAddress,
    #[error("a swarm cannot open the port of {target} on {address} alone")]
    SwarmPublish { target: TargetName, address: IpAddr },
    #[error("a swarm cannot keep the statistics of {0} on the loopback")]
    SwarmStats(TargetName),

    #[error("cannot read the directory {path}: {reason}")]
    Toolchains { path: String, reason: String },
    #[error("unknown target {}", quoted(.name))]
    UnknownTarget { name: String, known: Vec<String> },
    #[error("this farm does not compile for {0}")]
    TargetNotInFarm(TargetName),
    #[error("there is no GCC {version} for {target}")]
    UnknownGcc {
        target: TargetName,
        version: GccMajor,
        known: Vec<GccMajor>,
    },
    #[error("there are no headers for GCC {version} of {target}")]
    NoHeaders {
        target: TargetName,
        version: GccMajor,
    },
    #[error("GCC {version} of this archive is not among the versions that {target} gets")]
    UnusedArchive {
        target: TargetName,
        version: GccMajor,
    },
    #[error("{} means {target}, which is here already", quoted(.name))]
    SameTarget { name: String, target: TargetName },
    #[error("{first} and {second} have the same port {port}")]
    SamePort {
        first: String,
        second: String,
        port: u16,
    },
    #[error(
        "the statistics of {target} have no port: {port} and {} are more than 65535",
        Stats::PORT_DISTANCE
    )]
    NoStatsPort { target: TargetName, port: Port },
    #[error("the hosts {first} and {second} have the same Docker engine")]
    SameEngine { first: HostName, second: HostName },
    #[error(
        "masters would dial the hosts {first} and {second} at the same address, on port {port}"
    )]
    SameAddress {
        first: HostName,
        second: HostName,
        port: Port,
    },

    #[error("{0}")]
    Word(String),
    #[error("{} holds an unknown placeholder", quoted(.0))]
    Placeholder(String),
    #[error("{} is no name of a package", quoted(.0))]
    PackageName(String),
    #[error("{} is not an absolute path", quoted(.0))]
    Path(String),
    #[error("{} is not a path inside the archive", quoted(.0))]
    RelativePath(String),
    #[error("{} is not the address of an archive", quoted(.0))]
    Url(String),
    #[error("{} is behind https, which farmctl does not speak", quoted(.0))]
    Https(String),
    #[error("{} is not a SHA-256", quoted(.0))]
    Sha256(String),
    #[error("the compilers' names do not follow from the directory '.'")]
    NamelessDirectory,
    #[error("{} is no name of an architecture", quoted(.0))]
    Architecture(String),
    #[error("{} is no compiler option", quoted(.0))]
    CompilerOption(String),
    #[error("the default is GCC {0}, which no suite has")]
    NoSuite(GccMajor),
    #[error("{} already means {owner}", quoted(.name))]
    NameTaken { name: String, owner: String },
}

impl Problem {
    /// What to do about it.
    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => {
                Some("check that the file can be read by this user".to_owned())
            }
            Self::Directory { path } => Some(format!("name a file in it, such as {path}/farm.yaml")),
            Self::Missing { .. } => {
                Some("name no file to get every target on this machine".to_owned())
            }
            Self::NotUtf8 { .. } => Some("save the file as UTF-8".to_owned()),
            Self::TooManyValues => Some("write fewer anchors and aliases".to_owned()),
            Self::SecondDocument => Some("remove the line ---, and what belongs to another file".to_owned()),
            Self::Kind { expected, found } => kind_hint(expected, found),
            Self::UnknownKey { key, known, elsewhere } => Some(match (elsewhere, closest(key, known)) {
                (Some(place), _) => format!("`{key}:` belongs under {place}"),
                (None, Some(meant)) => did_you_mean(meant),
                (None, None) => format!("the keys here are {}", known.join(", ")),
            }),
            Self::Repeated(_) => Some("keep one of them".to_owned()),
            Self::Empty(key) => Some(empty_hint(key)),
            Self::Name(error) => Some(error.hint()),
            Self::Quantity(error) => Some(error.hint()),
            Self::Allow(error) => Some(error.hint()),
            Self::Address(error) => Some(error.hint()),
            Self::Setting(error) => Some(setting_hint(error)),
            Self::WideRange(_) | Self::WideTogether(_) => Some(
                "name the networks that your masters are in; `allow: [any]` opens the farm to everybody".to_owned(),
            ),
            Self::OutOfRange(number) if *number < 0 => Some("write a number above 0".to_owned()),
            Self::OutOfRange(_) => Some("write a smaller number".to_owned()),
            Self::Mirror(_) => Some("write an address such as http://ftp.example.org/debian".to_owned()),
            Self::Endpoint(error) => Some(error.hint()),
            Self::NoCertificates(_) => Some(
                "name the folder with ca.pem, cert.pem and key.pem as `tls:`, or use ssh:// instead".to_owned(),
            ),
            Self::UselessCertificates(_) => Some(
                "remove `tls:`, or write the engine as tcp://host:2376".to_owned(),
            ),
            Self::Swarm(error) => Some(error.hint()),
            Self::NoRegistry => Some("name one that all nodes reach: registry: registry.lan:5000/farmctl".to_owned()),
            Self::OnlySwarm(key) => Some(format!("remove `{key}:`, or add `engine: swarm`")),
            Self::SwarmAddress => Some("remove `address:`".to_owned()),
            Self::SwarmPublish { .. } => Some(
                "write `publish: auto` for this host; a swarm's ports are open on every address of a node".to_owned(),
            ),
            Self::SwarmStats(_) => Some(
                "write `network: host` as well, or `stats: lan`, or `stats: off`".to_owned(),
            ),
            Self::File(_) => Some(
                "write the whole path, or one that starts at the manifest's own directory".to_owned(),
            ),
            Self::UnknownTarget { name, known } => Some(closest(name, known).map_or_else(
                || format!("the targets are {}", known.join(", ")),
                did_you_mean,
            )),
            Self::TargetNotInFarm(target) => {
                Some(format!("list {target} under the farm's own `targets:` as well"))
            }
            Self::UnknownGcc { known, .. } => {
                let known: Vec<String> = known.iter().map(ToString::to_string).collect();
                Some(format!("the versions are {}", known.join(", ")))
            }
            Self::NoHeaders { .. } => Some(
                "a target's file lists them as `headers:` in the group `gcc:`; archives have none".to_owned(),
            ),
            Self::UnusedArchive { version, .. } => {
                Some(format!("add {version} to `gcc:`, or remove the archive"))
            }
            Self::NoStatsPort { .. } => Some("give it a lower `port:`, or write `stats: off`".to_owned()),
            Self::RelativePath(_) => {
                Some("start at the archive's own top, such as x-tools/aarch64-unknown-linux-gnu".to_owned())
            }
            Self::Url(_) => Some("write it such as http://mirror.lan/x-tools.tar.xz, or file:///…".to_owned()),
            Self::Https(_) => Some(
                "write http: what comes is checked by its signature or its SHA-256 all the same".to_owned(),
            ),
            Self::Sha256(_) => Some("write the 64 digits that sha256sum prints".to_owned()),
            Self::NamelessDirectory => Some("name them as `c:` and `c++:`".to_owned()),
            Self::Toolchains { .. } => {
                Some("`toolchains:` names a directory, starting at the manifest's own".to_owned())
            }
            Self::SameTarget { .. } => Some("keep one of them, and put all settings there".to_owned()),
            Self::SamePort { .. } => Some("give one of them another `port:`".to_owned()),
            Self::SameEngine { .. } => Some("write one host for each machine".to_owned()),
            Self::SameAddress { .. } => Some("give each host an `address:` of its own, or `targets:` that others lack".to_owned()),
            Self::Placeholder(_) => Some("{version} stands for the major version of GCC".to_owned()),
            Self::Path(_) => Some("write the whole path, such as /usr/bin/gcc-{version}".to_owned()),
            Self::Machine(_) => Some("the architectures of hosts are amd64 and arm64".to_owned()),
            Self::NoSuite(_) => Some("list it under `stable:` or `testing:`".to_owned()),
            Self::NameTaken { .. } => Some("every name and alias means one target".to_owned()),
            Self::TooLong { .. }
            | Self::ControlCharacter(_)
            | Self::TooDeep
            | Self::Syntax(_)
            | Self::MissingKey(_)
            | Self::Word(_)
            | Self::PackageName(_)
            | Self::Architecture(_)
            | Self::CompilerOption(_) => None,
        }
    }
}

fn setting_hint(error: &SettingError) -> String {
    let meant = match error {
        SettingError::Word { found, known, .. } => closest(found, known),
        _ => None,
    };
    meant.map_or_else(|| error.hint(), did_you_mean)
}

/// What a value of this kind looks like.
pub(super) const TEXT: &str = "text";
pub(super) const WHOLE_NUMBER: &str = "a whole number";
pub(super) const DURATION: &str = "a time with its unit";
pub(super) const KEYS: &str = "a group of keys";

fn kind_hint(expected: &str, found: &str) -> Option<String> {
    match (expected, found) {
        (TEXT, "a number" | "a number that is not whole" | "a yes-or-no value") => {
            Some("put it in quotes".to_owned())
        }
        (WHOLE_NUMBER, "text") => {
            Some("write the digits alone, without quotes or a unit".to_owned())
        }
        (DURATION, "a number" | "a number that is not whole") => {
            Some("add a unit: s, m or h".to_owned())
        }
        (KEYS, "a list") => Some("write `name: {}` instead of `- name`".to_owned()),
        _ => None,
    }
}

fn empty_hint(key: &str) -> String {
    let otherwise = match key {
        "hosts" => "this machine",
        "targets" => "every target",
        "gcc" => "the default version",
        "allow" => "private networks",
        _ => "none",
    };
    format!("list something, or leave `{key}:` out to get {otherwise}")
}

fn did_you_mean(word: &str) -> String {
    format!("did you mean {word}?")
}

/// The word most like `wrong`, if one is like it at all.
fn closest<'k, W: AsRef<str>>(wrong: &str, known: &'k [W]) -> Option<&'k str> {
    let tolerable = (wrong.chars().count() / 3).max(1);
    let by_distance: BTreeSet<(usize, &str)> = known
        .iter()
        .map(|word| {
            (
                strsim::damerau_levenshtein(wrong, word.as_ref()),
                word.as_ref(),
            )
        })
        .collect();
    let (distance, word) = by_distance.first()?;
    (*distance <= tolerable).then_some(*word)
}

/// Text from a manifest inside a message: of one line, without control characters and of bearable length.
fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    let mut shown: String = text.chars().take(MOST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("'{}'", shown.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_was_meant_and_nothing_else() {
        let known = ["farm", "allow", "targets", "hosts"];
        for (wrong, meant) in [
            ("target", Some("targets")),
            ("hsots", Some("hosts")),
            ("Farm", Some("farm")),
            ("volunteers", None),
            ("", None),
        ] {
            assert_eq!(closest(wrong, &known), meant, "{wrong}");
        }
    }

    #[test]
    fn messages_stay_on_one_line() {
        let problem = Problem::Repeated("a\nb\u{1b}[31m".to_owned() + &"c".repeat(100));
        let message = problem.to_string();
        assert!(!message.contains(char::is_control), "{message}");
        assert!(message.chars().count() < 100, "{message}");
    }
}
