//! The real engine, over its HTTP API.

mod connect;
mod create;
mod credentials;
mod dialect;
mod failure;
mod image_names;
mod images;
mod inspect;
mod leftover;
mod logs;
mod observe;
mod probe;
mod swarm;
mod system;
mod volumes;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::models::{ContainerUpdateBody, NetworkCreateRequest};
use bollard::query_parameters::{
    ImportImageOptionsBuilder, RemoveContainerOptionsBuilder, RemoveVolumeOptions,
    RenameContainerOptionsBuilder, StartContainerOptions, StopContainerOptions,
};
use futures_util::TryStreamExt;
use tokio::sync::OnceCell;

use super::{
    ClientEnvironment, Engine, EngineError, EngineFacts, Fitness, ImageArchive, LiveImage,
    LogLines, LogRequest, Observed, Route, network_name,
};
use crate::farm::{
    Architecture, DockerEndpoint, FarmName, ImageTag, Memory, Port, Restart, Shape,
    UnknownArchitecture, labels,
};
use connect::Line;
pub use connect::resolve;
use dialect::Dialect;
use failure::{Missing, NameTaken, Operation};

/// How long ordinary calls may take.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);
/// How long loading images may take, and a compile of a volunteer's own.
const LONG_CALL_TIMEOUT: Duration = Duration::from_mins(30);
/// How long stopping a container may take: its jobs may finish within whatever grace the manifest gives them.
const STOP_TIMEOUT: Duration = Duration::from_hours(25);

/// A connection to a Docker engine, with its API version agreed.
#[derive(Debug, Clone)]
pub struct DockerEngine {
    docker: Docker,
    patient: Docker,
    line: Line,
    /// Where Docker's own command keeps its settings.
    settings: Option<PathBuf>,
    /// Asked for once.
    dialect: Arc<OnceCell<Dialect>>,
}

impl DockerEngine {
    /// Connects to `endpoint` as this user may, and agrees on an API version that both sides speak.
    pub async fn connect(
        endpoint: &DockerEndpoint,
        client: &ClientEnvironment,
    ) -> Result<Self, EngineError> {
        let route = Route::to(endpoint, client)?;
        let (docker, line) = connect::connect(&route).await?;
        let patient = docker.clone().with_timeout(LONG_CALL_TIMEOUT);
        Ok(Self {
            docker: docker.with_timeout(CALL_TIMEOUT),
            patient,
            line,
            settings: client.settings.clone(),
            dialect: Arc::default(),
        })
    }

    /// What kind of engine this is.
    async fn dialect(&self) -> Result<Dialect, bollard::errors::Error> {
        let ask = async || Ok(Dialect::of(&self.docker.version().await?));
        self.dialect.get_or_try_init(ask).await.copied()
    }

    async fn stop(&self, id: &str) -> Result<(), bollard::errors::Error> {
        let patient = self.docker.clone().with_timeout(STOP_TIMEOUT);
        patient
            .stop_container(id, None::<StopContainerOptions>)
            .await
    }

    /// Who this user is to the registry of an image.
    async fn credentials(
        &self,
        image: &ImageTag,
    ) -> Result<Option<DockerCredentials>, EngineError> {
        let registry = credentials::registry(image);
        let found = credentials::find(self.settings.as_deref(), registry).await;
        let doing = self.doing(format!("find the credentials for {registry}"));
        found.map_err(|error| doing.broken(&error.to_string()))
    }

    fn doing(&self, operation: impl Into<String>) -> Operation<'_> {
        Operation {
            line: &self.line,
            operation: operation.into(),
        }
    }
}

impl Engine for DockerEngine {
    async fn facts(&self) -> Result<EngineFacts, EngineError> {
        let doing = self.doing("ask the engine about its machine");
        let system = self
            .docker
            .info()
            .await
            .map_err(|error| doing.failed(error))?;
        let processors = system
            .ncpu
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| *n > 0);
        // Engines that do not say it are taken for machines like this one.
        let architecture = match system.architecture.as_deref() {
            None | Some("") => Architecture::own(),
            Some(name) => name
                .parse()
                .map_err(|error: UnknownArchitecture| doing.broken(&error.to_string()))?,
        };
        let memory = system.mem_total.and_then(|bytes| u64::try_from(bytes).ok());
        Ok(EngineFacts {
            version: system.server_version.unwrap_or_default(),
            architecture,
            processors: processors
                .ok_or_else(|| doing.broken("it does not say how many processors it has"))?,
            memory: memory
                .map(Memory::from_bytes)
                .ok_or_else(|| doing.broken("it does not say how much memory it has"))?,
            swap_limit: system.swap_limit.unwrap_or_default(),
            process_limit: system.pids_limit.unwrap_or_default(),
        })
    }

    async fn observe(&self, farm: &FarmName) -> Result<Observed, EngineError> {
        let doing = self.doing("look at what runs");
        observe::observe(&self.docker, self.dialect(), farm)
            .await
            .map_err(|error| doing.failed(error))
    }

    async fn load_images(&self, archive: ImageArchive) -> Result<(), EngineError> {
        let doing = self.doing("load images");
        let options = ImportImageOptionsBuilder::default().quiet(true).build();
        self.patient
            .import_image(options, bollard::body_try_stream(archive), None)
            .try_for_each(|_progress| std::future::ready(Ok(())))
            .await
            .map_err(|error| doing.failed(error))
    }

    async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        let doing = self.doing(format!("remove volume {name}"));
        let removed = self.docker.remove_volume(name, None::<RemoveVolumeOptions>);
        doing.gone_is_done(removed.await)
    }

    async fn create_network(&self, farm: &FarmName) -> Result<(), EngineError> {
        let name = network_name(farm);
        let doing = self.doing(format!("create network {name}"));
        let request = NetworkCreateRequest {
            name: name.clone(),
            driver: Some("bridge".to_owned()),
            labels: Some(HashMap::from([(labels::FARM.to_owned(), farm.to_string())])),
            options: Some(isolation()),
            ..NetworkCreateRequest::default()
        };
        let made = async {
            match self.docker.create_network(request).await {
                Ok(created) => leftover::leave_one_network(&self.docker, &name, &created.id).await,
                Err(error) if error.is_name_taken() => Ok(()),
                Err(error) => Err(error),
            }
        };
        made.await.map_err(|error| doing.failed(error))
    }

    async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
        let doing = self.doing(format!("remove network {id}"));
        doing.gone_is_done(self.docker.remove_network(id).await)
    }

    async fn run_container(&self, name: &str, shape: &Shape) -> Result<(), EngineError> {
        let doing = self.doing(format!("create the volume of {name}"));
        let made = async {
            let dialect = self.dialect().await?;
            volumes::create(&self.docker, dialect, shape).await
        };
        made.await.map_err(|error| doing.failed(error))?;
        let doing = self.doing(format!("create container {name}"));
        let id = leftover::create_or_find(&self.docker, name, shape)
            .await
            .map_err(|error| doing.failed(error))?;
        let started = self.start_container(&id).await;
        if started.is_err() {
            // Half-made containers would hold the name; the reason that matters is why it did not start.
            let _removed = self.remove_container(&id).await;
        }
        started.map_err(|error| EngineError {
            operation: format!("start container {name}"),
            ..error
        })
    }

    async fn probe(&self, container: &str, port: Port) -> Result<Fitness, EngineError> {
        let doing = self.doing(format!("let container {container} compile"));
        probe::probe(&self.patient, container, port)
            .await
            .map_err(|error| doing.failed(error))
    }

    async fn start_container(&self, id: &str) -> Result<(), EngineError> {
        let doing = self.doing(format!("start container {id}"));
        self.docker
            .start_container(id, None::<StartContainerOptions>)
            .await
            .map_err(|error| doing.failed(error))
    }

    async fn unpause_container(&self, id: &str) -> Result<(), EngineError> {
        let doing = self.doing(format!("unpause container {id}"));
        self.docker
            .unpause_container(id)
            .await
            .map_err(|error| doing.failed(error))
    }

    async fn rename_container(&self, id: &str, name: &str) -> Result<(), EngineError> {
        let doing = self.doing(format!("rename container {id} to {name}"));
        let options = RenameContainerOptionsBuilder::default().name(name).build();
        self.docker
            .rename_container(id, options)
            .await
            .map_err(|error| doing.failed(error))
    }

    async fn hold_container(&self, id: &str) -> Result<(), EngineError> {
        let doing = self.doing(format!("keep container {id} from starting again"));
        let never = ContainerUpdateBody {
            restart_policy: Some(create::restart_policy(Restart::No)),
            ..ContainerUpdateBody::default()
        };
        doing.gone_is_done(self.docker.update_container(id, never).await)?;
        let doing = self.doing(format!("stop container {id}"));
        let stopped = self
            .patient
            .stop_container(id, None::<StopContainerOptions>);
        doing.gone_is_done(stopped.await)
    }

    async fn remove_container(&self, id: &str) -> Result<(), EngineError> {
        let doing = self.doing(format!("stop container {id}"));
        doing.gone_is_done(self.stop(id).await)?;
        let doing = self.doing(format!("remove container {id}"));
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        doing.gone_is_done(self.docker.remove_container(id, Some(options)).await)
    }

    fn logs(&self, container: &str, request: &LogRequest) -> LogLines {
        let doing = self.doing(format!("read the log of {container}"));
        let written = self.docker.logs(container, Some(logs::options(request)));
        Box::pin(logs::lines(written, doing))
    }

    async fn assembled_images(&self) -> Result<Vec<LiveImage>, EngineError> {
        let doing = self.doing("look at what images there are");
        let images = images::assembled(&self.docker).await;
        images.map_err(|error| doing.failed(error))
    }

    async fn remove_image(&self, image: &str) -> Result<(), EngineError> {
        let doing = self.doing(format!("remove image {image}"));
        doing.gone_is_done(images::remove(&self.docker, image).await)
    }

    async fn pull_image(&self, tag: &ImageTag) -> Result<(), EngineError> {
        let doing = self.doing(format!("pull image {tag}"));
        let credentials = self.credentials(tag).await?;
        let pulled = images::pull(&self.patient, tag, credentials).await;
        pulled.map_err(|error| doing.failed(error))
    }
}

/// Volunteers neither talk to each other nor reach the world: they only answer.
fn isolation() -> HashMap<String, String> {
    [
        ("com.docker.network.bridge.enable_icc", "false"),
        ("com.docker.network.bridge.enable_ip_masquerade", "false"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

impl Operation<'_> {
    fn gone_is_done(&self, outcome: Result<(), bollard::errors::Error>) -> Result<(), EngineError> {
        match outcome {
            Err(error) if error.is_missing() => Ok(()),
            other => other.map_err(|error| self.failed(error)),
        }
    }
}
