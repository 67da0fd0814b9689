//! The volumes that a container mounts, made before it: Podman makes those that come with a container without their
//! labels and options.

use std::collections::HashMap;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::VolumeCreateRequest;

use super::dialect::Dialect;
use crate::farm::{Shape, labels};

/// Makes what `shape` mounts; a volume that is there already stays as it is.
pub(super) async fn create(docker: &Docker, dialect: Dialect, shape: &Shape) -> Result<(), Error> {
    for mount in shape.mounts.values() {
        docker
            .create_volume(request(&mount.source, dialect, shape))
            .await?;
    }
    Ok(())
}

fn request(name: &str, dialect: Dialect, shape: &Shape) -> VolumeCreateRequest {
    VolumeCreateRequest {
        name: Some(name.to_owned()),
        driver: Some("local".to_owned()),
        driver_opts: Some(dialect.volume_options().into_iter().collect()),
        labels: Some(own_labels(shape)),
        ..VolumeCreateRequest::default()
    }
}

/// Of the container's labels those that say whose volume it is.
pub(super) fn own_labels(shape: &Shape) -> HashMap<String, String> {
    let own = [labels::FARM, labels::TARGET].into_iter();
    own.filter_map(|name| Some((name.to_owned(), shape.labels.get(name)?.clone())))
        .collect()
}
