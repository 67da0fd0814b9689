//! How a volunteer is run, apart from what it compiles: where its port is open, what starts it again, what it tells.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// On which address of the host a volunteer's port is opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Publish {
    /// The host's own address, the one that masters dial.
    #[default]
    Auto,
    /// This one; an unspecified address is every one the host has.
    On(IpAddr),
}

/// Through which network masters reach a volunteer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Network {
    /// The farm's own bridge, on which the engine publishes ports.
    #[default]
    Bridge,
    /// The host's, without anything between it and the port.
    Host,
}

/// What a host's engine is asked to run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum EngineKind {
    /// Containers of its own.
    #[default]
    Containers,
    /// Services of the swarm that it manages.
    Swarm,
}

/// When the engine starts a container again by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Restart {
    /// Never.
    No,
    /// After it failed, and not after it was stopped.
    OnFailure,
    /// Whenever it ended, also after it was stopped and the engine started anew.
    Always,
    /// Whenever it ended, unless somebody stopped it.
    #[default]
    UnlessStopped,
}

/// Who may read a volunteer's statistics, on a port of its own: the port of the jobs plus [`Self::PORT_DISTANCE`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Stats {
    /// Nobody outside the container.
    #[default]
    Off,
    /// Programs of the host.
    Loopback,
    /// Whoever may send jobs, at the same address.
    Lan,
}

impl Stats {
    /// From the port of the jobs to that of the statistics.
    pub const PORT_DISTANCE: u16 = 100;
}

/// Where a volunteer's image comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ImageSource {
    /// Assembled here, from packages or from a toolchain's archive.
    #[default]
    Assemble,
    /// Pulled from a registry: the reference of a repository, such as `registry.lan/farmctl/armv7h`, or of one image in it.
    Pull(ImageReference),
    /// Neither: the engine has it already, or the volunteer cannot be made.
    Never,
}

impl ImageSource {
    /// The values that are single words, as the manifest writes them.
    pub const WORDS: &'static [&'static str] = &["assemble", "never"];
}

impl FromStr for ImageSource {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        match text {
            "assemble" => Ok(Self::Assemble),
            "never" => Ok(Self::Never),
            _ => Err(SettingError::Word {
                key: "image",
                found: text.to_owned(),
                known: Self::WORDS,
            }),
        }
    }
}

/// An image in a registry, as `docker pull` takes it; without a tag or digest `latest` is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageReference(String);

impl ImageReference {
    /// The reference as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A setting that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// A word that is none of the ones a setting knows.
    #[error("'{found}' is no value of `{key}`")]
    Word {
        /// The setting.
        key: &'static str,
        /// What was written.
        found: String,
        /// What may be written.
        known: &'static [&'static str],
    },
    /// No address to publish on.
    #[error("'{0}' is no address to publish on")]
    Publish(String),
    /// No reference of an image.
    #[error("'{0}' is no image of a registry")]
    Reference(String),
    /// No name of a label.
    #[error("'{0}' is no name of a label")]
    Label(String),
    /// A label that farmctl sets itself.
    #[error("labels that begin with `farmctl.` are farmctl's own: '{0}'")]
    ReservedLabel(String),
}

impl SettingError {
    /// What to write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::Word { known, .. } => format!("write one of: {}", known.join(", ")),
            Self::Publish(_) => {
                "write auto, or an address of the host such as 10.30.5.9".to_owned()
            }
            Self::Reference(_) => {
                "write it as docker pull takes it, such as registry.lan:5000/farmctl/armv7h"
                    .to_owned()
            }
            Self::Label(_) => {
                "use letters, digits, '.', '-', '_' and '/', such as com.example.room".to_owned()
            }
            Self::ReservedLabel(_) => "choose another name".to_owned(),
        }
    }
}

macro_rules! words {
    ($setting:ident, $key:literal, $($word:literal => $value:ident),+ $(,)?) => {
        impl $setting {
            /// Every value, as the manifest writes it.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The value as the manifest writes it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $word),+
                }
            }
        }

        impl FromStr for $setting {
            type Err = SettingError;

            fn from_str(text: &str) -> Result<Self, SettingError> {
                match text {
                    $($word => Ok(Self::$value),)+
                    _ => Err(SettingError::Word {
                        key: $key,
                        found: text.to_owned(),
                        known: Self::WORDS,
                    }),
                }
            }
        }

        impl fmt::Display for $setting {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words!(Network, "network", "bridge" => Bridge, "host" => Host);
words!(Restart, "restart", "no" => No, "on-failure" => OnFailure, "always" => Always, "unless-stopped" => UnlessStopped);
words!(EngineKind, "engine", "containers" => Containers, "swarm" => Swarm);
words!(Stats, "stats", "off" => Off, "loopback" => Loopback, "lan" => Lan);

impl FromStr for Publish {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => text
                .parse()
                .map(Self::On)
                .map_err(|_no_address| SettingError::Publish(text.to_owned())),
        }
    }
}

impl FromStr for ImageReference {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let allowed =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | ':' | '@');
        let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if starts && text.chars().all(allowed) && !text.contains("//") && !text.ends_with('/') {
            Ok(Self(text.to_owned()))
        } else {
            Err(SettingError::Reference(text.to_owned()))
        }
    }
}

/// Labels of the user's own on a volunteer's container.
pub type Labels = BTreeMap<LabelName, String>;

/// The name of a label of the user's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelName(String);

impl LabelName {
    /// What names of farmctl's own labels begin with.
    pub const RESERVED: &'static str = "farmctl.";

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LabelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for LabelName {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
        if text.starts_with(Self::RESERVED) {
            Err(SettingError::ReservedLabel(text.to_owned()))
        } else if text.is_empty() || !text.chars().all(allowed) {
            Err(SettingError::Label(text.to_owned()))
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_what_they_print() {
        for word in Restart::WORDS {
            assert_eq!(word.parse::<Restart>().map(Restart::as_str), Ok(*word));
        }
        let error = "sometimes".parse::<Restart>().unwrap_err();
        assert_eq!(error.to_string(), "'sometimes' is no value of `restart`");
        assert_eq!(
            error.hint(),
            "write one of: no, on-failure, always, unless-stopped"
        );
    }

    #[test]
    fn references_are_what_docker_pull_takes() {
        for good in ["registry.lan:5000/farmctl/armv7h", "a/b:1", "a@sha256:00"] {
            assert!(good.parse::<ImageReference>().is_ok(), "{good}");
        }
        for bad in ["", "/a", "a b", "a//b", "http://a/", "a/"] {
            assert!(bad.parse::<ImageReference>().is_err(), "{bad}");
        }
    }

    #[test]
    fn labels_of_farmctl_are_refused() {
        assert!("com.example.room".parse::<LabelName>().is_ok());
        for bad in ["", "a b", "farmctl.farm", "ä"] {
            assert!(bad.parse::<LabelName>().is_err(), "{bad}");
        }
    }
}
