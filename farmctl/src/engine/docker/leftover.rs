//! Calls of a farmctl that was killed: the engine carries them out all the same, perhaps while the next one runs.

use std::collections::HashMap;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, ListNetworksOptionsBuilder,
};
use tokio::time::sleep;

use super::create;
use super::failure::NameTaken as _;
use crate::farm::{Shape, labels};

/// A name is taken before there is a container to look at.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// Makes a container, or finds the one that was made meanwhile from the same shape; returns its id.
pub(super) async fn create_or_find(
    docker: &Docker,
    name: &str,
    shape: &Shape,
) -> Result<String, Error> {
    let options = CreateContainerOptionsBuilder::default().name(name).build();
    let body = create::body(shape);
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
        match find(docker, name, shape).await {
            Some(Found::Same(id)) => return Ok(id),
            Some(Found::Other) => return Err(taken),
            None => sleep(PAUSE).await,
        }
        attempts += 1;
    }
}

enum Found {
    /// Made from the same shape.
    Same(String),
    Other,
}

async fn find(docker: &Docker, name: &str, shape: &Shape) -> Option<Found> {
    let found = docker
        .inspect_container(name, None::<InspectContainerOptions>)
        .await
        .ok()?;
    let labels = found.config?.labels.unwrap_or_default();
    let same = |label: &str| labels.get(label) == shape.labels.get(label);
    Some(if same(labels::FARM) && same(labels::FINGERPRINT) {
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
