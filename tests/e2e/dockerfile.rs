//! The Dockerfile, built as people do who have Docker and nothing else, beside what farmctl makes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use ::farmctl::image::Sha256;
use anyhow::{Context, Result, ensure};
use bollard::models::{ContainerCreateBody, ImageConfig};
use bollard::query_parameters::RemoveContainerOptions;
use farm_tests::{BOARDS, Container, Finished, Scenario, builder, debian, farmctl};
use futures_util::TryStreamExt as _;
use tar::EntryType;

/// What only an image has that farmctl names itself.
const NAMES: [&str; 2] = ["farmctl.fingerprint", "farmctl.image"];

/// The only file that may differ: another profile, another compiler's settings.
const DAEMON: &str = "usr/bin/distccd";

/// The same files with the same modes, the same configuration.
pub(crate) async fn the_dockerfile_makes_the_same_image(scenario: Scenario) -> Result<()> {
    let board = BOARDS[3];
    let farm = scenario.shared_farm().await?;
    let volunteer = farm.volunteer(scenario.docker(), &board).inspect().await?;
    let expected = volunteer.image.context("no image")?;

    let checkout = tempfile::tempdir()?;
    copy_checkout(&builder::root(), checkout.path())?;
    fs::copy(
        farm.folder().join("farm.lock"),
        checkout.path().join("farm.lock"),
    )?;
    let image = format!(
        "farmctl/{}:{}",
        board.target,
        scenario.name_of_run("docker")
    );
    let built = build(&scenario, checkout.path(), board.target, &image).await?;

    let config = configuration(&scenario, &image).await?;
    assert_eq!(config, configuration(&scenario, &expected).await?);
    let files = files(&scenario, &image).await?;
    let expected_files = self::files(&scenario, &expected).await?;
    for (path, entry) in &expected_files {
        let found = files.get(path);
        ensure!(
            found == Some(entry),
            "{path}: {found:?}, expected {entry:?}"
        );
    }
    let more: Vec<_> = files
        .keys()
        .filter(|path| !expected_files.contains_key(*path))
        .collect();
    ensure!(more.is_empty(), "it has more: {more:?}");
    scenario.remove_image(&image).await?;
    remove_steps(&scenario, built.stdout_text()?).await;
    Ok(())
}

/// What a builder keeps of each step is gigabytes, and of no use once the sources change.
async fn remove_steps(scenario: &Scenario, printed: &str) {
    let steps = printed
        .lines()
        .filter_map(|line| line.strip_prefix(" ---> "));
    // The first one is the image that it begins with.
    for step in steps.skip(1).collect::<Vec<_>>().into_iter().rev() {
        let _gone_with_a_later_one = scenario.remove_image(step).await;
    }
}

/// What `docker build` is to see, and not what a developer has beside it.
fn copy_checkout(from: &Path, to: &Path) -> io::Result<()> {
    const PARTS: [&str; 11] = [
        ".cargo",
        ".dockerignore",
        "Cargo.lock",
        "Cargo.toml",
        "Dockerfile",
        "farmctl",
        "release/bill/Cargo.toml",
        "tests/Cargo.toml",
        "tests/bench/Cargo.toml",
        "toolchains",
        "volunteer-image",
    ];
    PARTS
        .iter()
        .try_for_each(|part| copy(&from.join(part), &to.join(part)))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            copy(&from.join(&name), &to.join(&name))?;
        }
        return Ok(());
    }
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    fs::copy(from, to).map(drop)
}

/// By the builder that every engine has.
async fn build(scenario: &Scenario, folder: &Path, target: &str, image: &str) -> Result<Finished> {
    let rust = builder::ensure(scenario.docker()).await?;
    let mut command = tokio::process::Command::new("docker");
    let arguments = [
        format!("TARGET={target}"),
        format!("RUST_IMAGE={rust}"),
        "PROFILE=quick".to_owned(),
        format!("FARMCTL_MIRROR={}", debian::mirror()?),
    ];
    command.arg("build").env("DOCKER_BUILDKIT", "0");
    for argument in &arguments {
        command.args(["--build-arg", argument]);
    }
    command
        .args(["--force-rm", "--tag", image, "."])
        .current_dir(folder);
    let built = farmctl::run("docker build", &mut command).await?;
    scenario.note(&built.to_string());
    built.success()
}

/// What containers of an image are like.
async fn configuration(scenario: &Scenario, image: &str) -> Result<ImageConfig> {
    let image = scenario.docker().inspect_image(image).await?;
    let mut config = image.config.context("no configuration")?;
    if let Some(labels) = &mut config.labels {
        labels.retain(|name, _| !NAMES.contains(&name.as_str()));
    }
    Ok(ImageConfig {
        // Older builders write empty values where there is none.
        cmd: config.cmd.filter(|cmd| !cmd.is_empty()),
        on_build: config.on_build.filter(|lines| !lines.is_empty()),
        ..config
    })
}

/// Something in an image.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    kind: EntryType,
    mode: u32,
    owner: (u64, u64),
    target: Option<String>,
    content: Option<String>,
}

async fn files(scenario: &Scenario, image: &str) -> Result<BTreeMap<String, Entry>> {
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        ..ContainerCreateBody::default()
    };
    let container = Container::create(scenario.docker(), body, scenario.labels()).await?;
    let archive = scenario.docker().export_container(container.id());
    let archive: Vec<_> = archive.try_collect().await?;
    let archive = archive.concat();
    let remove = None::<RemoveContainerOptions>;
    let removed = scenario.docker().remove_container(container.id(), remove);
    removed.await?;
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(archive.as_slice()).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.display().to_string();
        let path = path.trim_end_matches('/').to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        let header = entry.header();
        let is_file = header.entry_type() == EntryType::Regular && path != DAEMON;
        let target = entry.link_name()?.map(|name| name.display().to_string());
        files.insert(
            path,
            Entry {
                kind: header.entry_type(),
                mode: header.mode()? & 0o7777,
                owner: (header.uid()?, header.gid()?),
                target,
                content: is_file.then(|| Sha256::of(&bytes).to_string()),
            },
        );
    }
    Ok(files)
}
