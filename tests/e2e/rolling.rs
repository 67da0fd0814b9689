//! The point of doors: a build goes on while everything behind its port is replaced, and notices nothing.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use farm_tests::{BOARDS, Board, Command, Files, Master, Scenario, TestFarm};

const BOARD: Board = BOARDS[1];
const UNITS: usize = 320;
const FOLDER: &str = "/work/rolling";
const STOP: &str = "/work/rolling/stop";

/// The GCC list, the memory limit and the image change, and then the user restarts; at least one whole build of all
/// units runs meanwhile, and builds follow each other until all is done. Nothing runs locally, nothing fails.
pub(crate) async fn a_build_goes_on_while_everything_is_replaced(scenario: Scenario) -> Result<()> {
    let farm = scenario.farm("rolling", &keys("1GiB", "[14]")).await?;
    farm.copy_lock(&*scenario.shared_farm().await?)?;
    farm.run(&["up"]).await?.success()?;
    let master = scenario.master().await?;
    let hosts = farm.hosts_of(&BOARD).await?;
    master.copy_in(FOLDER, &project()).await?;

    let (rounds, generations) = tokio::join!(
        build_until_told(master, &hosts),
        replace_everything(&scenario, &farm, master)
    );
    let (rounds, generations) = (rounds?, generations?);
    assert_eq!(generations.len(), 5, "{generations:?}");
    let log = master.copy_out(FOLDER).await?;
    let log = String::from_utf8_lossy(log.read("client.log")?).into_owned();
    let address = format!("{}:{}", farm.address(), BOARD.port);
    let by_volunteers = log
        .lines()
        .filter(|line| line.contains(" completed ok") && line.contains(&address))
        .count();
    assert_eq!(by_volunteers, rounds * UNITS);
    ensure!(!log.contains("running locally"), "something ran locally");
    farm.run(&["plan", "--exit-code"]).await?.success()?;
    Ok(())
}

fn keys(memory: &str, gcc: &str) -> String {
    format!("targets: {{ armv5: {{ memory: {memory}, gcc: {gcc} }} }}\n")
}

/// Short units, so that many of them are on their way at any time.
fn project() -> Files {
    let mut files = Files::new();
    for unit in 0..UNITS {
        let functions: Vec<_> = (0..20)
            .map(|n| format!("int f{unit}_{n}(int a) {{ return a * {n} + {unit}; }}\n"))
            .collect();
        files.insert(format!("unit{unit}.c"), functions.concat());
    }
    let objects: Vec<_> = (0..UNITS).map(|unit| format!("unit{unit}.o")).collect();
    let makefile = format!(
        "all: {}\n%.o: %.c\n\tdistcc {}-gcc -O2 -c $< -o $@\n",
        objects.join(" "),
        BOARD.triple
    );
    files.insert("Makefile", makefile);
    files.insert("build.sh", BUILD);
    files
}

/// Prints how often everything was built.
const BUILD: &str = "\
mkdir -p client
rounds=0
while :; do
  make -s -j8 all >&2 || exit 1
  rounds=$((rounds + 1))
  if [ -e stop ]; then break; fi
  rm -f unit*.o
done
echo $rounds
";

async fn build_until_told(master: &Master, hosts: &str) -> Result<usize> {
    let command = Command::new(["/usr/bin/bash", "build.sh"])
        .folder(FOLDER)
        .env("DISTCC_HOSTS", hosts)
        .env("DISTCC_FALLBACK", "0")
        .env("DISTCC_DIR", "/work/rolling/client")
        .env("DISTCC_VERBOSE", "1")
        .env("DISTCC_LOG", "/work/rolling/client.log");
    let built = master.run(&command).await?.success()?;
    built
        .stdout_text()?
        .trim()
        .parse()
        .with_context(|| format!("no number of rounds: {built}"))
}

/// The ids of all volunteers, one after the other. Whatever happens, the build is told to end.
async fn replace_everything(
    scenario: &Scenario,
    farm: &TestFarm,
    master: &Master,
) -> Result<BTreeSet<String>> {
    let replaced = replace(scenario, farm).await;
    let stop = Command::new(["/usr/bin/touch", STOP]);
    master.run(&stop).await?.success()?;
    replaced
}

async fn replace(scenario: &Scenario, farm: &TestFarm) -> Result<BTreeSet<String>> {
    let mut generations = BTreeSet::from([only_volunteer(scenario, farm).await?]);
    farm.write_manifest(&keys("1GiB", "[14, 12]"))?;
    generations.insert(after(&["up"], scenario, farm).await?);
    farm.write_manifest(&keys("900MiB", "[14, 12]"))?;
    generations.insert(after(&["up"], scenario, farm).await?);
    farm.make_images_unique(BOARD.target)?;
    generations.insert(after(&["up"], scenario, farm).await?);
    generations.insert(after(&["restart"], scenario, farm).await?);
    Ok(generations)
}

async fn after(verb: &[&str], scenario: &Scenario, farm: &TestFarm) -> Result<String> {
    farm.run(verb).await?.success()?;
    only_volunteer(scenario, farm).await
}

async fn only_volunteer(scenario: &Scenario, farm: &TestFarm) -> Result<String> {
    let all = farm.volunteers(scenario.docker(), &BOARD).await?;
    let [only] = all.as_slice() else {
        anyhow::bail!("not one volunteer: {all:?}");
    };
    Ok(only.id().to_owned())
}
