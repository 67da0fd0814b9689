//! A swarm, through the engine of one of its managers.

mod body;
mod observe;
mod read;
mod registry;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::{NetworkCreateRequest, ServiceSpec as Body};
use bollard::query_parameters::{RemoveVolumeOptions, UpdateServiceOptionsBuilder};
use tokio::time::sleep;

use super::super::{
    EngineError, EngineErrorKind, LiveNode, LiveService, LogLines, LogRequest, ObservedSwarm,
    ServiceNetwork, SwarmEngine,
};
use super::failure::NameTaken as _;
use super::{DockerEngine, logs};
use crate::farm::{FarmName, ImageTag, ServiceSpec, labels};

/// What a swarm removes it lets go of a little later: containers, then what they had.
const LETTING_GO: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(500);
/// Somebody else may change a service between the look and the update.
const ATTEMPTS: u32 = 5;

impl SwarmEngine for DockerEngine {
    async fn observe_swarm(&self, farm: &FarmName) -> Result<ObservedSwarm, EngineError> {
        self.refuse_workers().await?;
        let doing = self.doing("look at the swarm");
        let observed = observe::observe(&self.docker, farm).await;
        observed.map_err(|error| doing.failed(error))
    }

    async fn registry_digests(
        &self,
        references: &BTreeSet<ImageTag>,
    ) -> Result<BTreeMap<ImageTag, String>, EngineError> {
        registry::digests(self, references).await
    }

    async fn push_image(&self, image: &ImageTag, reference: &ImageTag) -> Result<(), EngineError> {
        registry::push(self, image, reference).await
    }

    async fn create_service_network(
        &self,
        farm: &FarmName,
        network: &ServiceNetwork,
    ) -> Result<(), EngineError> {
        let doing = self.doing(format!("create network {}", network.name));
        let request = NetworkCreateRequest {
            name: network.name.clone(),
            driver: Some(observe::BRIDGE.to_owned()),
            scope: Some(observe::SWARM.to_owned()),
            internal: Some(network.is_internal),
            labels: Some(HashMap::from([(labels::FARM.to_owned(), farm.to_string())])),
            ..NetworkCreateRequest::default()
        };
        match self.docker.create_network(request).await {
            Err(error) if !error.is_name_taken() => Err(doing.failed(error)),
            _ => Ok(()),
        }
    }

    async fn create_service(&self, spec: &ServiceSpec) -> Result<(), EngineError> {
        let doing = self.doing(format!("create service {}", spec.name()));
        let (body, credentials) = self.pinned(spec).await?;
        let created = self.docker.create_service(body, credentials).await;
        created.map(drop).map_err(|error| doing.failed(error))
    }

    async fn update_service(&self, spec: &ServiceSpec, renew: bool) -> Result<(), EngineError> {
        let (wanted, credentials) = self.pinned(spec).await?;
        self.change(&spec.name(), credentials, |present| {
            let task = |body: &Body| body.task_template.clone().unwrap_or_default();
            let count = task(present).force_update.unwrap_or_default();
            let mut body = wanted.clone();
            if let Some(template) = &mut body.task_template {
                template.force_update = Some(count + u64::from(renew));
            }
            body
        })
        .await
    }

    async fn place_service(
        &self,
        name: &str,
        constraints: &BTreeSet<String>,
    ) -> Result<(), EngineError> {
        self.change(name, None, |present| {
            body::placed(present.clone(), constraints.iter().cloned())
        })
        .await
    }

    async fn look_at_service(
        &self,
        name: &str,
    ) -> Result<Option<(LiveService, Vec<LiveNode>)>, EngineError> {
        let doing = self.doing(format!("look at service {name}"));
        let looked = observe::look_at(&self.docker, name).await;
        looked.map_err(|error| doing.failed(error))
    }

    async fn remove_service(&self, name: &str) -> Result<(), EngineError> {
        let doing = self.doing(format!("remove service {name}"));
        doing.gone_is_done(self.docker.delete_service(name).await)
    }

    async fn remove_service_network(&self, id: &str) -> Result<(), EngineError> {
        let doing = self.doing(format!("remove network {id}"));
        let removed = until_let_go(|| self.docker.remove_network(id)).await;
        doing.gone_is_done(removed)
    }

    async fn remove_left_volume(&self, name: &str) -> Result<(), EngineError> {
        let doing = self.doing(format!("remove volume {name}"));
        let removed =
            until_let_go(|| self.docker.remove_volume(name, None::<RemoveVolumeOptions>)).await;
        doing.gone_is_done(removed)
    }

    fn task_logs(&self, task: &str, request: &LogRequest) -> LogLines {
        let doing = self.doing(format!("read the log of task {task}"));
        let written = self.docker.task_logs(task, Some(logs::options(request)));
        Box::pin(logs::lines(written, doing))
    }
}

impl DockerEngine {
    /// A worker cannot say anything of the swarm, and most engines are in none.
    async fn refuse_workers(&self) -> Result<(), EngineError> {
        let doing = self.doing("look at the swarm");
        let system = self
            .docker
            .info()
            .await
            .map_err(|error| doing.failed(error))?;
        let swarm = system.swarm.unwrap_or_default();
        if swarm.control_available == Some(true) {
            return Ok(());
        }
        let managers = swarm.remote_managers.unwrap_or_default();
        let managers = managers
            .into_iter()
            .filter_map(|manager| manager.addr)
            .collect();
        let endpoint = self.line.endpoint.to_string();
        Err(doing.failed_by(EngineErrorKind::NotAManager { endpoint, managers }))
    }

    /// A service with its image pinned, so that every node runs the same one, and what nodes need to pull it.
    async fn pinned(
        &self,
        spec: &ServiceSpec,
    ) -> Result<(Body, Option<bollard::auth::DockerCredentials>), EngineError> {
        let mut spec = spec.clone();
        let image = &mut spec.shape.container.image;
        if !image.as_str().contains('@') {
            *image = registry::pinned(self, image).await?;
        }
        let credentials = self.credentials(image).await?;
        Ok((body::body(&spec), credentials))
    }

    async fn change(
        &self,
        name: &str,
        credentials: Option<bollard::auth::DockerCredentials>,
        change: impl Fn(&Body) -> Body + Send,
    ) -> Result<(), EngineError> {
        let doing = self.doing(format!("update service {name}"));
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.change_once(name, credentials.clone(), &change).await {
                Err(error) if is_out_of_sequence(&error) && attempts < ATTEMPTS => {
                    sleep(PAUSE).await;
                }
                other => return other.map_err(|error| doing.failed(error)),
            }
        }
    }

    async fn change_once(
        &self,
        name: &str,
        credentials: Option<bollard::auth::DockerCredentials>,
        change: impl Fn(&Body) -> Body,
    ) -> Result<(), Error> {
        let present = observe::inspect(&self.docker, name).await?;
        let version = present
            .version
            .and_then(|version| version.index)
            .unwrap_or_default();
        let version = i32::try_from(version).unwrap_or(i32::MAX);
        let options = UpdateServiceOptionsBuilder::default()
            .version(version)
            .build();
        let body = change(&present.spec.unwrap_or_default());
        self.docker
            .update_service(name, body, options, credentials)
            .await
            .map(drop)
    }
}

fn is_out_of_sequence(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { message, .. } if message.contains("out of sequence"))
}

/// Tries again while something that is going still holds it.
async fn until_let_go<F: Future<Output = Result<(), Error>>>(
    remove: impl Fn() -> F,
) -> Result<(), Error> {
    let begun = tokio::time::Instant::now();
    loop {
        match remove().await {
            Err(error) if is_in_use(&error) && begun.elapsed() < LETTING_GO => sleep(PAUSE).await,
            other => return other,
        }
    }
}

fn is_in_use(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { message, .. }
        if message.contains("in use") || message.contains("active endpoints"))
}
