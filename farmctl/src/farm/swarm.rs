//! A host that is a whole swarm: where its nodes get images, and which of them may work.

use std::fmt;
use std::str::FromStr;

use super::TargetName;

/// What makes a host a swarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swarm {
    /// Where images are pushed to, and where nodes pull them from.
    pub registry: Registry,
    /// Which nodes may work; all of these must hold.
    pub placement: Vec<Constraint>,
}

/// A registry, with a path in it or not: `registry.lan:5000/farmctl`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Registry(String);

/// A condition on nodes in the swarm's own words, such as `node.labels.farm==yes`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Constraint(String);

/// A text that is neither.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SwarmError {
    /// Not the place of images in a registry.
    #[error("'{0}' is no registry")]
    Registry(String),
    /// Not a condition on nodes.
    #[error("'{0}' is no condition on the nodes of a swarm")]
    Constraint(String),
}

impl SwarmError {
    /// What to write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::Registry(_) => {
                "write host[:port] and a path in it, in lower case and without a tag: registry.lan:5000/farmctl".to_owned()
            }
            Self::Constraint(_) => format!(
                "write KEY==VALUE or KEY!=VALUE, where KEY is {}",
                CONSTRAINT_KEYS.join(", ")
            ),
        }
    }
}

/// What conditions may be about; those that end in a dot go on with the name of a label.
const CONSTRAINT_KEYS: [&str; 8] = [
    "node.id",
    "node.hostname",
    "node.ip",
    "node.role",
    "node.platform.os",
    "node.platform.arch",
    "node.labels.",
    "engine.labels.",
];

impl Registry {
    /// The repository of a target's images.
    pub fn repository(&self, target: &TargetName) -> String {
        format!("{}/{target}", self.0)
    }
}

impl FromStr for Registry {
    type Err = SwarmError;

    fn from_str(text: &str) -> Result<Self, SwarmError> {
        let refused = || SwarmError::Registry(text.to_owned());
        let mut parts = text.split('/');
        let host = parts.next().unwrap_or_default();
        let (name, port) = host.split_once(':').unwrap_or((host, "443"));
        let is_port = port.parse::<u16>().is_ok_and(|port| port != 0);
        // Without a dot, a port or this name an engine takes the first part for a path on Docker Hub.
        let is_host = host.contains(['.', ':']) || host == "localhost";
        let host_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let path_letter =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        let is_good = is_port
            && is_host
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(host_letter)
            && parts.all(|part| !part.is_empty() && part.chars().all(path_letter));
        if is_good {
            Ok(Self(text.to_owned()))
        } else {
            Err(refused())
        }
    }
}

impl FromStr for Constraint {
    type Err = SwarmError;

    fn from_str(text: &str) -> Result<Self, SwarmError> {
        let refused = || SwarmError::Constraint(text.to_owned());
        let (sign, (key, value)) = ["==", "!="]
            .into_iter()
            .find_map(|sign| Some((sign, text.split_once(sign)?)))
            .ok_or_else(refused)?;
        let (key, value) = (key.trim(), value.trim());
        let is_known = CONSTRAINT_KEYS
            .iter()
            .any(|known| match known.strip_suffix('.') {
                Some(_group) => key.len() > known.len() && key.starts_with(known),
                None => key == *known,
            });
        let letter = |c: char| !c.is_control() && !c.is_whitespace() && !matches!(c, '=' | '!');
        let is_good = is_known
            && key.chars().all(letter)
            && !value.is_empty()
            && value.chars().all(|c| letter(c) || c == ' ');
        if is_good {
            Ok(Self(format!("{key}{sign}{value}")))
        } else {
            Err(refused())
        }
    }
}

impl Constraint {
    /// As the swarm's manager takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_has_a_host_that_no_engine_takes_for_a_path() {
        for good in [
            "registry.lan:5000/farmctl",
            "localhost",
            "10.1.1.1:5000",
            "ghcr.io/me/farm_1",
        ] {
            assert_eq!(
                good.parse::<Registry>().map(|r| r.to_string()),
                Ok(good.to_owned())
            );
        }
        for bad in [
            "",
            "farmctl",
            "registry/farmctl",
            "r.lan:0/x",
            "r.lan/Farm",
            "r.lan//x",
            "r.lan/x:1",
            "https://r.lan",
            "-r.lan",
        ] {
            assert!(bad.parse::<Registry>().is_err(), "{bad}");
        }
    }

    #[test]
    fn conditions_are_written_in_one_way() {
        let written = |text: &str| text.parse::<Constraint>().map(|c| c.to_string()).ok();
        assert_eq!(
            written("node.labels.farm == yes").as_deref(),
            Some("node.labels.farm==yes")
        );
        assert_eq!(
            written("node.role!=manager").as_deref(),
            Some("node.role!=manager")
        );
        for bad in [
            "",
            "farm",
            "farm==yes",
            "node.labels.==yes",
            "node.role=manager",
            "node.role==",
            "node.id===x",
        ] {
            assert_eq!(written(bad), None, "{bad}");
        }
    }
}
