//! A farm on a real swarm of two nodes with a real registry: builds go on while services roll, while a node is drained, and
//! while one dies.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bollard::models::{
    Mount, MountType, ServiceSpec, ServiceSpecMode, TaskSpec, TaskSpecContainerSpec, TaskState,
};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptions, ListServicesOptions,
    ListTasksOptionsBuilder, ListVolumesOptions,
};
use farm_tests::{BOARDS, Board, Finished, Scenario, TestFarm, TestSwarm, eventually, farmctl};
use serde_json::Value;
use tempfile::TempDir;

const BOARD: Board = BOARDS[0];
const UNITS: usize = 100;
/// No more than any node takes at once, so that all of them are begun.
const JOBS: usize = 3;
/// Functions of a unit: a moment's work, and some seconds'.
const LIGHT: usize = 40;
const HEAVY: usize = 2000;
const FIRST: &str = TestSwarm::ADDRESSES[0];
const SECOND: &str = TestSwarm::ADDRESSES[1];
const OTHER: &str = "somebody-elses";
const PATIENCE: Duration = Duration::from_mins(2);

/// Comes up, is updated, drained, put back, loses a node and goes; at each step a stock client's build goes on without
/// an error.
pub(crate) async fn a_farm_on_a_swarm_goes_through_everything(scenario: Scenario) -> Result<()> {
    let mut swarm = scenario.swarm("swarm").await?;
    let farm = scenario.farm_of(&swarm, "swarm", &keys(&swarm, "1GiB"))?;
    is_refused_by_the_registry(&farm).await?;
    comes_up(&farm).await?;
    tells_what_nodes_wrote(&farm).await?;
    rolls(&swarm, &farm).await?;
    is_drained(&swarm, &farm).await?;
    loses_a_node(&mut swarm, &farm).await?;
    goes(&swarm, &farm).await
}

fn keys(swarm: &TestSwarm, memory: &str) -> String {
    format!(
        "hosts:\n  rack:\n    docker: {}\n    engine: swarm\n    registry: {}/farmctl\n    placement: node.platform.os==linux\n\
         targets: {{ {}: {{ gcc: 14, memory: {memory} }} }}\n",
        swarm.endpoint(),
        TestSwarm::registry(),
        BOARD.target
    )
}

/// Until its user has logged in as with Docker's own command.
async fn is_refused_by_the_registry(farm: &TestFarm) -> Result<()> {
    let up = farm.run(&["up"]).await?;
    ensure!(
        up.code != 0 && up.stderr_text()?.contains("docker login"),
        "{up}"
    );
    fs::create_dir(farm.docker_settings())?;
    let settings = farm.docker_settings().join("config.json");
    Ok(fs::write(settings, TestSwarm::login())?)
}

/// What volunteers check before they serve is in the logs of both nodes.
async fn tells_what_nodes_wrote(farm: &TestFarm) -> Result<()> {
    let logs = farm.run(&["logs", "--doors", "--output", "json"]).await?;
    let mut listening = BTreeSet::new();
    for line in logs.success()?.stdout_text()?.lines() {
        let line: Value = serde_json::from_str(line)?;
        assert_eq!(line["target"], BOARD.target, "{line}");
        let text = line["message"].as_str().context("no message")?;
        if text.contains("gave the port to a volunteer") {
            listening.insert(line["node"].as_str().context("no node")?.to_owned());
        }
    }
    let both = BTreeSet::from([FIRST, SECOND].map(str::to_owned));
    assert_eq!(listening, both);
    Ok(())
}

async fn comes_up(farm: &TestFarm) -> Result<()> {
    let up = farm.run(&["up"]).await?.success()?;
    let printed = up.stdout_text()?;
    ensure!(
        printed.contains(FIRST) && printed.contains(SECOND),
        "not both nodes: {up}"
    );
    let again = farm.run(&["up"]).await?.success()?;
    ensure!(again.stderr_text()?.contains("nothing to do"), "{again}");
    farm.run(&["plan", "--exit-code"]).await?.success()?;
    assert_eq!(nodes(farm).await?, [FIRST, SECOND]);
    let status = farm.run(&["status", "--output", "json"]).await?.success()?;
    let status: Value = serde_json::from_str(status.stdout_text()?)?;
    let rows = status["volunteers"].as_array().context("no volunteers")?;
    assert_eq!(rows.len(), 2, "{status}");
    for row in rows {
        assert_eq!(
            (&row["state"], &row["health"], &row["door"]),
            (&"running".into(), &"healthy".into(), &"running".into())
        );
        assert_eq!(row["slots"], default_slots()?, "{row}");
    }
    Ok(())
}

/// What the stock daemon takes without being told.
fn default_slots() -> Result<usize> {
    Ok(std::thread::available_parallelism()?.get() + 2)
}

/// The addresses of the lines for the board, in their order.
async fn nodes(farm: &TestFarm) -> Result<Vec<String>> {
    let lines = farm.run(&["hosts", "--output", "json"]).await?.success()?;
    let lines: Value = serde_json::from_str(lines.stdout_text()?)?;
    let lines = lines["volunteers"].as_array().context("no volunteers")?;
    let address = |line: &Value| line["address"].as_str().map(str::to_owned);
    lines
        .iter()
        .map(|line| address(line).context("no address"))
        .collect()
}

/// Memory, the image and then everything is renewed, one after the other; builds follow each other until all is done.
async fn rolls(swarm: &TestSwarm, farm: &TestFarm) -> Result<()> {
    let site = Site::new(UNITS, LIGHT)?;
    let hosts = hosts_line(farm).await?;
    let working = site.build(swarm, &hosts, Fallback::No);
    let replace = async {
        let replaced = replace(swarm, farm).await;
        fs::write(site.file("stop"), "")?;
        replaced
    };
    let (built, generations) = tokio::join!(working, replace);
    let rounds: usize = built?.success()?.stdout_text()?.trim().parse()?;
    assert_eq!(
        generations?.len(),
        4 * 2,
        "each of two nodes has had four volunteers"
    );
    assert_eq!(site.done_by(FIRST)? + site.done_by(SECOND)?, rounds * UNITS);
    ensure!(
        site.done_by(FIRST)? > 0 && site.done_by(SECOND)? > 0,
        "one node did it all"
    );
    Ok(())
}

async fn replace(swarm: &TestSwarm, farm: &TestFarm) -> Result<BTreeSet<String>> {
    let mut generations = volunteers(swarm, farm).await?;
    farm.write_manifest(&keys(swarm, "900MiB"))?;
    farm.run(&["up"]).await?.success()?;
    generations.extend(volunteers(swarm, farm).await?);
    farm.make_images_unique(BOARD.target)?;
    farm.run(&["up"]).await?.success()?;
    generations.extend(volunteers(swarm, farm).await?);
    farm.run(&["restart"]).await?.success()?;
    generations.extend(volunteers(swarm, farm).await?);
    farm.run(&["plan", "--exit-code"]).await?.success()?;
    Ok(generations)
}

/// The tasks of the volunteers that run.
async fn volunteers(swarm: &TestSwarm, farm: &TestFarm) -> Result<BTreeSet<String>> {
    running(swarm, &format!("farmctl-{}-{}", farm.name(), BOARD.target)).await
}

async fn running(swarm: &TestSwarm, service: &str) -> Result<BTreeSet<String>> {
    let filters = std::collections::HashMap::from([("service", vec![service.to_owned()])]);
    let options = ListTasksOptionsBuilder::default().filters(&filters).build();
    let tasks = swarm.docker(0)?.list_tasks(Some(options)).await?;
    let running = tasks.into_iter().filter(|task| {
        let state = task.status.as_ref().and_then(|status| status.state);
        (task.desired_state, state) == (Some(TaskState::RUNNING), Some(TaskState::RUNNING))
    });
    Ok(running.filter_map(|task| task.id).collect())
}

/// The second node finishes its jobs and serves no more; a stranger's service on it goes on.
async fn is_drained(swarm: &TestSwarm, farm: &TestFarm) -> Result<()> {
    start_another_service(swarm, farm).await?;
    let others = running(swarm, OTHER).await?;
    let site = Site::new(JOBS, HEAVY)?;
    let working = async {
        // Only the node that is drained: what it has begun it must finish, for nobody else may.
        fs::write(site.file("stop"), "")?;
        site.build(
            swarm,
            &format!("{SECOND}:{}/{JOBS}", BOARD.port),
            Fallback::No,
        )
        .await
    };
    let drain = async {
        eventually("jobs run", PATIENCE, async || {
            ensure!(site.sent()? == JOBS);
            Ok(())
        })
        .await?;
        farm.run(&["drain", "--node", SECOND]).await?.success()
    };
    let (built, drained) = tokio::join!(working, drain);
    drained?;
    built?.success()?;
    assert_eq!(nodes(farm).await?, [FIRST]);
    assert_eq!(
        running(swarm, OTHER).await?,
        others,
        "the other service was disturbed"
    );
    let up = farm.run(&["up"]).await?.success()?;
    let said = up.stderr_text()?;
    ensure!(
        said.contains("nothing to do") && said.contains("is drained on"),
        "{up}"
    );
    farm.run(&["undrain", "--node", SECOND]).await?.success()?;
    assert_eq!(nodes(farm).await?, [FIRST, SECOND]);
    Ok(())
}

async fn start_another_service(swarm: &TestSwarm, farm: &TestFarm) -> Result<()> {
    let manager = swarm.docker(0)?;
    let volunteer = format!("farmctl-{}-{}", farm.name(), BOARD.target);
    let volunteer = manager
        .inspect_service(
            &volunteer,
            None::<bollard::query_parameters::InspectServiceOptions>,
        )
        .await?;
    let template = volunteer
        .spec
        .and_then(|spec| spec.task_template)
        .context("no template")?;
    let image = template
        .container_spec
        .and_then(|container| container.image);
    let command =
        "--daemon --no-detach --log-stderr --port 4000 --listen 127.0.0.1 --allow 127.0.0.1";
    let container = TaskSpecContainerSpec {
        image,
        command: Some(vec!["/usr/bin/distccd".to_owned()]),
        args: Some(command.split(' ').map(str::to_owned).collect()),
        user: Some("65532:65532".to_owned()),
        mounts: Some(vec![Mount {
            target: Some("/tmp".to_owned()),
            typ: Some(MountType::TMPFS),
            ..Mount::default()
        }]),
        ..TaskSpecContainerSpec::default()
    };
    let service = ServiceSpec {
        name: Some(OTHER.to_owned()),
        task_template: Some(TaskSpec {
            container_spec: Some(container),
            ..TaskSpec::default()
        }),
        mode: Some(ServiceSpecMode {
            global: Some(std::iter::empty().collect()),
            ..ServiceSpecMode::default()
        }),
        ..ServiceSpec::default()
    };
    manager.create_service(service, None).await?;
    eventually("the other service runs", PATIENCE, async || {
        ensure!(running(swarm, OTHER).await?.len() == 2);
        Ok(())
    })
    .await
}

/// One of two nodes dies in the middle of a build, which ends all the same; then nobody is sent there any more.
async fn loses_a_node(swarm: &mut TestSwarm, farm: &TestFarm) -> Result<()> {
    let site = Site::new(UNITS, LIGHT)?;
    fs::write(site.file("stop"), "")?;
    let hosts = hosts_line(farm).await?;
    let mut command = site.command(swarm, &hosts, Fallback::Yes);
    let working = async { farmctl::run("build", &mut command).await };
    let kill = async {
        eventually("both nodes work", PATIENCE, async || {
            ensure!(site.done_by(FIRST)? > 5 && site.done_by(SECOND)? > 5);
            Ok(())
        })
        .await?;
        ensure!(site.objects() < UNITS, "the build was over too soon");
        swarm.kill_second_node().await
    };
    let (built, killed) = tokio::join!(working, kill);
    killed?;
    built?.success()?;
    assert_eq!(site.objects(), UNITS);
    eventually("the dead node is offered no more", PATIENCE, async || {
        let nodes = nodes(farm).await?;
        ensure!(nodes == [FIRST], "{nodes:?}");
        Ok(())
    })
    .await
}

/// Nothing stays on the node that is left; what a stranger has does.
async fn goes(swarm: &TestSwarm, farm: &TestFarm) -> Result<()> {
    farm.run(&["down"]).await?.success()?;
    let manager = swarm.docker(0)?;
    let services = manager.list_services(None::<ListServicesOptions>).await?;
    let names: Vec<_> = services
        .into_iter()
        .filter_map(|service| service.spec?.name)
        .collect();
    assert_eq!(names, [OTHER]);
    let is_ours = |name: &str| name.starts_with("farmctl-");
    let networks = manager.list_networks(None::<ListNetworksOptions>).await?;
    ensure!(
        !networks
            .iter()
            .filter_map(|network| network.name.as_deref())
            .any(is_ours),
        "{networks:?}"
    );
    let volumes = manager
        .list_volumes(None::<ListVolumesOptions>)
        .await?
        .volumes
        .unwrap_or_default();
    ensure!(
        !volumes.iter().any(|volume| is_ours(&volume.name)),
        "{volumes:?}"
    );
    let all = ListContainersOptionsBuilder::default().all(true).build();
    let containers = manager.list_containers(Some(all)).await?;
    let mut names = containers
        .iter()
        .flat_map(|container| container.names.iter().flatten());
    ensure!(
        !names.any(|name| is_ours(name.trim_start_matches('/'))),
        "{containers:?}"
    );
    let again = farm.run(&["down"]).await?.success()?;
    ensure!(again.stderr_text()?.contains("nothing to do"), "{again}");
    Ok(())
}

async fn hosts_line(farm: &TestFarm) -> Result<String> {
    let printed = farm
        .run(&["hosts", "--for", "plain", BOARD.target])
        .await?
        .success()?;
    Ok(printed.stdout_text()?.trim().to_owned())
}

/// Whether the client may compile what no node did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fallback {
    Yes,
    No,
}

/// A folder in which the machine's own stock client builds.
struct Site {
    folder: TempDir,
    units: usize,
}

/// Builds everything until told to stop; prints how often.
const BUILD: &str = "\
rounds=0
while :; do
  ls unit*.c | xargs -P 12 -n 1 sh -c 'distcc gcc -O2 -c \"$0\" -o \"${0%.c}.o\" || touch failed'
  rounds=$((rounds + 1))
  if [ -e failed ]; then tail -n 20 client.log >&2; exit 1; fi
  if [ -e stop ]; then break; fi
  rm -f unit*.o
done
echo $rounds
";

impl Site {
    fn new(units: usize, functions: usize) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("farmtest").tempdir()?;
        fs::create_dir(folder.path().join("client"))?;
        for unit in 0..units {
            let functions: Vec<_> = (0..functions)
                .map(|n| format!("int f{unit}_{n}(int a) {{ for (int i = 0; i < a; i++) a += i * {n} + {unit}; return a; }}\n"))
                .collect();
            fs::write(
                folder.path().join(format!("unit{unit}.c")),
                functions.concat(),
            )?;
        }
        Ok(Self { folder, units })
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn command(
        &self,
        swarm: &TestSwarm,
        hosts: &str,
        fallback: Fallback,
    ) -> tokio::process::Command {
        let mut command = swarm.beside("sh");
        command
            .args(["-c", BUILD])
            .current_dir(self.folder.path())
            .env("DISTCC_HOSTS", hosts)
            .env("DISTCC_DIR", self.file("client"))
            .env("DISTCC_VERBOSE", "1")
            .env("DISTCC_LOG", self.file("client.log"));
        if fallback == Fallback::No {
            command.env("DISTCC_FALLBACK", "0");
        }
        command
    }

    async fn build(&self, swarm: &TestSwarm, hosts: &str, fallback: Fallback) -> Result<Finished> {
        farmctl::run("build", &mut self.command(swarm, hosts, fallback)).await
    }

    fn log(&self) -> Result<String> {
        let path = self.file("client.log");
        if !Path::new(&path).exists() {
            return Ok(String::new());
        }
        Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned())
    }

    /// Jobs that a node has done.
    fn done_by(&self, address: &str) -> Result<usize> {
        let address = format!("{address}:{}", BOARD.port);
        let log = self.log()?;
        let done = log
            .lines()
            .filter(|line| line.contains(" completed ok") && line.contains(&address));
        Ok(done.count())
    }

    /// Jobs whose source has been sent.
    fn sent(&self) -> Result<usize> {
        let log = self.log()?;
        Ok(log
            .lines()
            .filter(|line| line.contains("finished sending request"))
            .count())
    }

    fn objects(&self) -> usize {
        let exists = |unit: &usize| self.file(&format!("unit{unit}.o")).exists();
        (0..self.units).filter(exists).count()
    }
}
