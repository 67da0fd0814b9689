//! What one trial works with.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use bollard::Docker;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{ListImagesOptionsBuilder, RemoveImageOptions};
use tokio::sync::OnceCell;

use crate::farm::Place;
use crate::run::RunId;
use crate::sweep::{self, RUN_LABEL, Scope, TRIAL_LABEL, sweep};
use crate::{
    AnotherMachine, BOARDS, Container, Lan, Master, Podman, SecondEngine, TestFarm, TestSwarm,
    engine, farmctl,
};

/// What all trials of a test binary share.
#[derive(Debug)]
pub struct Run {
    id: RunId,
    docker: Docker,
    farmctl: PathBuf,
    shared_farm: tokio::sync::Mutex<Option<Arc<TestFarm>>>,
    master: OnceCell<Master>,
    /// Volunteer images that the engine had before; those that came since go when the run ends.
    known_images: BTreeSet<String>,
}

impl Run {
    /// Finds the engine, builds farmctl, and removes what dead runs left behind.
    ///
    /// # Errors
    /// There is no engine ([`Skip`]), or farmctl cannot be built.
    pub(crate) async fn begin() -> Result<Self> {
        let docker = engine::connect()
            .await
            .map_err(|error| Skip(format!("{error:#}")))?;
        sweep(&docker, Scope::DeadRuns).await?;
        let known_images = volunteer_images(&docker).await?;
        Ok(Self {
            id: RunId::current()?,
            docker,
            farmctl: farmctl::build().await?,
            shared_farm: tokio::sync::Mutex::default(),
            master: OnceCell::new(),
            known_images,
        })
    }

    /// Removes everything that the run made.
    pub(crate) async fn end(&self) -> Result<()> {
        sweep(&self.docker, Scope::Run(&self.id)).await?;
        for tag in volunteer_images(&self.docker)
            .await?
            .difference(&self.known_images)
        {
            // Where another farm uses it meanwhile it stays.
            let _in_use = self
                .docker
                .remove_image(tag, None::<RemoveImageOptions>, None)
                .await;
        }
        Ok(())
    }
}

async fn volunteer_images(docker: &Docker) -> Result<BTreeSet<String>> {
    let filters = HashMap::from([("reference", vec!["farmctl/*"])]);
    let options = ListImagesOptionsBuilder::default()
        .filters(&filters)
        .build();
    let images = docker.list_images(Some(options)).await?;
    Ok(images
        .into_iter()
        .flat_map(|image| image.repo_tags)
        .collect())
}

/// Why a trial cannot be held on this machine. In CI that is a failure.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Skip(pub String);

/// One trial's view of the run, and the owner of what it makes.
#[derive(Debug, Clone)]
pub struct Scenario {
    run: Arc<Run>,
    trial: String,
    transcript: Arc<Transcript>,
    /// Names of the farms that go when the trial ends.
    farms: Arc<Mutex<Vec<String>>>,
}

impl Scenario {
    pub(crate) fn new(run: Arc<Run>, trial: &str) -> Self {
        Self {
            run,
            trial: trial.to_owned(),
            transcript: Arc::default(),
            farms: Arc::default(),
        }
    }

    /// The engine.
    pub fn docker(&self) -> &Docker {
        &self.run.docker
    }

    /// The `farmctl` binary.
    pub fn farmctl(&self) -> &Path {
        &self.run.farmctl
    }

    /// A farm of this trial's own, with these manifest keys and an address that no other farm has.
    ///
    /// # Errors
    /// The engine refuses the network, or the disk is full.
    pub async fn farm(&self, word: &str, keys: &str) -> Result<TestFarm> {
        let lan = self.lan(word).await?;
        self.own_farm(word, Place::Own(lan.gateway), keys)
    }

    /// An engine of this trial's own.
    ///
    /// # Errors
    /// See [`SecondEngine::start`].
    pub async fn second_engine(&self, word: &str) -> Result<SecondEngine> {
        SecondEngine::start(self.docker(), &self.run.id, word).await
    }

    /// An engine of this trial's own that listens on the network, with the certificates in this folder.
    ///
    /// # Errors
    /// See [`SecondEngine::start`].
    pub async fn listening_engine(&self, word: &str, certificates: &Path) -> Result<SecondEngine> {
        SecondEngine::start_listening(self.docker(), &self.run.id, word, certificates).await
    }

    /// A farm of this trial's own whose user sits at another machine than a second engine's; the manifest keys say how
    /// the engine is reached.
    ///
    /// # Errors
    /// The disk is full.
    pub fn farm_from(&self, machine: &AnotherMachine, word: &str, keys: &str) -> Result<TestFarm> {
        let address = SecondEngine::ADDRESS.parse()?;
        Ok(self
            .new_farm(word, Place::Own(address), keys)?
            .from(machine))
    }

    /// A farm of this trial's own on a second engine, with these manifest keys.
    ///
    /// # Errors
    /// The disk is full.
    pub fn farm_on(&self, engine: &SecondEngine, word: &str, keys: &str) -> Result<TestFarm> {
        let address = SecondEngine::ADDRESS.parse()?;
        Ok(self.new_farm(word, Place::Own(address), keys)?.on(engine))
    }

    /// A swarm of this trial's own.
    ///
    /// # Errors
    /// See [`TestSwarm::start`].
    pub async fn swarm(&self, word: &str) -> Result<TestSwarm> {
        TestSwarm::start(self.docker(), &self.run.id, word).await
    }

    /// A farm of this trial's own on a swarm, with these manifest keys.
    ///
    /// # Errors
    /// The disk is full.
    pub fn farm_of(&self, _swarm: &TestSwarm, word: &str, keys: &str) -> Result<TestFarm> {
        let address = TestSwarm::ADDRESSES[0].parse()?;
        self.new_farm(word, Place::Own(address), keys)
    }

    /// Podman, with storage of this trial's own.
    ///
    /// # Errors
    /// See [`Podman::start`].
    pub async fn podman(&self, word: &str) -> Result<Podman> {
        Podman::start(&self.run.id, word).await
    }

    /// A farm of this trial's own on Podman, at an address that no other farm has.
    ///
    /// # Errors
    /// The machine's engine refuses the network that the address is of, or the disk is full.
    pub async fn farm_on_podman(&self, podman: &Podman, keys: &str) -> Result<TestFarm> {
        let lan = self.lan("podman").await?;
        let farm = self.new_farm("podman", Place::Own(lan.gateway), keys)?;
        Ok(farm.at(podman.endpoint()))
    }

    /// A farm of this trial's own at this machine's own address, as a user's is who says nothing of addresses.
    ///
    /// # Errors
    /// Something has a port there ([`Skip`]): the machine's user may have a farm.
    pub fn farm_at_machine_address(&self, word: &str, keys: &str) -> Result<TestFarm> {
        let address = ::farmctl::hosts::local::address()?;
        for board in BOARDS {
            if TcpListener::bind((address, board.port)).is_err() {
                return Err(Skip(format!("port {} of {address} is in use", board.port)).into());
            }
        }
        self.own_farm(word, Place::Machine(address), keys)
    }

    fn own_farm(&self, word: &str, place: Place, keys: &str) -> Result<TestFarm> {
        let farm = self.new_farm(word, place, keys)?;
        let mut farms = self.farms.lock().unwrap_or_else(PoisonError::into_inner);
        farms.push(farm.name().to_owned());
        Ok(farm)
    }

    /// The farm that all trials share which change nothing: five targets, no other manifest keys. `up` was run once.
    ///
    /// # Errors
    /// It does not come up.
    pub async fn shared_farm(&self) -> Result<Arc<TestFarm>> {
        let mut shared = self.run.shared_farm.lock().await;
        if let Some(farm) = &*shared {
            return Ok(Arc::clone(farm));
        }
        let name = self.name_of_run("shared-lan");
        let lan = Lan::create(self.docker(), name, self.labels_of_run()).await?;
        let farm = Arc::new(self.new_farm("shared", Place::Own(lan.gateway), "")?);
        farm.run(&["up"]).await?.success()?;
        *shared = Some(Arc::clone(&farm));
        Ok(farm)
    }

    fn new_farm(&self, word: &str, place: Place, keys: &str) -> Result<TestFarm> {
        let name = self.name_of_run(word);
        let farmctl = self.run.farmctl.clone();
        let transcript = Arc::clone(&self.transcript);
        TestFarm::new(name, place, keys, farmctl, transcript)
    }

    /// The machine with the stock client, which all trials share.
    ///
    /// # Errors
    /// It cannot be made.
    pub async fn master(&self) -> Result<&Master> {
        self.run
            .master
            .get_or_try_init(|| Master::start(self))
            .await
    }

    /// Makes and starts a container that goes when the trial ends.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn container(&self, body: ContainerCreateBody) -> Result<Container> {
        let container = Container::create(self.docker(), body, self.labels()).await?;
        container.start().await?;
        Ok(container)
    }

    /// Makes a network that goes when the trial ends.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn lan(&self, word: &str) -> Result<Lan> {
        let name = self.name_of_run(&format!("{word}-lan"));
        Lan::create(self.docker(), name, self.labels()).await
    }

    /// Removes an image that the trial's own farm brought.
    ///
    /// # Errors
    /// A container uses it.
    pub async fn remove_image(&self, tag: &str) -> Result<()> {
        let options = None::<RemoveImageOptions>;
        let removed = self.docker().remove_image(tag, options, None).await;
        removed.with_context(|| format!("cannot remove image {tag}"))?;
        Ok(())
    }

    /// Everything that this run and its farms have on the engine.
    pub fn scope_of_run(&self) -> Scope<'_> {
        Scope::Run(&self.run.id)
    }

    /// A name that no other run uses.
    pub fn name_of_run(&self, word: &str) -> String {
        self.run.id.farm_name(word)
    }

    /// What marks a resource as this trial's.
    pub fn labels(&self) -> HashMap<String, String> {
        let mut labels = self.labels_of_run();
        labels.insert(TRIAL_LABEL.to_owned(), self.trial.clone());
        labels
    }

    /// What marks a resource that later trials use as well.
    pub fn labels_of_run(&self) -> HashMap<String, String> {
        HashMap::from([(RUN_LABEL.to_owned(), self.run.id.to_string())])
    }

    /// Adds to what is printed when the trial fails.
    pub fn note(&self, text: &str) {
        self.transcript.add(text);
    }

    /// Removes what the trial made.
    pub(crate) async fn end(&self) -> Result<()> {
        let farms = std::mem::take(&mut *self.farms.lock().unwrap_or_else(PoisonError::into_inner));
        for farm in farms {
            sweep(self.docker(), Scope::Farm(&farm)).await?;
        }
        sweep(self.docker(), Scope::Trial(&self.run.id, &self.trial)).await
    }

    /// What happened, and the last lines of every container of the run: for a person who must find out why.
    pub(crate) async fn artifacts(&self) -> String {
        let mut text = self.transcript.text();
        let containers = sweep::containers(self.docker(), Scope::Run(&self.run.id)).await;
        for container in containers.unwrap_or_default() {
            let name = container.names.unwrap_or_default().join(" ");
            let status = container.status.unwrap_or_default();
            let _infallible = writeln!(text, "container {name}, {status}");
            let id = container.id.unwrap_or_default();
            let log = Container::existing(self.docker(), id).logs().await;
            let (stdout, stderr) = log.unwrap_or_default();
            for line in last_lines(&stdout).chain(last_lines(&stderr)) {
                let _infallible = writeln!(text, "  {line}");
            }
        }
        text
    }
}

fn last_lines(bytes: &[u8]) -> impl Iterator<Item = String> {
    const LAST: usize = 40;
    let text = String::from_utf8_lossy(bytes).into_owned();
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    let skipped = lines.len().saturating_sub(LAST);
    lines.into_iter().skip(skipped)
}

/// What a trial did, told when it fails.
#[derive(Debug, Default)]
pub(crate) struct Transcript(Mutex<String>);

impl Transcript {
    pub(crate) fn add(&self, text: &str) {
        let mut transcript = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        transcript.push_str(text);
        if !text.ends_with('\n') {
            transcript.push('\n');
        }
    }

    fn text(&self) -> String {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
