//! One snapshot of an engine: four lists, and a closer look at each of the farm's own containers.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum, ContainerSummary, HealthStatusEnum,
    ImageSummary, Network, PortSummary, Volume,
};
use bollard::query_parameters::{
    InspectContainerOptions, ListContainersOptionsBuilder, ListImagesOptions,
    ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
};
use futures_util::future::try_join_all;

use super::super::{
    Account, Health, LiveContainer, LiveNetwork, LiveState, LiveVolume, Observed, PortHolder,
    TaggedImage, labels, network_name,
};
use super::dialect::Dialect;
use super::failure::Missing as _;
use super::{image_names, inspect};
use crate::farm::{FarmName, ImageTag, Role, labels as names};

pub(super) async fn observe(
    docker: &Docker,
    dialect: impl Future<Output = Result<Dialect, Error>>,
    farm: &FarmName,
) -> Result<Observed, Error> {
    let containers = ListContainersOptionsBuilder::default().all(true).build();
    let networks = HashMap::from([("label", vec![labels::filter(farm)])]);
    let networks = ListNetworksOptionsBuilder::default()
        .filters(&networks)
        .build();
    let volumes = HashMap::from([("name", vec![network_name(farm)])]);
    let volumes = ListVolumesOptionsBuilder::default()
        .filters(&volumes)
        .build();
    let containers = async {
        let all = docker.list_containers(Some(containers)).await?;
        let (own, others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|summary| is_of(summary, farm));
        let own = try_join_all(own.iter().map(|summary| look_at(docker, summary))).await?;
        Ok((own.into_iter().flatten().collect::<Vec<_>>(), others))
    };
    let (dialect, (own, others), networks, volumes, images) = tokio::try_join!(
        dialect,
        containers,
        docker.list_networks(Some(networks)),
        docker.list_volumes(Some(volumes)),
        docker.list_images(None::<ListImagesOptions>),
    )?;
    let image_labels = |id: &str| {
        let image = images.iter().find(|image| image.id == id);
        image.map(|image| image.labels.clone()).unwrap_or_default()
    };
    let mut observed = Observed {
        networks: networks
            .into_iter()
            .filter_map(|found| network(found, dialect))
            .collect(),
        volumes: volumes
            .volumes
            .into_iter()
            .flatten()
            .map(|found| volume(found, dialect, farm))
            .collect(),
        ..Observed::default()
    };
    for (container, age) in own {
        let inherited = image_labels(container.image.as_deref().unwrap_or_default());
        let account = dialect.account();
        let live = LiveContainer {
            account,
            ..live(container, inherited.into_iter().collect(), age)
        };
        match live.role {
            Some(Role::Door) => observed.doors.push(live),
            _ => observed.volunteers.push(live),
        }
    }
    for other in others {
        observed.taken_names.extend(name(&other));
        observed.taken_ports.extend(taken_ports(&other));
    }
    observed.images = images.into_iter().flat_map(tags).collect();
    observed.volunteers.sort_by(|a, b| a.name.cmp(&b.name));
    observed.doors.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(observed)
}

fn is_of(summary: &ContainerSummary, farm: &FarmName) -> bool {
    let labels = summary.labels.clone().unwrap_or_default();
    labels::is_of(&labels.into_iter().collect(), farm)
}

/// A container that went away between the list and the look is not there.
async fn look_at(
    docker: &Docker,
    summary: &ContainerSummary,
) -> Result<Option<(ContainerInspectResponse, Duration)>, Error> {
    let id = summary.id.as_deref().unwrap_or_default();
    match docker
        .inspect_container(id, None::<InspectContainerOptions>)
        .await
    {
        Ok(container) => {
            let container = without_inherited_environment(docker, container).await?;
            Ok(Some((container, age(summary.created))))
        }
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Variables that come with the image are nobody's doing. Assembled images have one, which every container is given
/// anyway; only where there are more the image is asked.
async fn without_inherited_environment(
    docker: &Docker,
    mut container: ContainerInspectResponse,
) -> Result<ContainerInspectResponse, Error> {
    let Some(environment) = container
        .config
        .as_mut()
        .and_then(|config| config.env.as_mut())
    else {
        return Ok(container);
    };
    if environment.len() <= 1 {
        return Ok(container);
    }
    let id = container.image.as_deref().unwrap_or_default();
    let inherited = match docker.inspect_image(id).await {
        Ok(image) => image.config.and_then(|config| config.env),
        Err(error) if error.is_missing() => None,
        Err(error) => return Err(error),
    };
    let inherited = inherited.unwrap_or_default();
    let is_path = |variable: &String| variable.starts_with("PATH=");
    environment.retain(|variable| is_path(variable) || !inherited.contains(variable));
    Ok(container)
}

fn live(
    container: ContainerInspectResponse,
    inherited: BTreeMap<String, String>,
    age: Duration,
) -> LiveContainer {
    let shape = inspect::shape(&container);
    let labels = labels::read(&shape.labels);
    let state = container.state.unwrap_or_default();
    let is = match state.status {
        Some(ContainerStateStatusEnum::RUNNING) => LiveState::Running,
        Some(ContainerStateStatusEnum::PAUSED) => LiveState::Paused,
        Some(ContainerStateStatusEnum::RESTARTING) => LiveState::Restarting,
        Some(ContainerStateStatusEnum::CREATED) => LiveState::Created,
        Some(ContainerStateStatusEnum::REMOVING | ContainerStateStatusEnum::DEAD) => {
            LiveState::Dead
        }
        _ => LiveState::Exited,
    };
    let health = match state.health.and_then(|health| health.status) {
        _ if is != LiveState::Running => Health::Unknown,
        Some(HealthStatusEnum::HEALTHY) => Health::Healthy,
        Some(HealthStatusEnum::UNHEALTHY) => Health::Unhealthy,
        Some(HealthStatusEnum::STARTING) => Health::Starting,
        _ => Health::Unknown,
    };
    LiveContainer {
        id: container.id.unwrap_or_default(),
        name: plain_name(&container.name.unwrap_or_default()),
        target: labels.target,
        role: labels.role,
        fingerprint: labels.fingerprint,
        image: shape.image.clone(),
        image_id: container.image.unwrap_or_default(),
        slots: labels.slots,
        gcc: labels.gcc,
        shape,
        account: Account::Whole,
        inherited,
        state: is,
        health,
        age,
    }
}

fn name(container: &ContainerSummary) -> Option<String> {
    Some(plain_name(container.names.as_ref()?.first()?))
}

/// The API puts a slash before names.
fn plain_name(name: &str) -> String {
    name.strip_prefix('/').unwrap_or(name).to_owned()
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

fn network(network: Network, dialect: Dialect) -> Option<LiveNetwork> {
    let options = network.options.unwrap_or_default();
    let is_bridge = network.driver.as_deref() == Some("bridge");
    let keeps_apart = super::isolation()
        .iter()
        .all(|(name, value)| options.get(name) == Some(value));
    let is_isolated = is_bridge && (keeps_apart || !dialect.has_network_options());
    Some(LiveNetwork {
        id: network.id?,
        name: network.name?,
        is_isolated,
    })
}

pub(super) fn volume(volume: Volume, dialect: Dialect, farm: &FarmName) -> LiveVolume {
    let labels: BTreeMap<_, _> = volume.labels.into_iter().collect();
    let is_local = volume.driver == "local";
    LiveVolume {
        name: volume.name,
        is_ours: labels::is_of(&labels, farm),
        target: labels::read(&labels).target,
        options: is_local.then(|| dialect.read_volume_options(volume.options)),
    }
}

pub(super) fn tags(image: ImageSummary) -> impl Iterator<Item = (ImageTag, TaggedImage)> {
    let live = TaggedImage {
        id: image.id,
        bytes: u64::try_from(image.size).unwrap_or_default(),
        made_as: image.labels.get(names::IMAGE).map(ImageTag::new),
    };
    // An image may be asked for by its digest, too.
    image
        .repo_tags
        .into_iter()
        .chain(image.repo_digests)
        .map(move |tag| (image_names::plain(tag), live.clone()))
}
