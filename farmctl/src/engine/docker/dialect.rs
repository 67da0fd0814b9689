//! What kind of engine speaks: Docker's own, or one that speaks its language in a way of its own.

use std::collections::{BTreeMap, HashMap};

use bollard::models::SystemVersion;

use super::super::Account;
use crate::farm::volume_options;

/// An engine's way of speaking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Docker's.
    Docker,
    /// Podman's service for Docker's clients. Differences: docs/podman.md.
    Podman,
}

impl Dialect {
    pub(super) fn of(version: &SystemVersion) -> Self {
        let components = version.components.iter().flatten();
        let mut names = components.map(|component| component.name.as_str());
        if names.any(|name| name == "Podman Engine") {
            Self::Podman
        } else {
            Self::Docker
        }
    }

    /// What can be said of containers.
    pub(super) fn account(self) -> Account {
        match self {
            Self::Docker => Account::Whole,
            Self::Podman => Account::Fingerprint,
        }
    }

    /// The options of a door's volume, as this engine takes them: Podman would limit a size by quotas of the disk.
    pub(super) fn volume_options(self) -> BTreeMap<String, String> {
        let mut options = volume_options();
        if self == Self::Podman {
            let unlimited = options.get_mut("o").map(|words| {
                let kept = words.split(',').filter(|word| !word.starts_with("size="));
                *words = kept.collect::<Vec<_>>().join(",");
            });
            debug_assert!(unlimited.is_some());
        }
        options
    }

    /// The options of a volume in Docker's words.
    pub(super) fn read_volume_options(
        self,
        found: HashMap<String, String>,
    ) -> BTreeMap<String, String> {
        let mut options: BTreeMap<_, _> = found.into_iter().collect();
        if self == Self::Podman {
            // It takes them out of `o` as well.
            options.remove("UID");
            options.remove("GID");
            if options == self.volume_options() {
                return volume_options();
            }
        }
        options
    }

    /// Whether a network can be told by its options to keep containers apart; one of Podman's only says that it is a bridge.
    pub(super) fn has_network_options(self) -> bool {
        self == Self::Docker
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::SystemVersionComponents;

    use super::*;

    #[test]
    fn podman_says_its_name() {
        let version = |name: &str| SystemVersion {
            components: Some(vec![SystemVersionComponents {
                name: name.to_owned(),
                ..SystemVersionComponents::default()
            }]),
            ..SystemVersion::default()
        };
        assert_eq!(Dialect::of(&version("Podman Engine")), Dialect::Podman);
        assert_eq!(Dialect::of(&version("Engine")), Dialect::Docker);
        assert_eq!(Dialect::of(&SystemVersion::default()), Dialect::Docker);
    }

    #[test]
    fn podmans_volumes_are_read_back_as_they_were_asked_for() {
        let mut found: HashMap<_, _> = Dialect::Podman.volume_options().into_iter().collect();
        assert!(!found["o"].contains("size"), "{found:?}");
        found.insert("UID".to_owned(), "65532".to_owned());
        found.insert("GID".to_owned(), "65532".to_owned());
        assert_eq!(
            Dialect::Podman.read_volume_options(found.clone()),
            volume_options()
        );
        found.insert("o".to_owned(), "mode=0777".to_owned());
        assert_ne!(Dialect::Podman.read_volume_options(found), volume_options());
    }
}
