//! One snapshot of an engine, in three calls.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{
    ContainerSummary, ContainerSummaryStateEnum, ImageSummary, Network, PortSummary,
};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptionsBuilder,
};

use super::super::{Health, LiveNetwork, LiveState, LiveVolunteer, Observed, PortHolder, labels};
use crate::farm::{FarmName, ImageTag};

/// Images that farmctl assembled, of any farm.
const IMAGES: &str = "farmctl/*";

pub(super) async fn observe(docker: &Docker, farm: &FarmName) -> Result<Observed, Error> {
    let containers = ListContainersOptionsBuilder::default().all(true).build();
    let networks = HashMap::from([("label", vec![labels::filter(farm)])]);
    let networks = ListNetworksOptionsBuilder::default()
        .filters(&networks)
        .build();
    let images = HashMap::from([("reference", vec![IMAGES.to_owned()])]);
    let images = ListImagesOptionsBuilder::default().filters(&images).build();
    let (containers, networks, images) = tokio::try_join!(
        docker.list_containers(Some(containers)),
        docker.list_networks(Some(networks)),
        docker.list_images(Some(images)),
    )?;

    let mut observed = Observed {
        networks: networks.into_iter().filter_map(network).collect(),
        images: images.into_iter().flat_map(tags).collect(),
        ..Observed::default()
    };
    for container in containers {
        if let Some(volunteer) = volunteer(&container, farm) {
            observed.volunteers.push(volunteer);
        } else {
            observed.taken_names.extend(name(&container));
            observed.taken_ports.extend(taken_ports(&container));
        }
    }
    observed.volunteers.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(observed)
}

fn volunteer(container: &ContainerSummary, farm: &FarmName) -> Option<LiveVolunteer> {
    let labels = labels::read(container.labels.as_ref()?).filter(|labels| labels.farm == *farm)?;
    let published = container
        .ports
        .iter()
        .flatten()
        .find(|port| port.public_port.is_some());
    let state = state(container.state);
    Some(LiveVolunteer {
        id: container.id.clone()?,
        name: name(container).unwrap_or_default(),
        target: labels.target,
        fingerprint: labels.fingerprint,
        image: ImageTag::new(container.image.clone().unwrap_or_default()),
        port: published.and_then(|port| port.public_port),
        publish: published.and_then(|port| port.ip.as_deref()?.parse().ok()),
        slots: labels.slots,
        gcc: labels.gcc,
        state,
        health: health(container, state),
        age: age(container.created),
    })
}

/// The API puts a slash before names.
fn name(container: &ContainerSummary) -> Option<String> {
    let name = container.names.as_ref()?.first()?;
    Some(name.strip_prefix('/').unwrap_or(name).to_owned())
}

fn state(state: Option<ContainerSummaryStateEnum>) -> LiveState {
    match state {
        Some(ContainerSummaryStateEnum::RUNNING) => LiveState::Running,
        Some(ContainerSummaryStateEnum::PAUSED) => LiveState::Paused,
        Some(ContainerSummaryStateEnum::RESTARTING) => LiveState::Restarting,
        Some(ContainerSummaryStateEnum::CREATED) => LiveState::Created,
        Some(ContainerSummaryStateEnum::REMOVING | ContainerSummaryStateEnum::DEAD) => {
            LiveState::Dead
        }
        _ => LiveState::Exited,
    }
}

/// Engines before API 1.52 tell health only inside the status sentence: `Up 2 minutes (healthy)`.
fn health(container: &ContainerSummary, state: LiveState) -> Health {
    let status = container.status.as_deref().unwrap_or_default();
    if state != LiveState::Running {
        Health::Unknown
    } else if status.contains("(healthy)") {
        Health::Healthy
    } else if status.contains("(unhealthy)") {
        Health::Unhealthy
    } else if status.contains("(health: starting)") {
        Health::Starting
    } else {
        Health::Unknown
    }
}

fn age(created: Option<i64>) -> Duration {
    let created = Duration::from_secs(
        created
            .and_then(|seconds| u64::try_from(seconds).ok())
            .unwrap_or_default(),
    );
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    now.saturating_sub(created)
}

fn taken_ports(container: &ContainerSummary) -> Vec<PortHolder> {
    let holder = |port: &PortSummary| {
        Some(PortHolder {
            port: port.public_port?,
            address: port
                .ip
                .as_deref()
                .and_then(|ip| ip.parse().ok())
                .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            container: name(container).unwrap_or_default(),
        })
    };
    container
        .ports
        .iter()
        .flatten()
        .filter_map(holder)
        .collect()
}

fn network(network: Network) -> Option<LiveNetwork> {
    Some(LiveNetwork {
        id: network.id?,
        name: network.name?,
    })
}

fn tags(image: ImageSummary) -> impl Iterator<Item = (ImageTag, u64)> {
    let size = u64::try_from(image.size).unwrap_or_default();
    image
        .repo_tags
        .into_iter()
        .map(move |tag| (ImageTag::new(tag), size))
}
