//! Removing what tests made: labelled containers and networks, and farms whose names begin with a run.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use bollard::Docker;
use bollard::models::ContainerSummary;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptions, ListNetworksOptions, ListVolumesOptions,
    RemoveContainerOptionsBuilder, RemoveImageOptions, RemoveVolumeOptions,
};

use crate::run::RunId;

/// On everything that a test makes by itself; the value is the [`RunId`].
pub(crate) const RUN_LABEL: &str = "farmtest.run";
/// The trial that made it; without this label it lives as long as the run.
pub(crate) const TRIAL_LABEL: &str = "farmtest.trial";
/// What farmctl puts on everything that it makes.
const FARM_LABEL: &str = "farmctl.farm";

/// How the names of images that tests make begin.
pub(crate) const IMAGES: &str = "farmtest/";

/// A run that cannot be seen is taken for dead after this.
const LONGEST_RUN: Duration = Duration::from_hours(1);

/// Which resources to remove.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// Everything of runs that have died.
    DeadRuns,
    /// Everything of this run.
    Run(&'a RunId),
    /// What one trial of this run made by itself.
    Trial(&'a RunId, &'a str),
    /// One farm.
    Farm(&'a str),
}

/// Removes what is in `scope`, containers before networks, volumes and images. What is gone already is fine.
///
/// # Errors
/// The engine does not answer.
pub async fn sweep(docker: &Docker, scope: Scope<'_>) -> Result<()> {
    for container in containers(docker, scope).await? {
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        let id = container.id.unwrap_or_default();
        let _gone_already = docker.remove_container(&id, Some(options)).await;
    }
    for network in docker.list_networks(None::<ListNetworksOptions>).await? {
        if scope.contains(&network.labels.unwrap_or_default(), None) {
            let id = network.id.unwrap_or_default();
            let _gone_already = docker.remove_network(&id).await;
        }
    }
    let volumes = docker.list_volumes(None::<ListVolumesOptions>).await?;
    for volume in volumes.volumes.unwrap_or_default() {
        if scope.contains(&volume.labels, None) {
            let options = None::<RemoveVolumeOptions>;
            let _gone_already = docker.remove_volume(&volume.name, options).await;
        }
    }
    remove_images(docker, scope).await
}

/// Images of runs are tagged with the run.
async fn remove_images(docker: &Docker, scope: Scope<'_>) -> Result<()> {
    let images = docker.list_images(None::<ListImagesOptions>).await?;
    for tag in images.into_iter().flat_map(|image| image.repo_tags) {
        let run = tag
            .split_once(':')
            .filter(|(repository, _tag)| repository.starts_with(IMAGES))
            .and_then(|(_repository, tag)| RunId::parse_prefix(tag));
        let in_scope = match scope {
            Scope::DeadRuns => run.is_some_and(|run| run.is_dead()),
            Scope::Run(own) => run.as_ref() == Some(own),
            Scope::Trial(..) | Scope::Farm(_) => false,
        };
        if in_scope {
            let _gone_already = docker
                .remove_image(&tag, None::<RemoveImageOptions>, None)
                .await;
        }
    }
    Ok(())
}

/// The containers in `scope`, stopped ones included.
///
/// # Errors
/// The engine does not answer.
pub async fn containers(docker: &Docker, scope: Scope<'_>) -> Result<Vec<ContainerSummary>> {
    let all = ListContainersOptionsBuilder::default().all(true).build();
    let mut found = docker.list_containers(Some(all)).await?;
    found.retain(|container| {
        let labels = container.labels.clone().unwrap_or_default();
        scope.contains(&labels, container.created)
    });
    Ok(found)
}

impl Scope<'_> {
    pub(crate) fn contains(self, labels: &HashMap<String, String>, created: Option<i64>) -> bool {
        let label = |key: &str| labels.get(key).map(String::as_str);
        let run = label(RUN_LABEL)
            .or(label(FARM_LABEL))
            .and_then(RunId::parse_prefix);
        match self {
            Self::DeadRuns => run.is_some_and(|run| run.is_dead() || is_old(created)),
            Self::Run(own) => run.as_ref() == Some(own),
            Self::Trial(own, trial) => {
                run.as_ref() == Some(own) && label(TRIAL_LABEL) == Some(trial)
            }
            Self::Farm(name) => label(FARM_LABEL) == Some(name),
        }
    }
}

fn is_old(created: Option<i64>) -> bool {
    let Some(created) = created.and_then(|seconds| u64::try_from(seconds).ok()) else {
        return false;
    };
    let created = SystemTime::UNIX_EPOCH + Duration::from_secs(created);
    created.elapsed().is_ok_and(|age| age > LONGEST_RUN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn only_what_tests_made_is_ever_in_scope() {
        let run = RunId::current().unwrap();
        let strangers = [
            labels(&[]),
            labels(&[(FARM_LABEL, "attic")]),
            labels(&[(RUN_LABEL, "me"), (TRIAL_LABEL, "t")]),
        ];
        for labels in strangers {
            for scope in [
                Scope::DeadRuns,
                Scope::Run(&run),
                Scope::Trial(&run, "t"),
                Scope::Farm("barn"),
            ] {
                assert!(!scope.contains(&labels, Some(0)), "{labels:?} {scope:?}");
            }
        }
    }

    #[test]
    fn a_trial_owns_what_it_made_and_the_run_everything() {
        let run = RunId::current().unwrap();
        let text = run.to_string();
        let of_trial = labels(&[(RUN_LABEL, &text), (TRIAL_LABEL, "t")]);
        let of_run = labels(&[(RUN_LABEL, &text)]);
        let farm = labels(&[(FARM_LABEL, &run.farm_name("cold"))]);
        assert!(Scope::Trial(&run, "t").contains(&of_trial, None));
        assert!(!Scope::Trial(&run, "t").contains(&of_run, None));
        assert!(!Scope::Trial(&run, "u").contains(&of_trial, None));
        for labels in [&of_trial, &of_run, &farm] {
            assert!(Scope::Run(&run).contains(labels, None));
            assert!(!Scope::DeadRuns.contains(labels, None));
            assert!(Scope::DeadRuns.contains(labels, Some(0)));
        }
    }
}
