//! The file in `compose/`, brought up as people do who have a checkout and Docker.

use anyhow::{Context, Result, ensure};
use bollard::models::{ContainerInspectResponse, HealthStatusEnum};
use bollard::query_parameters::{ListContainersOptionsBuilder, TagImageOptionsBuilder};
use farm_tests::compose::Compose;
use farm_tests::{BOARDS, Board, Command, Container, Files, Scenario, TestFarm, builder};
use std::collections::{BTreeSet, HashMap};
use volunteer_toolchain::Strictness;

const ALL: &str = "volunteers";

/// docker-compose 1.29.
pub(crate) async fn the_first_generation_brings_it_up(scenario: Scenario) -> Result<()> {
    let compose = Compose::first(&builder::root()).await?;
    comes_up(&scenario, compose, "first").await
}

/// Compose 2.
pub(crate) async fn the_second_generation_brings_it_up(scenario: Scenario) -> Result<()> {
    let compose = Compose::second(&builder::root()).await?;
    comes_up(&scenario, compose, "second").await
}

async fn comes_up(scenario: &Scenario, compose: Compose, word: &str) -> Result<()> {
    let (project, lan) = (scenario.name_of_run(word), scenario.lan(word).await?);
    let farm = scenario.shared_farm().await?;
    tag_images(scenario, &farm, &project).await?;
    let address = lan.gateway.to_string();
    let compose = compose
        .with("COMPOSE_PROJECT_NAME", &project)
        .with("FARMCTL_ADDRESS", &address)
        .with("FARMCTL_TAG", &project);
    let tried = try_out(scenario, &compose, &farm, &project, &address).await;
    let down = compose.run(&["down", "--volumes"]).await;
    tried?;
    down?.success()?;
    let left = containers(scenario, &project).await?;
    ensure!(left.is_empty(), "down leaves {left:?}");
    Ok(())
}

async fn try_out(
    scenario: &Scenario,
    compose: &Compose,
    farm: &TestFarm,
    project: &str,
    address: &str,
) -> Result<()> {
    let services = compose.run(&["config", "--services"]).await?.success()?;
    let services: BTreeSet<_> = services.stdout_text()?.lines().collect();
    let targets = BOARDS.iter().map(|board| board.target);
    assert_eq!(services, targets.chain([ALL]).collect());

    let up = compose.run(&["up", "-d", ALL]).await?.success()?;
    scenario.note(&up.to_string());
    let made = containers(scenario, project).await?;
    for board in BOARDS {
        let id = made.get(board.target).context(board.target)?;
        let container = Container::existing(scenario.docker(), id).inspect().await?;
        is_healthy(&container)?;
        let ours = farm.volunteer(scenario.docker(), &board).inspect().await?;
        is_locked_in_as(&container, &ours)?;
        is_open_at(&container, &board, address)?;
    }
    for board in [BOARDS[0], BOARDS[3]] {
        let object = compile(scenario, &board, project, address).await?;
        board.object().check(&object, Strictness::Exact)?;
    }
    let status = farm.run(&["status", "--output", "json"]).await?.success()?;
    let status = status.stdout_text()?.to_owned();
    ensure!(
        !status.contains(project),
        "farmctl takes compose's containers for its own: {status}"
    );
    Ok(())
}

/// The images of a farm that is there, under the name that the file has for them.
async fn tag_images(scenario: &Scenario, farm: &TestFarm, tag: &str) -> Result<()> {
    for board in BOARDS {
        let container = farm.volunteer(scenario.docker(), &board).inspect().await?;
        let image = container.image.context("no image")?;
        let options = TagImageOptionsBuilder::default()
            .repo(&format!("farmctl/{}", board.target))
            .tag(tag)
            .build();
        scenario.docker().tag_image(&image, Some(options)).await?;
    }
    Ok(())
}

/// The project's containers by service.
async fn containers(scenario: &Scenario, project: &str) -> Result<HashMap<String, String>> {
    let project = format!("com.docker.compose.project={project}");
    let filters = HashMap::from([("label", vec![project])]);
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&filters)
        .build();
    let found = scenario.docker().list_containers(Some(options)).await?;
    let by_service = found.into_iter().filter_map(|container| {
        let service = container.labels?.remove("com.docker.compose.service")?;
        Some((service, container.id?))
    });
    Ok(by_service.collect())
}

fn is_healthy(container: &ContainerInspectResponse) -> Result<()> {
    let health = container
        .state
        .as_ref()
        .and_then(|state| state.health.as_ref());
    let status = health.and_then(|health| health.status);
    ensure!(
        status == Some(HealthStatusEnum::HEALTHY),
        "up returned while it was {status:?}"
    );
    Ok(())
}

/// Whatever farmctl sets is set in the same way, but for what the door is there for, and memory, which is this machine's.
fn is_locked_in_as(
    container: &ContainerInspectResponse,
    ours: &ContainerInspectResponse,
) -> Result<()> {
    let configuration = |container: &ContainerInspectResponse| {
        let config = container.config.clone().context("no configuration")?;
        Ok::<_, anyhow::Error>((
            config.user,
            config.working_dir,
            config.entrypoint,
            config.env,
            config.hostname,
            config.stop_timeout,
            config.healthcheck,
        ))
    };
    assert_eq!(configuration(container)?, configuration(ours)?);
    let host = |container: &ContainerInspectResponse| {
        let host = container.host_config.clone().context("no host")?;
        let scratch = host.tmpfs.unwrap_or_default().into_keys();
        let swap_is_memory = host.memory_swap == host.memory && host.memory > Some(0);
        Ok::<_, anyhow::Error>((
            (host.readonly_rootfs, host.cap_drop, host.privileged),
            (host.security_opt, host.ulimits, host.oom_score_adj),
            (
                host.restart_policy.and_then(|policy| policy.name),
                host.log_config,
            ),
            (scratch.collect::<Vec<_>>(), swap_is_memory),
            host.pids_limit > Some(0),
        ))
    };
    assert_eq!(host(container)?, host(ours)?);
    Ok(())
}

fn is_open_at(container: &ContainerInspectResponse, board: &Board, address: &str) -> Result<()> {
    let host = container.host_config.clone().context("no host")?;
    let bindings = host.port_bindings.unwrap_or_default();
    let port = board.port.to_string();
    let [(inside, outside)] = &bindings.iter().collect::<Vec<_>>()[..] else {
        anyhow::bail!("not exactly one port: {bindings:?}");
    };
    assert_eq!(**inside, format!("{port}/tcp"));
    let outside = outside.as_ref().and_then(|outside| outside.first());
    let outside = outside.context("not published")?;
    assert_eq!(outside.host_ip.as_deref(), Some(address));
    assert_eq!(outside.host_port.as_deref(), Some(port.as_str()));
    Ok(())
}

/// What the stock client gets for a source.
async fn compile(scenario: &Scenario, board: &Board, word: &str, address: &str) -> Result<Vec<u8>> {
    let master = scenario.master().await?;
    let mut files = Files::new();
    files.insert("answer.c", "int answer(void) { return 42; }\n");
    let folder = format!("/work/{word}/{}", board.target);
    master.copy_in(&folder, &files).await?;
    let compiler = format!("{}-gcc", board.triple);
    let command = Command::new([
        "distcc", &compiler, "-O1", "-c", "answer.c", "-o", "answer.o",
    ])
    .folder(&folder)
    .env("DISTCC_HOSTS", format!("{address}:{}/4,lzo", board.port))
    .env("DISTCC_FALLBACK", "0")
    .env("DISTCC_DIR", &folder);
    master.run(&command).await?.success()?;
    let made = master.copy_out(&folder).await?;
    Ok(made.read("answer.o")?.to_vec())
}
