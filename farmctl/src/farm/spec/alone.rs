//! A volunteer without a door, for whoever runs it by other means than farmctl.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::volunteer::Entrance;
use super::{Shape, VolunteerSpec};

impl VolunteerSpec {
    /// The container in which the volunteer opens its port itself. It has the limits and the posture of one behind a
    /// door, and a network to be reached through; of labels only the user's, so farmctl does not take it for its own.
    pub fn alone(&self) -> Shape {
        let door = self.door();
        let own = self.publish;
        let stats = door.stats_address();
        let entrance = Entrance::Own {
            listen: door.listen_on(own),
            stats: stats.map(|address| door.listen_on(address.ip())),
        };
        let health = self.health_check(entrance.probed());
        let labels = self.labels.iter();
        Shape {
            command: self.command_at(entrance),
            labels: labels
                .map(|(name, value)| (name.as_str().to_owned(), value.clone()))
                .collect(),
            network: door.attachment(),
            ports: door.published(),
            mounts: BTreeMap::new(),
            health: Some(health),
            ..self.shape()
        }
    }
}

impl Entrance {
    /// The only address at which the daemon can be asked, where that is not every one of its container's.
    pub(super) fn probed(self) -> Option<IpAddr> {
        match self {
            Self::Own { listen, .. } => (!listen.is_unspecified()).then_some(listen),
            Self::Door => None,
        }
    }
}
