//! Calls of a farmctl that was killed: the engine carries them out all the same, perhaps while the next one runs.

use std::collections::HashMap;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    CreateContainerOptions, InspectContainerOptions, ListNetworksOptionsBuilder,
};
use tokio::time::sleep;

use super::super::labels;
use super::failure::NameTaken as _;
use crate::farm::VolunteerSpec;

/// A name is taken before there is a container to look at.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// Makes the container of `spec`, or finds the one that was made from the same specification meanwhile; returns its id.
pub(super) async fn create_or_find(
    docker: &Docker,
    spec: &VolunteerSpec,
    options: CreateContainerOptions,
    body: ContainerCreateBody,
) -> Result<String, Error> {
    let mut attempts = 0;
    loop {
        let taken = match docker
            .create_container(Some(options.clone()), body.clone())
            .await
        {
            Ok(created) => return Ok(created.id),
            Err(error) if error.is_name_taken() && attempts < ATTEMPTS => error,
            Err(error) => return Err(error),
        };
        match find(docker, spec).await {
            Some(Found::Same(id)) => return Ok(id),
            Some(Found::Other) => return Err(taken),
            None => sleep(PAUSE).await,
        }
        attempts += 1;
    }
}

enum Found {
    /// Made from the same specification.
    Same(String),
    Other,
}

async fn find(docker: &Docker, spec: &VolunteerSpec) -> Option<Found> {
    let name = spec.container_name();
    let found = docker
        .inspect_container(&name, None::<InspectContainerOptions>)
        .await
        .ok()?;
    let labels = found.config?.labels.unwrap_or_default();
    let fingerprint = labels::read(&labels)
        .filter(|labels| labels.farm == spec.farm)
        .and_then(|labels| labels.fingerprint);
    Some(if fingerprint == Some(spec.fingerprint()) {
        Found::Same(found.id?)
    } else {
        Found::Other
    })
}

/// Removes the network `own` again if another one of this name was made meanwhile: engines before API 1.44 take a name
/// twice, and then refuse it to containers.
pub(super) async fn leave_one_network(docker: &Docker, name: &str, own: &str) -> Result<(), Error> {
    let filters = HashMap::from([("name", vec![name.to_owned()])]);
    let options = ListNetworksOptionsBuilder::default()
        .filters(&filters)
        .build();
    let networks = docker.list_networks(Some(options)).await?;
    let is_twin = |network: &bollard::models::Network| {
        network.name.as_deref() == Some(name) && network.id.as_deref() != Some(own)
    };
    if networks.iter().any(is_twin) {
        docker.remove_network(own).await?;
    }
    Ok(())
}
