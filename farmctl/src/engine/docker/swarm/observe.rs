//! One snapshot of a swarm: six lists, whatever its size.

use std::collections::{BTreeSet, HashMap};

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{Network, Service, Task};
use bollard::query_parameters::{
    InspectNetworkOptions, InspectServiceOptions, ListImagesOptions, ListNetworksOptions,
    ListNodesOptions, ListServicesOptions, ListTasksOptionsBuilder, ListVolumesOptionsBuilder,
};

use super::super::super::{
    LiveNode, LiveService, LiveServiceNetwork, ObservedSwarm, ServiceNetwork, labels, network_name,
};
use super::super::dialect::Dialect;
use super::super::failure::Missing as _;
use super::super::observe::{tags, volume};
use super::read::{self, NetworkNames};
use crate::farm::{FarmName, ServicePowers};

/// The driver of networks that are on each node for themselves.
pub(super) const BRIDGE: &str = "bridge";
/// The scope of networks that all nodes know.
pub(super) const SWARM: &str = "swarm";

pub(super) async fn observe(docker: &Docker, farm: &FarmName) -> Result<ObservedSwarm, Error> {
    let volumes = HashMap::from([("name", vec![network_name(farm)])]);
    let volumes = ListVolumesOptionsBuilder::default()
        .filters(&volumes)
        .build();
    let (nodes, services, networks, volumes, images) = tokio::try_join!(
        docker.list_nodes(None::<ListNodesOptions>),
        docker.list_services(None::<ListServicesOptions>),
        docker.list_networks(None::<ListNetworksOptions>),
        docker.list_volumes(Some(volumes)),
        docker.list_images(None::<ListImagesOptions>),
    )?;
    let (own, others): (Vec<_>, Vec<_>) = services
        .into_iter()
        .partition(|service| is_of(service, farm));
    let names: Vec<String> = own.iter().filter_map(name).collect();
    let mut tasks = tasks_of(docker, &names).await?;
    let called = names_of(docker, &networks, &own).await?;
    let mut observed = ObservedSwarm {
        powers: ServicePowers::of_api(docker.client_version().minor_version),
        nodes: nodes.into_iter().map(read::node).collect(),
        networks: networks
            .into_iter()
            .filter_map(|found| network(found, farm))
            .collect(),
        volumes: volumes
            .volumes
            .into_iter()
            .flatten()
            .map(|found| volume(found, Dialect::Docker, farm))
            .collect(),
        images: images.into_iter().flat_map(tags).collect(),
        taken_names: others.iter().filter_map(name).collect(),
        taken_ports: others.iter().flat_map(taken_ports).collect(),
        services: Vec::new(),
    };
    for service in own {
        let tasks = tasks.remove(service.id.as_deref().unwrap_or_default());
        observed
            .services
            .push(read::service(service, tasks.unwrap_or_default(), &called));
    }
    observed
        .nodes
        .sort_by(|a, b| (a.address, &a.id).cmp(&(b.address, &b.id)));
    observed.services.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(observed)
}

pub(super) async fn look_at(
    docker: &Docker,
    name: &str,
) -> Result<Option<(LiveService, Vec<LiveNode>)>, Error> {
    let service = match inspect(docker, name).await {
        Ok(service) => service,
        Err(error) if error.is_missing() => return Ok(None),
        Err(error) => return Err(error),
    };
    let names = [name.to_owned()];
    let (nodes, mut tasks) = tokio::try_join!(
        docker.list_nodes(None::<ListNodesOptions>),
        tasks_of(docker, &names),
    )?;
    let tasks = tasks.remove(service.id.as_deref().unwrap_or_default());
    // What its networks are called changes nothing of how far it is.
    let service = read::service(service, tasks.unwrap_or_default(), &NetworkNames::new());
    Ok(Some((service, nodes.into_iter().map(read::node).collect())))
}

pub(super) async fn inspect(docker: &Docker, name: &str) -> Result<Service, Error> {
    docker
        .inspect_service(name, None::<InspectServiceOptions>)
        .await
}

fn is_of(service: &Service, farm: &FarmName) -> bool {
    let labels = service.spec.as_ref().and_then(|spec| spec.labels.clone());
    labels::is_of(&labels.unwrap_or_default().into_iter().collect(), farm)
}

fn name(service: &Service) -> Option<String> {
    service.spec.as_ref()?.name.clone()
}

/// Tasks by their services' ids.
async fn tasks_of(
    docker: &Docker,
    services: &[String],
) -> Result<HashMap<String, Vec<Task>>, Error> {
    let mut by_service: HashMap<_, Vec<_>> = HashMap::new();
    if services.is_empty() {
        return Ok(by_service);
    }
    let filters = HashMap::from([("service", services.to_vec())]);
    let options = ListTasksOptionsBuilder::default().filters(&filters).build();
    for task in docker.list_tasks(Some(options)).await? {
        by_service
            .entry(task.service_id.clone().unwrap_or_default())
            .or_default()
            .push(task);
    }
    Ok(by_service)
}

/// Of the host's network the swarm has one with an id of its own, which is in no list.
async fn names_of(
    docker: &Docker,
    networks: &[Network],
    services: &[Service],
) -> Result<NetworkNames, Error> {
    let mut names: NetworkNames = networks
        .iter()
        .filter_map(|network| Some((network.id.clone()?, network.name.clone()?)))
        .collect();
    let templates = services
        .iter()
        .filter_map(|service| service.spec.as_ref()?.task_template.as_ref());
    let attached = templates.flat_map(|template| template.networks.iter().flatten());
    let unknown: BTreeSet<_> = attached
        .filter_map(|network| network.target.clone())
        .filter(|id| !names.contains_key(id))
        .collect();
    for id in unknown {
        match docker
            .inspect_network(&id, None::<InspectNetworkOptions>)
            .await
        {
            Ok(network) => drop(names.insert(id, network.name.unwrap_or_default())),
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(names)
}

fn network(network: Network, farm: &FarmName) -> Option<LiveServiceNetwork> {
    let labels = network.labels.unwrap_or_default().into_iter().collect();
    let is_ours = labels::is_of(&labels, farm) && network.scope.as_deref() == Some(SWARM);
    let live = LiveServiceNetwork {
        id: network.id?,
        is_bridge: network.driver.as_deref() == Some(BRIDGE),
        network: ServiceNetwork {
            name: network.name?,
            is_internal: network.internal == Some(true),
        },
    };
    is_ours.then_some(live)
}

fn taken_ports(service: &Service) -> Vec<(u16, String)> {
    let name = name(service).unwrap_or_default();
    let endpoint = service
        .spec
        .as_ref()
        .and_then(|spec| spec.endpoint_spec.as_ref());
    let ports = endpoint
        .into_iter()
        .flat_map(|endpoint| endpoint.ports.iter().flatten());
    ports
        .filter_map(|port| u16::try_from(port.published_port?).ok())
        .map(|port| (port, name.clone()))
        .collect()
}
