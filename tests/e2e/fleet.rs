//! Two engines that are one farm: the machine's own, and a second one that has an address of its own.

use anyhow::{Result, ensure};
use farm_tests::job_log::{compiled, jobs};
use farm_tests::{
    BOARDS, Board, Command, Container, Files, Master, Scenario, SecondEngine, TestFarm,
};

const BOARD: Board = BOARDS[1];
const UNITS: usize = 60;
const FOLDER: &str = "/work/fleet";

/// Both do jobs of one build. What is done to one host leaves the other alone, whether the user wants it or the engine
/// is gone.
pub(crate) async fn two_engines_are_one_farm(scenario: Scenario) -> Result<()> {
    let mut second = scenario.second_engine("fleet").await?;
    let address = second.join().await?;
    let keys = format!(
        "targets: {{ armv5: {{}}, aarch64: {{}} }}\nhosts:\n  here: {{ jobs: 4 }}\n  \
         nas: {{ docker: \"{}\", address: {address}, jobs: 6, targets: [armv5] }}\n",
        second.endpoint()
    );
    let farm = scenario.farm("fleet", &keys).await?;
    farm.copy_lock(&*scenario.shared_farm().await?)?;

    let up = farm.run(&["up"]).await?.success()?;
    let both = format!(
        "\"{address}:{port}/6,lzo {own}:{port}/4,lzo\"",
        port = BOARD.port,
        own = farm.address()
    );
    ensure!(up.stdout_text()?.contains(&both), "not {both}: {up}");
    let again = farm.run(&["up"]).await?.success()?;
    ensure!(again.stderr_text()?.contains("nothing to do"), "{again}");
    let status = farm.run(&["status"]).await?.success()?;
    ensure!(status.stdout_text()?.contains("nas "), "{status}");
    farm.run(&["doctor"]).await?;

    both_compile(&scenario, &farm, &second).await?;
    one_is_drained(&farm, &address.to_string()).await?;
    one_is_gone(&farm, &mut second).await?;

    farm.run(&["down"]).await?.success()?;
    ensure!(
        second_volunteer(&farm, &second)?.inspect().await.is_err(),
        "it is still there"
    );
    farm.run(&["plan", "--exit-code"]).await?.expect_code(5)?;
    Ok(())
}

async fn both_compile(scenario: &Scenario, farm: &TestFarm, second: &SecondEngine) -> Result<()> {
    let hosts = farm.run(&["hosts", BOARD.target, "--for", "plain"]).await?;
    let hosts = hosts.success()?.stdout_text()?.trim().to_owned();
    build(scenario.master().await?, &hosts).await?;
    let here = compiled_by(&farm.volunteer(scenario.docker(), &BOARD)).await?;
    let there = compiled_by(&second_volunteer(farm, second)?).await?;
    ensure!(here > 0 && there > 0, "{here} jobs here, {there} there");
    assert_eq!(here + there, UNITS);
    let logs = farm.run(&["logs", BOARD.target]).await?.success()?;
    for host in ["here ", "nas "] {
        let mut lines = logs.stdout_text()?.lines();
        ensure!(
            lines.any(|line| line.starts_with(host)),
            "no line of {host}"
        );
    }
    Ok(())
}

fn second_volunteer(farm: &TestFarm, second: &SecondEngine) -> Result<Container> {
    Ok(farm.volunteer(&second.docker()?, &BOARD))
}

async fn compiled_by(volunteer: &Container) -> Result<usize> {
    let jobs = jobs(volunteer).await?;
    let units = compiled(&jobs);
    let of_build = units
        .iter()
        .filter(|(source, _)| source.contains("fleet-unit"));
    Ok(of_build.map(|(_, count)| count).sum())
}

/// Everything on the volunteers, or it fails.
async fn build(master: &Master, hosts: &str) -> Result<()> {
    let mut files = Files::new();
    for unit in 0..UNITS {
        let functions: Vec<_> = (0..20)
            .map(|n| format!("int f{unit}_{n}(int a) {{ return a * {n} + {unit}; }}\n"))
            .collect();
        files.insert(format!("fleet-unit{unit}.c"), functions.concat());
    }
    let objects: Vec<_> = (0..UNITS)
        .map(|unit| format!("fleet-unit{unit}.o"))
        .collect();
    let makefile = format!(
        "all: {}\n%.o: %.c\n\tdistcc {}-gcc -O2 -c $< -o $@\n",
        objects.join(" "),
        BOARD.triple
    );
    files.insert("Makefile", makefile);
    master.copy_in(FOLDER, &files).await?;
    let make = Command::new(["/usr/bin/make", "-s", "-j10", "all"])
        .folder(FOLDER)
        .env("DISTCC_HOSTS", hosts)
        .env("DISTCC_FALLBACK", "0")
        .env("DISTCC_DIR", FOLDER);
    master.run(&make).await?.success()?;
    Ok(())
}

async fn one_is_drained(farm: &TestFarm, address: &str) -> Result<()> {
    let hosts = ["hosts", BOARD.target];
    farm.run(&["drain", "--host", "nas"]).await?.success()?;
    let told = farm.run(&hosts).await?.success()?;
    ensure!(!told.stdout_text()?.contains(address), "{told}");
    farm.run(&["status"]).await?.success()?;
    farm.run(&["undrain", "--host", "nas"]).await?.success()?;
    let told = farm.run(&hosts).await?.success()?;
    ensure!(told.stdout_text()?.contains(address), "{told}");
    Ok(())
}

async fn one_is_gone(farm: &TestFarm, second: &mut SecondEngine) -> Result<()> {
    second.shut_down().await?;
    for verb in [
        &["status"][..],
        &["plan"],
        &["restart", BOARD.target],
        &["up"],
    ] {
        let told = farm.run(verb).await?.expect_code(1)?;
        told.says("error", "host nas: ")?;
        ensure!(
            told.stderr_text()?.contains("1 of 2 hosts failed: nas"),
            "{told}"
        );
    }
    farm.run(&["status", "--host", "nas"])
        .await?
        .expect_code(3)?;
    farm.run(&["status", "--host", "here"]).await?.success()?;
    second.switch_on().await?;
    farm.run(&["up"]).await?.success()?;
    farm.run(&["status"]).await?.success()?;
    Ok(())
}
