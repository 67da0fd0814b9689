//! For which machines images have to be.

use std::collections::BTreeMap;

use super::super::Failure;
use super::super::fleet::{Hosts, Snapshot};
use super::super::image_request::image_request;
use crate::farm::{Architecture, Farm, Host, HostName, ImageSource, Volunteer};
use crate::image::{ImageRequest, Lock};

/// What is known of the hosts' machines: programs in their images must be made for them.
#[derive(Debug, Default)]
pub(in crate::cli) struct Machines(BTreeMap<HostName, Architecture>);

impl FromIterator<(HostName, Architecture)> for Machines {
    fn from_iter<T: IntoIterator<Item = (HostName, Architecture)>>(told: T) -> Self {
        Self(told.into_iter().collect())
    }
}

impl Machines {
    /// Those of the hosts that told it.
    pub(in crate::cli) fn of(snapshots: &Hosts<Snapshot>) -> Self {
        let snapshots = snapshots.present.iter();
        snapshots
            .map(|(member, snapshot)| (member.host.name.clone(), snapshot.facts.architecture))
            .collect()
    }

    /// What images of `volunteer` on `host` may have to be for. A host that did not tell is what `lock` has images for,
    /// or else one like this machine.
    pub(super) fn architectures(
        &self,
        host: &Host,
        volunteer: &Volunteer,
        lock: Option<&Lock>,
    ) -> Vec<Architecture> {
        if let Some(known) = self.0.get(&host.name) {
            return vec![*known];
        }
        let is_locked = |architecture: &Architecture| {
            let request = image_request(volunteer, *architecture);
            lock.zip(request.ok())
                .is_some_and(|(lock, request)| lock.covers(&[request]))
        };
        let mut locked = Architecture::ALL.to_vec();
        locked.retain(is_locked);
        if locked.is_empty() {
            locked.push(Architecture::own());
        }
        locked
    }
}

/// What all images of a farm that are named by what they are made from ask for, each thing once.
pub(in crate::cli) fn wanted_requests(
    farm: &Farm,
    machines: &Machines,
    lock: Option<&Lock>,
) -> Result<Vec<ImageRequest>, Failure> {
    let mut wanted = Vec::new();
    for host in &farm.hosts {
        let volunteers = host.volunteers.iter();
        let named = volunteers.filter(|one| !matches!(one.image, ImageSource::Pull(_)));
        for volunteer in named {
            for architecture in machines.architectures(host, volunteer, lock) {
                let request = match image_request(volunteer, architecture) {
                    // Its other images cannot be named either: that is where the host fails.
                    Err(_) if farm.hosts.len() > 1 => continue,
                    request => request?,
                };
                if !wanted.contains(&request) {
                    wanted.push(request);
                }
            }
        }
    }
    Ok(wanted)
}
