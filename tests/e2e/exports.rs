//! Exports, read by the programs that they are for.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use farm_tests::compose::Compose;
use farm_tests::{Finished, Scenario, TestFarm, debian, farmctl};
use tempfile::TempDir;
use tokio::process::Command;

/// A farm that uses every key which matters to containers.
const EVERYTHING: &str = "\
allow: [private, 203.0.113.0/24]
restart: always
stop_grace: 90s
labels: { com.example.room: \"the $attic, 50% \\\"cold\\\"\" }
targets:
  armv7h: { jobs: 4, memory: 2GiB, cpus: 2.5, nice: 10, stats: loopback }
  x86_64: { stats: lan, restart: on-failure }
  aarch64: { image: { pull: registry.example/farm/aarch64 } }
";

/// The default farm and one with everything, in every format.
pub(crate) async fn what_reads_the_files_takes_them(scenario: Scenario) -> Result<()> {
    let tools = tempfile::tempdir()?;
    for (word, keys) in [("plain", ""), ("everything", EVERYTHING)] {
        let farm = scenario.farm(word, keys).await?;
        compose_takes_it(&farm).await?;
        swarm_takes_it(&farm).await?;
        systemd_takes_it(&farm).await?;
        quadlet_takes_it(&farm, &tools).await?;
        kubernetes_takes_it(&scenario, &farm, &tools).await?;
    }
    Ok(())
}

async fn export(farm: &TestFarm, format: &str) -> Result<PathBuf> {
    let folder = farm.folder().join(format);
    let into = folder.display().to_string();
    let arguments = ["export", format, "--into", &into];
    let run = farm.run_with(&arguments, |command| {
        // Neither an engine nor a mirror is needed.
        command
            .env("DOCKER_HOST", "unix:///nonexistent")
            .env("FARMCTL_MIRROR", "http://127.0.0.1:1/debian");
    });
    run.await?.success()?;
    Ok(folder)
}

async fn run(program: impl AsRef<Path>, arguments: &[&str], folder: &Path) -> Result<Finished> {
    let program = program.as_ref();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    let line = format!("{} {}", program.display(), arguments.join(" "));
    farmctl::run(&line, &mut command).await
}

/// Both generations read the same from it.
async fn compose_takes_it(farm: &TestFarm) -> Result<()> {
    let folder = export(farm, "compose").await?;
    for compose in [
        Compose::first(&folder).await?,
        Compose::second(&folder).await?,
    ] {
        let compose = compose.with("COMPOSE_PROJECT_NAME", "export");
        let config = compose
            .run(&["-f", "compose.yaml", "config"])
            .await?
            .success()?;
        let config = config.stdout_text()?;
        for word in [
            "armv7h",
            "volunteers",
            "no-new-privileges:true",
            "/tmp:mode=1777",
        ] {
            ensure!(config.contains(word), "{word} is not in {config}");
        }
    }
    Ok(())
}

async fn swarm_takes_it(farm: &TestFarm) -> Result<()> {
    let folder = export(farm, "swarm").await?;
    let arguments = ["stack", "config", "--compose-file", "stack.yaml"];
    let config = run("docker", &arguments, &folder).await?.success()?;
    let text = config.stdout_text()?;
    for word in ["mode: host", "pids: ", "cap_drop"] {
        ensure!(text.contains(word), "{word} is not in {config}");
    }
    ensure!(
        !config.stderr_text()?.contains("nsupported"),
        "something is not supported: {config}"
    );
    Ok(())
}

async fn systemd_takes_it(farm: &TestFarm) -> Result<()> {
    let folder = export(farm, "systemd").await?;
    // What the units want of this machine, which need not have it.
    let stub = "[Service]\nType=oneshot\nExecStart=/bin/true\n";
    fs::write(folder.join("docker.service"), stub)?;
    let units = names(&folder)?;
    let mut arguments = vec!["verify", "--man=no", "--recursive-errors=no"];
    arguments.extend(units.iter().map(String::as_str));
    let verified = run("systemd-analyze", &arguments, &folder)
        .await?
        .success()?;
    let said = verified.stderr_text()?;
    ensure!(!said.contains("distcc-"), "{verified}");
    Ok(())
}

/// Podman's generator makes a service of each, and has nothing to remark.
async fn quadlet_takes_it(farm: &TestFarm, tools: &TempDir) -> Result<()> {
    let folder = export(farm, "quadlet").await?;
    let quadlet = tools.path().join("quadlet");
    if !quadlet.exists() {
        debian::program("podman", "usr/libexec/podman/quadlet", &quadlet).await?;
    }
    let mut command = Command::new(&quadlet);
    command.arg("-dryrun").env("QUADLET_UNIT_DIRS", &folder);
    let made = farmctl::run("quadlet -dryrun", &mut command)
        .await?
        .success()?;
    let services = made.stdout_text()?.matches("\n[Service]\n").count();
    assert_eq!(services, names(&folder)?.len(), "{made}");
    let said = made.stderr_text()?;
    ensure!(
        !said.contains("nsupported") && !said.contains("rror"),
        "{made}"
    );
    Ok(())
}

/// The schemas are in no package of Debian's; where the one of Python's is out of reach, that is said.
async fn kubernetes_takes_it(scenario: &Scenario, farm: &TestFarm, tools: &TempDir) -> Result<()> {
    let folder = export(farm, "kubernetes").await?;
    let text = fs::read_to_string(folder.join("kubernetes.yaml"))?;
    ensure!(text.contains("\n---\napiVersion: apps/v1\nkind: DaemonSet\n"));
    let validate = match validator(tools).await {
        Ok(validate) => validate,
        Err(reason) => {
            let skipped = format!("no schema check of kubernetes.yaml: {reason:#}");
            scenario.note(&skipped);
            return Ok(());
        }
    };
    let arguments = ["--strict", "kubernetes.yaml"];
    run(validate, &arguments, &folder).await?.success()?;
    let spoilt = text.replacen("hostPort:", "hostPorts:", 1);
    fs::write(folder.join("spoilt.yaml"), spoilt)?;
    let arguments = ["--strict", "spoilt.yaml"];
    let refused = run(
        tools.path().join("python/bin/kubernetes-validate"),
        &arguments,
        &folder,
    );
    ensure!(refused.await?.code != 0, "a wrong key is not noticed");
    Ok(())
}

async fn validator(tools: &TempDir) -> Result<PathBuf> {
    let program = tools.path().join("python/bin/kubernetes-validate");
    if !program.exists() {
        let arguments = ["-m", "venv", "python"];
        run("python3", &arguments, tools.path()).await?.success()?;
        let pip = tools.path().join("python/bin/pip");
        let arguments = [
            "install",
            "--quiet",
            "--retries",
            "0",
            "kubernetes-validate",
        ];
        run(pip, &arguments, tools.path()).await?.success()?;
    }
    program.exists().then_some(program).context("no program")
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with("distcc-") {
            names.push(name);
        }
    }
    Ok(names)
}
