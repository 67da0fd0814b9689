//! Images that are there, that come from a registry, and that go.

use std::collections::{BTreeSet, HashMap};

use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::errors::Error;
use bollard::models::ImageSummary;
use bollard::query_parameters::{
    CreateImageOptionsBuilder, ListContainersOptionsBuilder, ListImagesOptionsBuilder,
    RemoveImageOptions,
};
use futures_util::TryStreamExt;

use super::super::{LiveImage, labels};
use super::image_names;
use crate::farm::ImageTag;

/// What engines call images that have lost their tag.
const NO_TAG: &str = "<none>:<none>";

pub(super) async fn assembled(docker: &Docker) -> Result<Vec<LiveImage>, Error> {
    let ours = HashMap::from([("label", vec![labels::of_images()])]);
    let ours = ListImagesOptionsBuilder::default().filters(&ours).build();
    let containers = ListContainersOptionsBuilder::default().all(true).build();
    // In this order: an image of a container that is made in between counts as used.
    let images = docker.list_images(Some(ours)).await?;
    let containers = docker.list_containers(Some(containers)).await?;
    let used = containers
        .into_iter()
        .filter_map(|container| container.image_id);
    let used: BTreeSet<String> = used.collect();
    Ok(images.into_iter().map(|image| live(image, &used)).collect())
}

fn live(image: ImageSummary, used: &BTreeSet<String>) -> LiveImage {
    let tags = image.repo_tags.into_iter().filter(|tag| tag != NO_TAG);
    LiveImage {
        in_use: used.contains(&image.id),
        tags: tags.map(image_names::plain).collect(),
        bytes: u64::try_from(image.size).unwrap_or_default(),
        id: image.id,
    }
}

/// Without force: the engine itself refuses where a container was made meanwhile.
pub(super) async fn remove(docker: &Docker, image: &str) -> Result<(), Error> {
    let options = None::<RemoveImageOptions>;
    docker.remove_image(image, options, None).await.map(drop)
}

pub(super) async fn pull(
    docker: &Docker,
    tag: &ImageTag,
    credentials: Option<DockerCredentials>,
) -> Result<(), Error> {
    let options = CreateImageOptionsBuilder::default().from_image(tag.as_str());
    docker
        .create_image(Some(options.build()), None, credentials)
        .try_for_each(|_progress| std::future::ready(Ok(())))
        .await
}
