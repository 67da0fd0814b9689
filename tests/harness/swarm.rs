//! A real swarm of two nodes, and a real registry: engines with network namespaces of their own, joined by a bridge in a
//! third one, in which the registry is and clients may run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use bollard::Docker;
use bollard::models::{SwarmInitRequest, SwarmJoinRequest, SwarmSpec, SwarmSpecDispatcher};
use rustix::process::{Signal, kill_process};
use tokio::process::{Child, Command};

use crate::eventually;
use crate::ip::ip;
use crate::run::RunId;
use crate::scenario::Skip;
use crate::second_engine::{PATIENCE, Place, SecondEngine};

/// The registry's only user, as htpasswd (bcrypt) and as `docker login` write it.
const USERS: &str = "volunteer:$2y$04$r8DdRn8cTOMJp84yDiR4e.No9.usyTfC4T0WF4gPkknK7PuB48K8y\n";
const LOGIN: &str = "dm9sdW50ZWVyOnNlY3JldA==";

/// Two engines in a swarm, and its registry. All of it ends when this is dropped.
#[derive(Debug)]
pub struct TestSwarm {
    /// The manager first.
    nodes: Vec<SecondEngine>,
    lan: Lan,
}

/// The bridge between the nodes.
#[derive(Debug)]
struct Lan {
    place: Place,
    registry: Option<Child>,
}

/// The bridge's own address, and that of the registry.
const LAN: &str = "10.213.9.254";
const REGISTRY_PORT: u16 = 5000;
/// A node that does not answer three times in a row is down.
const HEARTBEAT: i64 = 1_000_000_000;

impl TestSwarm {
    /// The nodes' addresses, the manager's first.
    pub const ADDRESSES: [&'static str; 2] = ["10.213.9.1", "10.213.9.2"];

    /// Starts engines and registry, and makes a swarm of them.
    ///
    /// # Errors
    /// This user may not do that ([`Skip`]), a program is missing ([`Skip`]), or something does not come up.
    pub async fn start(machine: &Docker, run: &RunId, word: &str) -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Err(Skip("only root may start engines".to_owned()).into());
        }
        Place::sweep_dead_runs();
        let name = run.farm_name(word);
        let mut swarm = Self {
            nodes: Vec::new(),
            lan: Lan::create(&name).await?,
        };
        for (number, address) in (1..).zip(Self::ADDRESSES) {
            let place = Place::named(&format!("{name}{number}"));
            place.create_folders(&format!(
                "{{ \"insecure-registries\": [\"{}\"] }}",
                Self::registry()
            ))?;
            swarm.lan.join(&place, number, address).await?;
            swarm.nodes.push(SecondEngine::at(machine, place).await?);
        }
        swarm.unite().await?;
        Ok(swarm)
    }

    /// The registry, as manifests name it.
    pub fn registry() -> String {
        format!("{LAN}:{REGISTRY_PORT}")
    }

    /// What `docker login` with the registry's only user leaves in `config.json`.
    pub fn login() -> String {
        format!(
            r#"{{ "auths": {{ "{}": {{ "auth": "{LOGIN}" }} }} }}"#,
            Self::registry()
        )
    }

    /// The manager's address for manifests.
    pub fn endpoint(&self) -> String {
        self.nodes[0].endpoint()
    }

    /// The engine of a node; the manager is 0.
    ///
    /// # Errors
    /// It has no socket.
    pub fn docker(&self, node: usize) -> Result<Docker> {
        self.nodes[node].docker()
    }

    /// A command that runs beside the nodes and reaches them, with nothing between.
    pub fn beside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net={}", self.lan.place.namespace().display()))
            .args(["--", program])
            .kill_on_drop(true);
        command
    }

    /// Everything of the second node ends at once.
    ///
    /// # Errors
    /// A process survives being killed.
    pub async fn kill_second_node(&mut self) -> Result<()> {
        let node = self.nodes.get_mut(1).context("there is no second node")?;
        node.end_at_once().await
    }

    async fn unite(&self) -> Result<()> {
        let [manager, worker] = [self.docker(0)?, self.docker(1)?];
        let [first, second] = Self::ADDRESSES.map(|address| format!("{address}:2377"));
        let init = SwarmInitRequest {
            listen_addr: Some(first.clone()),
            advertise_addr: Some(first.clone()),
            spec: Some(SwarmSpec {
                dispatcher: Some(SwarmSpecDispatcher {
                    heartbeat_period: Some(HEARTBEAT),
                }),
                ..SwarmSpec::default()
            }),
            ..SwarmInitRequest::default()
        };
        manager
            .init_swarm(init)
            .await
            .context("cannot make a swarm")?;
        let tokens = manager
            .inspect_swarm()
            .await?
            .join_tokens
            .context("no tokens")?;
        let join = SwarmJoinRequest {
            listen_addr: Some(second.clone()),
            advertise_addr: Some(second),
            remote_addrs: Some(vec![first]),
            join_token: tokens.worker,
            ..SwarmJoinRequest::default()
        };
        worker
            .join_swarm(join)
            .await
            .context("cannot join the swarm")?;
        Ok(())
    }
}

impl Drop for TestSwarm {
    fn drop(&mut self) {
        // A worker before its manager.
        while self.nodes.pop().is_some() {}
    }
}

impl Lan {
    async fn create(name: &str) -> Result<Self> {
        let place = Place::named(&format!("{name}0"));
        place.create_folders("{}")?;
        let mut lan = Self {
            place,
            registry: None,
        };
        ip(&["netns", "add", lan.place.name()]).await?;
        for line in [
            "link set lo up",
            "link add br0 type bridge",
            "link set br0 up",
            &format!("addr add {LAN}/24 dev br0"),
        ] {
            lan.place.ip(line).await?;
        }
        lan.serve_images().await?;
        Ok(lan)
    }

    /// Gives a node a namespace with an interface on the bridge.
    async fn join(&self, node: &Place, number: usize, address: &str) -> Result<()> {
        ip(&["netns", "add", node.name()]).await?;
        node.ip("link set lo up").await?;
        let lan = self.place.name();
        node.ip(&format!(
            "link add lan0 type veth peer name node{number} netns {lan}"
        ))
        .await?;
        self.place
            .ip(&format!("link set node{number} master br0 up"))
            .await?;
        node.ip(&format!("addr add {address}/24 dev lan0")).await?;
        node.ip("link set lan0 up").await?;
        node.ip(&format!("route add default via {LAN} dev lan0"))
            .await
    }

    async fn serve_images(&mut self) -> Result<()> {
        let configuration = self.place.configuration();
        let data = self.place.data();
        let users = configuration.with_extension("users");
        fs::write(&users, USERS)?;
        fs::write(
            &configuration,
            format!(
                "version: 0.1\nlog: {{ level: warn }}\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\n\
                 http: {{ addr: '{LAN}:{REGISTRY_PORT}', secret: test }}\n\
                 auth: {{ htpasswd: {{ realm: farm, path: {} }} }}\n",
                data.display(),
                users.display()
            ),
        )?;
        let program =
            registry_program().ok_or_else(|| Skip("there is no docker-registry".to_owned()))?;
        let log = fs::File::create(self.place.log())?;
        let child = Command::new("nsenter")
            .arg(format!("--net={}", self.place.namespace().display()))
            .arg("--")
            .arg(program)
            .arg("serve")
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start docker-registry")?;
        self.registry = Some(child);
        eventually("the registry answers", PATIENCE, async || {
            // Listening sockets of the namespace, as the registry's own process sees them.
            let pid = self
                .registry
                .as_ref()
                .and_then(Child::id)
                .context("it ended")?;
            let sockets = fs::read_to_string(format!("/proc/{pid}/net/tcp"))?;
            ensure!(sockets.contains(":1388 00000000:0000 0A"), "not yet");
            Ok(())
        })
        .await
        .with_context(|| self.place.last_words())
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        if let Some(pid) = self.registry.as_ref().and_then(Child::id) {
            let pid = i32::try_from(pid)
                .ok()
                .and_then(rustix::process::Pid::from_raw);
            let _gone_already = pid.map(|pid| kill_process(pid, Signal::KILL));
        }
        self.place.remove();
    }
}

fn registry_program() -> Option<PathBuf> {
    ["/usr/bin/docker-registry", "/usr/local/bin/docker-registry"]
        .iter()
        .map(Path::new)
        .find(|path| path.exists())
        .map(Path::to_owned)
}
