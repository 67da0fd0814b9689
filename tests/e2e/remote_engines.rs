//! Engines of other machines, over TLS and by ssh: a farm comes up there, a job compiles, and every fault in between is
//! one that a person can act on.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use farm_tests::authority::Authority;
use farm_tests::scenario::Skip;
use farm_tests::signal::{self, Signal};
use farm_tests::sshd::Sshd;
use farm_tests::{
    AnotherMachine, BOARDS, Board, Finished, Scenario, SecondEngine, TestFarm, eventually,
};
use tokio::process::Child;

/// How long an `up` may take to get to its images on a loaded machine, and to see that nobody takes them.
const PATIENCE: Duration = Duration::from_mins(4);

/// What the other machine's own compiler can preprocess for.
const TARGET: &str = "x86_64";

pub(crate) async fn a_farm_on_an_engine_over_tls(scenario: Scenario) -> Result<()> {
    let authority = Authority::create().await?;
    let certificates = authority
        .engine(&format!("IP:{}", SecondEngine::ADDRESS))
        .await?;
    let engine = scenario.listening_engine("tls", &certificates).await?;
    let machine = AnotherMachine::beside(&engine).await?;
    let user = authority.user().await?;
    let farm = tls_farm(&scenario, &machine, "tls-farm", &user).await?;
    serves(&scenario, &farm, &machine).await?;
    contexts_lead_to_it(&scenario, &farm, &user).await?;

    let stranger = Authority::create().await?;
    let told = refused(&farm, &stranger.user().await?).await?;
    told.says("error", "vouches for the engine's certificate")?;
    told.says("hint", "ca.pem")?;
    // The right authority, but a user that it knows nothing of.
    let unknown = stranger.user().await?;
    fs::copy(authority.certificate(), unknown.join("ca.pem"))?;
    let told = refused(&farm, &unknown).await?;
    told.says("error", "does not accept")?;
    told.says("hint", "--tlscacert")?;
    let told = refused(&farm, Path::new("/nonexistent")).await?;
    told.says("error", "cannot read /nonexistent/ca.pem")?;
    Ok(())
}

/// The cable is pulled in the middle of an image; nobody says goodbye.
pub(crate) async fn a_cable_is_pulled_while_an_image_goes_over_tls(
    scenario: Scenario,
) -> Result<()> {
    let authority = Authority::create().await?;
    let certificates = authority
        .engine(&format!("IP:{}", SecondEngine::ADDRESS))
        .await?;
    let engine = scenario.listening_engine("cable", &certificates).await?;
    let machine = AnotherMachine::beside(&engine).await?;
    let farm = tls_farm(&scenario, &machine, "cable-farm", &authority.user().await?).await?;
    let mut up = farm.spawn(&["up"])?;
    image_is_under_way(&machine, &mut up).await?;
    machine.pull_out().await?;
    let ended = farm.finish(&["up"], up).await?;
    ensure!([1, 3].contains(&ended.code), "{ended}");
    ended.says("error", "was lost")?;
    ended.says("hint", "the same command goes on")?;
    machine.plug_in().await?;
    comes_up(&farm).await
}

pub(crate) async fn a_farm_on_an_engine_behind_ssh(scenario: Scenario) -> Result<()> {
    let engine = scenario.second_engine("ssh").await?;
    let machine = AnotherMachine::beside(&engine).await?;
    let sshd = Sshd::start(&engine.namespace(), SecondEngine::ADDRESS.parse()?).await?;
    let farm = ssh_farm(&scenario, &engine, &machine, &sshd, "ssh-farm").await?;
    serves(&scenario, &farm, &machine).await?;
    ensure!(sshd.clients()?.is_empty(), "ssh outlives farmctl");

    sshd.know_wrong_host_key()?;
    let told = farm.run(&["status"]).await?.expect_code(3)?;
    told.says("error", "another host key than the one that ssh knows")?;
    told.says("hint", "ssh-keygen -f")?;
    sshd.forget_host_key()?;
    let told = farm.run(&["status"]).await?.expect_code(3)?;
    told.says("error", "does not know the machine's host key")?;
    sshd.know_right_host_key()?;
    sshd.let_in(false)?;
    let told = farm.run(&["status"]).await?.expect_code(3)?;
    told.says("error", "Permission denied")?;
    told.says("hint", "ssh-copy-id")?;
    sshd.let_in(true)?;
    gives_up_at_once(&farm, &sshd).await
}

/// The server's side of the connection is killed in the middle of an image.
pub(crate) async fn ssh_ends_while_an_image_goes_through(scenario: Scenario) -> Result<()> {
    let engine = scenario.second_engine("sshcut").await?;
    let machine = AnotherMachine::beside(&engine).await?;
    let sshd = Sshd::start(&engine.namespace(), SecondEngine::ADDRESS.parse()?).await?;
    let farm = ssh_farm(&scenario, &engine, &machine, &sshd, "sshcut-farm").await?;
    let mut up = farm.spawn(&["up"])?;
    image_is_under_way(&machine, &mut up).await?;
    sshd.cut_connections()?;
    let ended = farm.finish(&["up"], up).await?;
    ensure!([1, 3].contains(&ended.code), "{ended}");
    ended.says("error", "the ssh connection was lost")?;
    ended.says("error", Sshd::HOST)?;
    comes_up(&farm).await
}

async fn tls_farm(
    scenario: &Scenario,
    machine: &AnotherMachine,
    word: &str,
    user: &Path,
) -> Result<TestFarm> {
    let farm = scenario.farm_from(machine, word, &tls_keys(user))?;
    farm.copy_lock(&*scenario.shared_farm().await?)?;
    Ok(farm)
}

fn tls_keys(user: &Path) -> String {
    keys(&format!(
        "docker: 'tcp://{}:{}', tls: {}",
        SecondEngine::ADDRESS,
        SecondEngine::PORT,
        user.display()
    ))
}

async fn ssh_farm(
    scenario: &Scenario,
    engine: &SecondEngine,
    machine: &AnotherMachine,
    sshd: &Sshd,
    word: &str,
) -> Result<TestFarm> {
    let socket = engine.endpoint();
    let socket = socket.strip_prefix("unix://").context("no socket")?;
    let keys = keys(&format!("docker: 'ssh://{}{socket}'", Sshd::HOST));
    let mut farm = scenario.farm_from(machine, word, &keys)?;
    farm.set("PATH", sshd.search_path()?);
    farm.copy_lock(&*scenario.shared_farm().await?)?;
    Ok(farm)
}

fn keys(host: &str) -> String {
    format!("hosts: {{ engine: {{ {host} }} }}\ntargets: {{ {TARGET}: {{}} }}\n")
}

/// Up, nothing to do, a job, down.
async fn serves(scenario: &Scenario, farm: &TestFarm, machine: &AnotherMachine) -> Result<()> {
    comes_up(farm).await?;
    let again = farm.run(&["up"]).await?.success()?;
    ensure!(again.stderr_text()?.contains("nothing to do"), "{again}");
    compiles(scenario, farm, machine).await?;
    farm.run(&["down"]).await?.success()?;
    Ok(())
}

async fn comes_up(farm: &TestFarm) -> Result<()> {
    farm.run(&["up"]).await?.success()?;
    let plan = farm.run(&["plan", "--exit-code"]).await?.success()?;
    ensure!(plan.stdout.is_empty(), "{plan}");
    Ok(())
}

/// The stock client of the other machine has a file compiled by the farm, or fails.
async fn compiles(scenario: &Scenario, farm: &TestFarm, machine: &AnotherMachine) -> Result<()> {
    if !Path::new("/usr/bin/distcc").exists() {
        return Err(Skip("the stock distcc is not installed".to_owned()).into());
    }
    let folder = farm.folder().join("job");
    let state = folder.join("state");
    fs::create_dir_all(&state)?;
    fs::write(folder.join("a.c"), "int answer(void) { return 42; }\n")?;
    let hosts = farm.hosts_of(board()?).await?;
    let mut distcc = machine.command("/usr/bin/distcc");
    distcc
        .args(["gcc", "-c", "a.c", "-o", "a.o"])
        .current_dir(&folder)
        .env("DISTCC_HOSTS", hosts)
        .env("DISTCC_FALLBACK", "0")
        .env("DISTCC_DIR", state);
    let compiled = farm_tests::farmctl::run("distcc gcc -c a.c", &mut distcc).await?;
    scenario.note(&compiled.to_string());
    compiled.success()?;
    let object = fs::read(folder.join("a.o"))?;
    // ELF, 64 bits, for x86-64: elf(5).
    ensure!(
        object.starts_with(b"\x7fELF\x02") && object[18] == 62,
        "no object for {TARGET}"
    );
    Ok(())
}

fn board() -> Result<&'static Board> {
    let board = BOARDS.iter().find(|board| board.target == TARGET);
    board.context("there is no such board")
}

/// Docker's own command makes a context: a manifest may name it, and without a word it counts as for that command.
async fn contexts_lead_to_it(scenario: &Scenario, farm: &TestFarm, user: &Path) -> Result<()> {
    const NAME: &str = "attic";
    let file = |name: &str| user.join(name).display().to_string();
    let endpoint = format!(
        "host=tcp://{}:{},ca={},cert={},key={}",
        SecondEngine::ADDRESS,
        SecondEngine::PORT,
        file("ca.pem"),
        file("cert.pem"),
        file("key.pem")
    );
    let docker = async |arguments: &[&str]| {
        let mut docker = tokio::process::Command::new("docker");
        docker
            .args(arguments)
            .env_remove("DOCKER_HOST")
            .env("DOCKER_CONFIG", farm.docker_settings());
        let run = farm_tests::farmctl::run("docker context", &mut docker).await?;
        scenario.note(&run.to_string());
        run.success()
    };
    docker(&["context", "create", NAME, "--docker", &endpoint]).await?;
    farm.write_manifest(&keys(&format!("docker: 'context:{NAME}'")))?;
    comes_up(farm).await?;
    docker(&["context", "use", NAME]).await?;
    farm.write_manifest(&keys("docker: local"))?;
    farm.run(&["plan", "--exit-code"]).await?.success()?;
    farm.run(&["down"]).await?.success()?;
    Ok(())
}

/// What `status` says with the certificates in `user`.
async fn refused(farm: &TestFarm, user: &Path) -> Result<Finished> {
    farm.write_manifest(&tls_keys(user))?;
    farm.run(&["status"]).await?.expect_code(3)
}

async fn image_is_under_way(machine: &AnotherMachine, up: &mut Child) -> Result<()> {
    const SOME: u64 = 4 << 20;
    let under_way = eventually("an image is under way", PATIENCE, async || {
        let sent = machine.sent().await?;
        ensure!(sent > SOME, "{sent} bytes");
        Ok(())
    });
    tokio::select! {
        result = under_way => result,
        _ended = up.wait() => bail!("it ended before an image was under way"),
    }
}

/// Ctrl-C while ssh hangs: nothing is left of it.
async fn gives_up_at_once(farm: &TestFarm, sshd: &Sshd) -> Result<()> {
    sshd.freeze(true)?;
    let status = farm.spawn(&["status"])?;
    let process = status.id().context("it has ended")?;
    eventually("ssh hangs", PATIENCE, async || {
        ensure!(!sshd.clients()?.is_empty(), "no ssh");
        Ok(())
    })
    .await?;
    signal::send(&status, Signal::INT)?;
    let ended = farm.finish(&["status"], status).await?;
    sshd.freeze(false)?;
    ended.expect_code(130)?;
    eventually("ssh is gone", PATIENCE, async || {
        ensure!(sshd.clients()?.is_empty(), "ssh is still there");
        Ok(())
    })
    .await?;
    let left = format!("farmctl-ssh-{process}-");
    for entry in fs::read_dir(std::env::temp_dir())?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        ensure!(!name.starts_with(&left), "{name} is left");
    }
    Ok(())
}
