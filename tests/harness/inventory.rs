//! What a run has on the engine at some moment.

use std::collections::BTreeSet;

use anyhow::Result;
use bollard::query_parameters::{ListNetworksOptions, ListVolumesOptions};

use crate::Scenario;
use crate::sweep::containers;

/// Containers by id, networks and volumes by name, of this run and all its farms; the user's own are none of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// Container ids, running or not.
    pub containers: BTreeSet<String>,
    /// Network names.
    pub networks: BTreeSet<String>,
    /// Volume names.
    pub volumes: BTreeSet<String>,
}

impl Inventory {
    /// What there is now.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn of(scenario: &Scenario) -> Result<Self> {
        let scope = scenario.scope_of_run();
        let found = containers(scenario.docker(), scope).await?;
        let networks = scenario
            .docker()
            .list_networks(None::<ListNetworksOptions>)
            .await?;
        let ours = networks.into_iter().filter(|network| {
            let labels = network.labels.clone().unwrap_or_default();
            scope.contains(&labels, None)
        });
        let volumes = scenario
            .docker()
            .list_volumes(None::<ListVolumesOptions>)
            .await?;
        let volumes = volumes.volumes.unwrap_or_default().into_iter();
        let volumes = volumes.filter(|volume| scope.contains(&volume.labels, None));
        Ok(Self {
            volumes: volumes.map(|volume| volume.name).collect(),
            containers: found
                .into_iter()
                .filter_map(|container| container.id)
                .collect(),
            networks: ours.filter_map(|network| network.name).collect(),
        })
    }

    /// What is here and not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self {
            containers: &self.containers - &other.containers,
            networks: &self.networks - &other.networks,
            volumes: &self.volumes - &other.volumes,
        }
    }
}
