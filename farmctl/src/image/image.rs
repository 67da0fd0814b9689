//! An image: its layers and its configuration, as engines keep them (the Docker image specification, version 1.2).

use std::io;

use bytes::Bytes;
use serde::Serialize;

use super::digest::Sha256;
use super::layer::Layer;
use crate::farm::Architecture;

/// Builds must not depend on when they happen.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// Nobody: the daemon needs no rights.
const USER: &str = "65532:65532";

/// Where the daemon is inside.
pub(super) const DAEMON_PATH: &str = "/usr/bin/distccd";

/// An assembled image, ready to be handed to engines.
#[derive(Debug, Clone)]
pub struct Image {
    /// The target its compilers compile for.
    pub target: String,
    /// The hosts that it runs on.
    pub architecture: Architecture,
    /// Name and tag, such as `farmctl/armv7h:0123456789abcdef`.
    pub reference: String,
    id: Sha256,
    config: Bytes,
    layers: Vec<Layer>,
}

impl Image {
    pub(super) fn new(
        target: &str,
        architecture: Architecture,
        reference: String,
        labels: &[(&str, String)],
        layers: Vec<Layer>,
    ) -> io::Result<Self> {
        let config = Bytes::from(serde_json::to_vec(&Description::new(
            architecture,
            labels,
            &layers,
        ))?);
        Ok(Self {
            target: target.to_owned(),
            architecture,
            reference,
            id: Sha256::of(&config),
            config,
            layers,
        })
    }

    /// An image of a test's own.
    #[cfg(test)]
    pub(crate) fn assembled(
        target: &str,
        reference: String,
        labels: &[(&str, String)],
        layers: Vec<Layer>,
    ) -> Self {
        Self::new(target, Architecture::Amd64, reference, labels, layers).unwrap()
    }

    /// The image's id, by which engines know it: `sha256:` and the digest of its configuration.
    pub fn id(&self) -> String {
        format!("sha256:{}", self.id)
    }

    /// Size of its layers in bytes, those it shares with other images included.
    pub fn bytes(&self) -> u64 {
        self.layers.iter().map(|layer| layer.bytes).sum()
    }

    /// Its layers, lowest first: what each holds, its digest and its size in bytes.
    pub fn layers(&self) -> impl Iterator<Item = (&str, Sha256, u64)> {
        self.layers
            .iter()
            .map(|layer| (layer.name.as_str(), layer.diff_id, layer.bytes))
    }

    pub(super) fn config_digest(&self) -> &Sha256 {
        &self.id
    }

    /// Its configuration, as engines keep it.
    pub fn config(&self) -> &Bytes {
        &self.config
    }

    /// Its layers' archives, lowest first.
    pub fn blobs(&self) -> &[Layer] {
        &self.layers
    }
}

#[derive(Serialize)]
struct Description<'a> {
    architecture: &'a str,
    config: ContainerConfig<'a>,
    created: &'a str,
    history: Vec<History<'a>>,
    os: &'a str,
    rootfs: RootFs,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerConfig<'a> {
    user: &'a str,
    env: [&'a str; 1],
    entrypoint: [&'a str; 1],
    working_dir: &'a str,
    labels: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize)]
struct History<'a> {
    created: &'a str,
    created_by: &'a str,
}

#[derive(Serialize)]
struct RootFs {
    r#type: &'static str,
    diff_ids: Vec<String>,
}

impl<'a> Description<'a> {
    fn new(architecture: Architecture, labels: &[(&str, String)], layers: &'a [Layer]) -> Self {
        let labels = labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone().into()))
            .collect();
        Self {
            architecture: architecture.as_str(),
            config: ContainerConfig {
                user: USER,
                env: ["PATH=/usr/bin"],
                entrypoint: [DAEMON_PATH],
                working_dir: "/",
                labels,
            },
            created: CREATED,
            history: layers
                .iter()
                .map(|layer| History {
                    created: CREATED,
                    created_by: &layer.name,
                })
                .collect(),
            os: "linux",
            rootfs: RootFs {
                r#type: "layers",
                diff_ids: layers
                    .iter()
                    .map(|layer| format!("sha256:{}", layer.diff_id))
                    .collect(),
            },
        }
    }
}
