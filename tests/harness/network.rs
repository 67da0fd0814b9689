//! Networks of tests, and the addresses that this machine has on them.

use std::collections::HashMap;
use std::net::IpAddr;

use anyhow::{Context, Result};
use bollard::Docker;
use bollard::models::NetworkCreateRequest;
use bollard::query_parameters::InspectNetworkOptions;

/// A network of its own, on which this machine has an address that nobody else publishes ports on.
///
/// So test farms keep the usual five ports and get along with each other, and with farms of the machine's user.
#[derive(Debug, Clone)]
pub struct Lan {
    /// The network's name.
    pub name: String,
    /// This machine's address on it.
    pub gateway: IpAddr,
}

impl Lan {
    pub(crate) async fn create(
        docker: &Docker,
        name: String,
        labels: HashMap<String, String>,
    ) -> Result<Self> {
        let request = NetworkCreateRequest {
            name: name.clone(),
            labels: Some(labels),
            ..NetworkCreateRequest::default()
        };
        docker
            .create_network(request)
            .await
            .with_context(|| format!("cannot create network {name}"))?;
        let gateway = gateway(docker, &name).await?;
        Ok(Self { name, gateway })
    }
}

async fn gateway(docker: &Docker, name: &str) -> Result<IpAddr> {
    let network = docker
        .inspect_network(name, None::<InspectNetworkOptions>)
        .await?;
    let ranges = network.ipam.and_then(|ipam| ipam.config);
    let gateway = ranges
        .into_iter()
        .flatten()
        .find_map(|range| range.gateway)
        .with_context(|| format!("network {name} has no gateway"))?;
    gateway
        .parse()
        .with_context(|| format!("'{gateway}' is no address"))
}
