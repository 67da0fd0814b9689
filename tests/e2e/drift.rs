//! What others do to a farm behind its back, with the engine's own means: `up` puts it right and nothing is left to do.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use bollard::models::{
    ContainerCreateBody, ContainerUpdateBody, HostConfig, NetworkConnectRequest,
    NetworkDisconnectRequest,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder,
    RemoveVolumeOptions, RenameContainerOptionsBuilder, StartContainerOptions,
    StopContainerOptionsBuilder, TagImageOptionsBuilder,
};
use farm_tests::{BOARDS, Board, Container, Inventory, Scenario, TestFarm};

const BOARD: Board = BOARDS[1];
const KEYS: &str = "targets: { armv5: {} }\n";

/// A container of the farm.
#[derive(Debug, Clone, Copy)]
enum Which {
    Volunteer,
    Door,
}

impl Which {
    async fn find(self, scenario: &Scenario, farm: &TestFarm) -> Result<Container> {
        match self {
            Self::Door => Ok(farm.door(scenario.docker(), &BOARD)),
            Self::Volunteer => {
                let mut all = farm.volunteers(scenario.docker(), &BOARD).await?;
                ensure!(all.len() == 1, "not one volunteer: {all:?}");
                all.pop().context("no volunteer")
            }
        }
    }
}

/// Every single act, on the volunteer and on the door.
pub(crate) async fn whatever_others_do_is_put_right(scenario: Scenario) -> Result<()> {
    let farm = standing(&scenario, "drift").await?;
    let acts = ["stop", "pause", "rm", "rename", "update"];
    let both = [Which::Volunteer, Which::Door];
    for which in both {
        // A container without any network cannot be put into one.
        let connect = matches!(which, Which::Door).then_some("connect");
        for act in acts.into_iter().chain(connect) {
            let container = which.find(&scenario, &farm).await?;
            perform(act, &scenario, &container).await?;
            is_put_right(&farm, &format!("{act} of {which:?}")).await?;
        }
    }
    Ok(())
}

async fn perform(act: &str, scenario: &Scenario, container: &Container) -> Result<()> {
    let (docker, id) = (scenario.docker(), container.id());
    match act {
        "stop" => {
            let options = StopContainerOptionsBuilder::default().t(1).build();
            docker.stop_container(id, Some(options)).await?;
        }
        "pause" => docker.pause_container(id).await?,
        "rm" => remove(scenario, id).await?,
        "rename" => {
            let name = scenario.name_of_run("by-hand");
            let options = RenameContainerOptionsBuilder::default().name(&name).build();
            docker.rename_container(id, options).await?;
        }
        "update" => {
            let limits = ContainerUpdateBody {
                cpu_shares: Some(77),
                ..ContainerUpdateBody::default()
            };
            docker.update_container(id, limits).await?;
        }
        _ => {
            let lan = scenario.lan("foreign").await?;
            let request = NetworkConnectRequest {
                container: id.to_owned(),
                endpoint_config: None,
            };
            docker.connect_network(&lan.name, request).await?;
        }
    }
    Ok(())
}

async fn remove(scenario: &Scenario, id: &str) -> Result<()> {
    let options = RemoveContainerOptionsBuilder::default().force(true).build();
    scenario
        .docker()
        .remove_container(id, Some(options))
        .await?;
    Ok(())
}

/// There is something to do, `up` does it, there is nothing to do.
async fn is_put_right(farm: &TestFarm, what: &str) -> Result<()> {
    let plan = farm.run(&["plan", "--exit-code"]).await?;
    ensure!(plan.code == 5, "{what} is not seen: {plan}");
    let up = farm.run(&["up"]).await?;
    ensure!(up.code == 0, "{what} is not put right: {up}");
    let plan = farm.run(&["plan", "--exit-code"]).await?;
    ensure!(plan.code == 0, "{what} is not put right: {plan}");
    Ok(())
}

async fn standing(scenario: &Scenario, word: &str) -> Result<TestFarm> {
    let farm = scenario.farm(word, KEYS).await?;
    farm.copy_lock(&*scenario.shared_farm().await?)?;
    farm.run(&["up"]).await?.success()?;
    Ok(farm)
}

/// Same name, same labels, and one option that nobody asked for.
pub(crate) async fn a_recreated_container_is_replaced(scenario: Scenario) -> Result<()> {
    type Edit = (&'static str, fn(&mut ContainerCreateBody, &mut HostConfig));
    let edits: [Edit; 6] = [
        ("more memory", |_, host| host.memory_swap = Some(-1)),
        ("capabilities", |_, host| host.cap_drop = None),
        ("a writable root", |_, host| {
            host.readonly_rootfs = Some(false);
        }),
        ("root", |body, _| body.user = Some("0:0".to_owned())),
        ("an environment", |body, _| {
            body.env = Some(vec!["A=b".to_owned()]);
        }),
        ("no limit of processes", |_, host| host.pids_limit = None),
    ];
    let farm = standing(&scenario, "recreated").await?;
    for (what, edit) in edits {
        for which in [Which::Volunteer, Which::Door] {
            let container = which.find(&scenario, &farm).await?;
            recreate(&scenario, &container, edit).await?;
            is_put_right(&farm, &format!("a {which:?} with {what}")).await?;
        }
    }
    Ok(())
}

async fn recreate(
    scenario: &Scenario,
    container: &Container,
    edit: fn(&mut ContainerCreateBody, &mut HostConfig),
) -> Result<()> {
    let docker = scenario.docker();
    let was = container.inspect().await?;
    let name = was.name.context("no name")?;
    let config = was.config.context("no configuration")?;
    let mut host = was.host_config.context("no host configuration")?;
    let mut body = ContainerCreateBody {
        hostname: config.hostname,
        user: config.user,
        env: config.env,
        cmd: config.cmd,
        entrypoint: config.entrypoint,
        image: config.image,
        working_dir: config.working_dir,
        labels: config.labels,
        healthcheck: config.healthcheck,
        stop_timeout: config.stop_timeout,
        exposed_ports: config.exposed_ports,
        ..ContainerCreateBody::default()
    };
    edit(&mut body, &mut host);
    body.host_config = Some(host);
    remove(scenario, container.id()).await?;
    let options = CreateContainerOptionsBuilder::default()
        .name(name.trim_start_matches('/'))
        .build();
    let created = docker.create_container(Some(options), body).await?;
    docker
        .start_container(&created.id, None::<StartContainerOptions>)
        .await?;
    Ok(())
}

/// Of what containers are made from.
pub(crate) async fn lost_images_volumes_and_networks_are_made_again(
    scenario: Scenario,
) -> Result<()> {
    let farm = scenario.farm("lost", KEYS).await?;
    farm.make_images_unique(BOARD.target)?;
    farm.run(&["up"]).await?.success()?;
    let docker = scenario.docker();
    let volunteer = farm.volunteer(docker, &BOARD).inspect().await?;
    let tag = volunteer
        .config
        .and_then(|config| config.image)
        .context("no image")?;

    let force = RemoveImageOptionsBuilder::default().force(true).build();
    docker.remove_image(&tag, Some(force), None).await?;
    is_put_right(&farm, "a lost image").await?;

    let other = scenario.shared_farm().await?;
    let other = other.volunteer(docker, &BOARDS[4]).inspect().await?;
    let (repository, name) = tag.split_once(':').context("no tag")?;
    let options = TagImageOptionsBuilder::default()
        .repo(repository)
        .tag(name)
        .build();
    let image = other.image.context("no image")?;
    docker.tag_image(&image, Some(options)).await?;
    is_put_right(&farm, "a tag that was moved").await?;

    for container in [Which::Volunteer, Which::Door] {
        let found = container.find(&scenario, &farm).await?;
        remove(&scenario, found.id()).await?;
    }
    let volume = format!("farmctl-{}-{}", farm.name(), BOARD.target);
    docker
        .remove_volume(&volume, None::<RemoveVolumeOptions>)
        .await?;
    docker.remove_network(&farm.network()).await?;
    is_put_right(&farm, "nothing but an image").await?;

    let door = farm.door(docker, &BOARD);
    let request = NetworkDisconnectRequest {
        container: door.id().to_owned(),
        force: Some(true),
    };
    docker.disconnect_network(&farm.network(), request).await?;
    docker.remove_network(&farm.network()).await?;
    is_put_right(&farm, "a lost network").await?;
    farm.run(&["down"]).await?.success()?;
    Ok(())
}

/// Not by `up`, not by `restart`, not by `down`.
pub(crate) async fn another_farm_on_the_engine_is_never_touched(scenario: Scenario) -> Result<()> {
    let other = standing(&scenario, "neighbour").await?;
    let farm = scenario.farm("near", KEYS).await?;
    farm.copy_lock(&other)?;
    let before = Inventory::of(&scenario).await?;
    for verb in ["up", "restart", "up", "down"] {
        farm.run(&[verb]).await?.success()?;
        let lost = before.without(&Inventory::of(&scenario).await?);
        let nothing = lost.containers.is_empty() && lost.networks.is_empty();
        ensure!(nothing && lost.volumes.is_empty(), "{verb}: {lost:?}");
    }
    let left = Inventory::of(&scenario).await?.without(&before);
    assert_eq!(left.containers, BTreeSet::new());
    other.run(&["plan", "--exit-code"]).await?.success()?;
    Ok(())
}

/// What gets no successor is worth a question.
pub(crate) async fn a_target_that_left_the_manifest_goes_only_if_confirmed(
    scenario: Scenario,
) -> Result<()> {
    let farm = scenario
        .farm("leaves", "targets: { armv5: {}, aarch64: {} }\n")
        .await?;
    farm.copy_lock(&*scenario.shared_farm().await?)?;
    farm.run(&["up"]).await?.success()?;
    farm.write_manifest(KEYS)?;
    let before = Inventory::of(&scenario).await?;
    let refused = farm.run(&["up"]).await?.expect_code(2)?;
    refused.says("error", "aarch64")?;
    refused.says("hint", "--yes")?;
    assert_eq!(Inventory::of(&scenario).await?, before);
    farm.run(&["up", "armv5"]).await?.success()?;
    assert_eq!(Inventory::of(&scenario).await?, before);
    farm.run(&["up", "--yes"]).await?.success()?;
    let lost = before.without(&Inventory::of(&scenario).await?);
    assert_eq!(lost.containers.len(), 2, "{lost:?}");
    farm.run(&["plan", "--exit-code"]).await?.success()?;
    Ok(())
}
