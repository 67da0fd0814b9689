//! The facts about a host: its engine, its files, its farm, and what its volunteers answer; all at once.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;

use super::super::context::{Context, only_host, publish_address};
use super::super::prepare::prepare;
use super::super::{Failure, targets};
use super::Doctor;
use crate::converge::slots;
use crate::doctor::facts::{
    FarmFacts, HostFacts, LiveFacts, PortHolder, VolunteerFacts, daemon, machine, volunteers,
};
use crate::doctor::{Diagnosis, Examined, Fact, Unknown, host as judge};
use crate::engine::{DockerEngine, Engine, EngineFacts, EngineSystem, LiveState, Observed};
use crate::farm::{Farm, FarmName, Publish, Volunteer, VolunteerSpec};
use crate::health::port_holder;

/// How long the engine and the plan may take; a plan without a lock would ask a mirror.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn examine(args: &Doctor, context: &Context) -> Result<Diagnosis, Failure> {
    let farm = context.farm()?;
    let only = targets::chosen(&farm, &args.subjects)?;
    let host = only_host(&farm)?;
    let (engine, plan) = tokio::join!(ask_engine(&farm, context), plan(args, context));
    let (told, hint) = match engine {
        Ok(told) => (Ok(told), None),
        Err(failure) => {
            let hint = failure.first_hint();
            (Err(Unknown(failure.on_one_line())), hint)
        }
    };
    let observed = told.as_ref().ok().map(|told| &told.observed);
    let engine_facts = told.as_ref().ok().map(|told| &told.facts);
    let own_address = publish_address(host).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let wanted = host
        .volunteers
        .iter()
        .filter(|volunteer| only.is_empty() || only.contains(&volunteer.target.name));
    let looked = wanted.map(|volunteer| {
        let looker = Looker {
            farm: &farm.name,
            observed,
            engine: engine_facts,
            own_address,
            images: plan.as_ref().map(|plan| &plan.images),
        };
        async move { looker.look(volunteer).await }
    });
    let volunteers = join_all(looked).await;
    let is_local = context.engine_is_here();
    let facts = HostFacts {
        daemon: context.daemon_settings(),
        firewall: daemon::firewalls(),
        machine: machine::look(
            root_directory(is_local, told.as_ref().ok().map(|told| &told.system)),
            context
                .cache_path()
                .map_err(|failure| Unknown(failure.on_one_line())),
        ),
        farm: FarmFacts {
            name: farm.name.to_string(),
            allow: farm.allow.clone(),
            volunteers,
            plan: plan.map(|plan| plan.steps),
        },
        engine: told.map(|told| told.system),
        engine_hint: hint,
    };
    Ok(Diagnosis::new(Examined::Host, judge::examine(&facts)))
}

struct Told {
    system: EngineSystem,
    facts: EngineFacts,
    observed: Observed,
}

async fn ask_engine(farm: &Farm, context: &Context) -> Result<Told, Failure> {
    let asked = async {
        let engine: DockerEngine = context.engine().await?;
        let (system, facts, observed) =
            tokio::try_join!(engine.system(), engine.facts(), engine.observe(&farm.name))?;
        Ok(Told {
            system,
            facts,
            observed,
        })
    };
    within(Box::pin(asked)).await
}

/// What `up` would do, and which images it would use.
struct Wish {
    steps: Vec<String>,
    images: Vec<(String, String)>,
}

async fn plan(args: &Doctor, context: &Context) -> Fact<Wish> {
    let unknown = |failure: Failure| Unknown(failure.on_one_line());
    if !context.lock_path().map_err(unknown)?.exists() {
        return Err(Unknown(
            "there is no lock yet; farmctl up makes one".to_owned(),
        ));
    }
    let prepared = within(Box::pin(prepare(
        &args.images,
        &[],
        crate::converge::Intent::Keep,
        context,
    )))
    .await
    .map_err(unknown)?;
    let image = |spec: &VolunteerSpec| (spec.target.to_string(), spec.image.to_string());
    Ok(Wish {
        steps: prepared
            .plan
            .steps()
            .iter()
            .map(|step| step.action.to_string())
            .collect(),
        images: prepared.desired.volunteers.iter().map(image).collect(),
    })
}

async fn within<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_late| {
            let error = anyhow::anyhow!("no answer within {} s", PATIENCE.as_secs());
            Err(Failure::new(super::Exit::Failed, error, None))
        })
}

fn root_directory(is_local: bool, system: Option<&EngineSystem>) -> Fact<std::path::PathBuf> {
    let root = system.and_then(|system| system.root_directory.clone());
    match root {
        Some(root) if is_local => Ok(root),
        Some(_) => Err(Unknown("it is on another machine".to_owned())),
        None => Err(Unknown("the engine does not say".to_owned())),
    }
}

/// Looks at one volunteer.
struct Looker<'o> {
    farm: &'o FarmName,
    observed: Option<&'o Observed>,
    engine: Option<&'o EngineFacts>,
    own_address: IpAddr,
    images: Result<&'o Vec<(String, String)>, &'o Unknown>,
}

impl Looker<'_> {
    async fn look(&self, volunteer: &Volunteer) -> VolunteerFacts {
        let target = &volunteer.target;
        let publish = match volunteer.publish {
            Publish::Auto => self.own_address,
            Publish::On(address) => address,
        };
        let address = SocketAddr::new(publish, target.port.number());
        let live = self.live(volunteer);
        let runs = live
            .as_ref()
            .is_some_and(|live| live.state == LiveState::Running);
        let answers = if runs {
            Some(volunteers::ask(dialled(address), &target.object, &volunteer.gcc).await)
        } else {
            None
        };
        let (whether, compilers) = answers.map_or((None, Vec::new()), |answers| {
            (Some(answers.compiles), answers.compilers)
        });
        VolunteerFacts {
            target: target.name.clone(),
            address,
            network: volunteer.network,
            restart: volunteer.restart,
            slots: self.engine.map(|engine| slots(volunteer, engine).count()),
            memory: volunteer
                .memory
                .or_else(|| Some(self.engine?.memory))
                .map(crate::farm::Memory::bytes),
            image: self.image(volunteer),
            live,
            door: self.door(volunteer),
            is_drained: self.is_drained(volunteer),
            port_holder: if runs { None } else { self.holder(address) },
            compiles: whether,
            compilers,
        }
    }

    /// One that runs, if there is any.
    fn live(&self, volunteer: &Volunteer) -> Option<LiveFacts> {
        let mut live: Vec<_> = self
            .observed?
            .volunteers
            .iter()
            .filter(|live| live.target.as_ref() == Some(&volunteer.target.name))
            .collect();
        live.sort_by_key(|live| live.state != LiveState::Running);
        live.first().map(|live| LiveFacts {
            state: live.state,
            image: live.image.to_string(),
        })
    }

    fn door(&self, volunteer: &Volunteer) -> Option<LiveState> {
        let door = self.observed?.door(&volunteer.target.name)?;
        Some(door.state)
    }

    fn is_drained(&self, volunteer: &Volunteer) -> bool {
        let name = VolunteerSpec::drained_name(self.farm, &volunteer.target.name);
        self.observed
            .is_some_and(|observed| observed.volunteers.iter().any(|live| live.name == name))
    }

    fn image(&self, volunteer: &Volunteer) -> Fact<String> {
        let images = self.images.map_err(Clone::clone)?;
        let name = volunteer.target.name.as_str();
        let found = images.iter().find(|(target, _)| target == name);
        found
            .map(|(_, image)| image.clone())
            .ok_or_else(|| Unknown("the lock has none for it".to_owned()))
    }

    fn holder(&self, address: SocketAddr) -> Option<PortHolder> {
        let mut taken = self
            .observed
            .into_iter()
            .flat_map(|observed| &observed.taken_ports);
        let container = taken.find(|taken| {
            taken.port == address.port()
                && (taken.address == address.ip() || taken.address.is_unspecified())
        });
        match container {
            Some(taken) => Some(PortHolder::Container(taken.container.clone())),
            None => port_holder(address).map(PortHolder::Process),
        }
    }
}

/// What is open on every address is open on loopback.
fn dialled(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port())
    } else {
        address
    }
}
