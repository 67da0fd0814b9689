//! Images on their way into a registry, and what it says of those that it has.

use std::collections::{BTreeMap, BTreeSet};

use bollard::errors::Error;
use bollard::query_parameters::{PushImageOptionsBuilder, TagImageOptionsBuilder};
use futures_util::TryStreamExt;
use futures_util::future::try_join_all;

use super::super::super::EngineError;
use super::super::DockerEngine;
use super::super::failure::Missing as _;
use crate::farm::ImageTag;

/// What the registry has of `references`, as the engine sees it.
pub(super) async fn digests(
    engine: &DockerEngine,
    references: &BTreeSet<ImageTag>,
) -> Result<BTreeMap<ImageTag, String>, EngineError> {
    let one = async |reference: &ImageTag| {
        let digest = digest(engine, reference).await?;
        Ok::<_, EngineError>(digest.map(|digest| (reference.clone(), digest)))
    };
    let found = try_join_all(references.iter().map(one)).await?;
    Ok(found.into_iter().flatten().collect())
}

async fn digest(
    engine: &DockerEngine,
    reference: &ImageTag,
) -> Result<Option<String>, EngineError> {
    let doing = engine.doing(format!("ask the registry for {reference}"));
    let credentials = engine.credentials(reference).await?;
    match engine
        .docker
        .inspect_registry_image(reference.as_str(), credentials)
        .await
    {
        Ok(image) => Ok(image.descriptor.digest),
        Err(error) if is_unknown(&error) => Ok(None),
        Err(error) => Err(doing.failed(error)),
    }
}

/// Registries say of a repository without any image that its name is not known.
fn is_unknown(error: &Error) -> bool {
    let says_so =
        |message: &String| message.contains("manifest unknown") || message.contains("name unknown");
    error.is_missing()
        || matches!(error, Error::DockerResponseServerError { message, .. } if says_so(message))
}

/// The same image by what it holds.
pub(super) async fn pinned(
    engine: &DockerEngine,
    image: &ImageTag,
) -> Result<ImageTag, EngineError> {
    let Some(digest) = digest(engine, image).await? else {
        let doing = engine.doing(format!("find {image} in its registry"));
        return Err(doing.broken("it is not there (any more)"));
    };
    Ok(ImageTag::new(format!("{image}@{digest}")))
}

pub(super) async fn push(
    engine: &DockerEngine,
    image: &ImageTag,
    reference: &ImageTag,
) -> Result<(), EngineError> {
    let doing = engine.doing(format!("push image {reference}"));
    let (repository, tag) = reference
        .as_str()
        .rsplit_once(':')
        .unwrap_or((reference.as_str(), "latest"));
    let options = TagImageOptionsBuilder::default()
        .repo(repository)
        .tag(tag)
        .build();
    let tagged = engine.docker.tag_image(image.as_str(), Some(options)).await;
    tagged.map_err(|error| doing.failed(error))?;
    let credentials = engine.credentials(reference).await?;
    let options = PushImageOptionsBuilder::default().tag(tag).build();
    let pushed = engine
        .patient
        .push_image(repository, Some(options), credentials);
    let pushed = pushed
        .try_for_each(|_progress| std::future::ready(Ok(())))
        .await;
    pushed.map_err(|error| doing.failed(error))
}
