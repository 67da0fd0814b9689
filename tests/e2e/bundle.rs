//! A bundle takes a farm to a machine that reaches nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use farm_tests::{Finished, Scenario, SecondEngine, TestFarm, farmctl};
use tempfile::TempDir;
use tokio::process::Command;

const KEYS: &str = "targets: { x86_64: {} }\n";
const BUNDLE: &str = "attic.bundle";

/// Copied there, the program taken out of it, loaded, brought up: and a job of the stock client compiles.
pub(crate) async fn a_farm_comes_up_from_a_bundle_without_a_network(
    scenario: Scenario,
) -> Result<()> {
    let engine = scenario.second_engine("offline").await?;
    let farm = scenario.farm_on(&engine, "bundled", KEYS)?;
    save(&scenario, &farm, Path::new(BUNDLE)).await?.success()?;
    does_not_fit(&scenario, &farm).await?;

    let machine = Offline::new(&engine, &farm.folder().join(BUNDLE))?;
    machine
        .run("tar", &["xf", BUNDLE, "farmctl"])
        .await?
        .success()?;
    machine.reaches_nothing().await?;
    machine
        .farmctl(&["bundle", "load", BUNDLE])
        .await?
        .success()?;
    machine.farmctl(&["up"]).await?.success()?;
    machine.compiles().await?;

    let again = machine
        .farmctl(&["bundle", "load", BUNDLE])
        .await?
        .success()?;
    ensure!(again.stdout_text()?.contains("present"), "{again}");
    let again = machine.farmctl(&["up"]).await?.success()?;
    ensure!(again.stderr_text()?.contains("nothing to do"), "{again}");
    machine.farmctl(&["down"]).await?.success()?;
    Ok(())
}

/// On the machine that has a network.
async fn save(scenario: &Scenario, farm: &TestFarm, file: &Path) -> Result<Finished> {
    let mut command = Command::new(scenario.farmctl());
    command.args(["bundle", "save"]).arg(file);
    command.current_dir(farm.folder());
    let saved = farmctl::run("farmctl bundle save", &mut command).await?;
    scenario.note(&saved.to_string());
    Ok(saved)
}

/// A disk that is too small keeps nothing of it.
async fn does_not_fit(scenario: &Scenario, farm: &TestFarm) -> Result<()> {
    let disk = SmallDisk::mount("8m").await?;
    let refused = save(scenario, farm, &disk.0.path().join(BUNDLE)).await?;
    let refused = refused.expect_code(1)?;
    refused.says("error", "disk full while writing")?;
    refused.says("hint", "free some space")?;
    let left = fs::read_dir(disk.0.path())?.count();
    ensure!(left == 0, "{left} files are left behind");
    Ok(())
}

/// A file system in memory.
struct SmallDisk(TempDir);

impl SmallDisk {
    async fn mount(size: &str) -> Result<Self> {
        let disk = Self(tempfile::tempdir()?);
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"]);
        command.arg(disk.0.path());
        farmctl::run("mount", &mut command).await?.success()?;
        Ok(disk)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let lazily = rustix::mount::UnmountFlags::DETACH;
        let _not_mounted = rustix::mount::unmount(self.0.path(), lazily);
    }
}

/// A machine with an engine, the stock client, and no way to any other machine.
struct Offline {
    namespace: PathBuf,
    endpoint: String,
    folder: TempDir,
}

impl Offline {
    fn new(engine: &SecondEngine, bundle: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::copy(bundle, folder.path().join(BUNDLE)).context("cannot copy the bundle")?;
        Ok(Self {
            namespace: engine.namespace(),
            endpoint: engine.endpoint(),
            folder,
        })
    }

    async fn farmctl(&self, arguments: &[&str]) -> Result<Finished> {
        self.run("./farmctl", arguments).await
    }

    /// An environment of its own: an empty home, and nothing that the tests' machine knows.
    async fn run(&self, program: &str, arguments: &[&str]) -> Result<Finished> {
        let address = SecondEngine::ADDRESS;
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net={}", self.namespace.display()))
            .args(["--", program])
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder.path().join("home"))
            .env("DOCKER_HOST", &self.endpoint)
            .env("DISTCC_HOSTS", format!("{address}:3632,lzo"))
            .env("DISTCC_FALLBACK", "0")
            .stdin(Stdio::null());
        let line = format!("{program} {}", arguments.join(" "));
        farmctl::run(&line, &mut command).await
    }

    /// What needs the mirror fails, so what succeeds needed none.
    async fn reaches_nothing(&self) -> Result<()> {
        let elsewhere = ["--manifest", "elsewhere.yaml", "update", "--check"];
        fs::write(
            self.folder.path().join("elsewhere.yaml"),
            "mirror: http://192.0.2.1/debian\n",
        )?;
        let refused = self.farmctl(&elsewhere).await?.expect_code(1)?;
        refused.says("error", "192.0.2.1")?;
        let cache = self.folder.path().join("home/.cache/farmctl/archive");
        ensure!(!cache.exists(), "something was downloaded");
        Ok(())
    }

    /// The object comes from the volunteer: the client may not fall back to its own compiler.
    async fn compiles(&self) -> Result<()> {
        let source = "int answer(void) { return 42; }\n";
        fs::write(self.folder.path().join("answer.c"), source)?;
        let job = ["cc", "-O2", "-c", "answer.c", "-o", "answer.o"];
        self.run("distcc", &job).await?.success()?;
        let main = "int answer(void);\nint main(void) { return answer(); }\n";
        fs::write(self.folder.path().join("main.c"), main)?;
        self.run("cc", &["main.c", "answer.o", "-o", "answer"])
            .await?
            .success()?;
        self.run("./answer", &[]).await?.expect_code(42)?;
        Ok(())
    }
}
