//! The facts about each host: its engine, its files, its farm, and what its volunteers answer; all at once.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;

use super::super::Failure;
use super::super::context::Context;
use super::super::fleet::{Fleet, Member, Place, Snapshot, is_of_this_machine, place, snapshot};
use super::super::images::{Images, Pins};
use super::super::prepare::Wish;
use super::Doctor;
use crate::converge::{Intent, slots};
use crate::doctor::facts::{
    FarmFacts, HostFacts, LiveFacts, PortHolder, VolunteerFacts, daemon, machine, volunteers,
};
use crate::doctor::{Diagnosis, Fact, Finding, Unknown, host as judge};
use crate::engine::{EngineFacts, EngineSystem, LiveState, Observed};
use crate::farm::{Farm, FarmName, ImageTag, Publish, TargetName, Volunteer, VolunteerSpec};
use crate::health::port_holder;

/// How long the engine and the plan may take; a plan without a lock would ask a mirror.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn examine(args: &Doctor, context: &Context) -> Result<Diagnosis, Failure> {
    let mut fleet = Fleet::choose(&args.hosts, &args.subjects, context)?;
    leave_swarms_out(&mut fleet, context);
    let members = fleet.members.iter();
    let asked = members.map(|member| ask_engine(member, &fleet.farm, context));
    let told = join_all(asked).await;
    let images = images(args, &fleet, &told, context).await;
    let examinations = fleet.members.iter().zip(told).map(|(member, told)| {
        let examination = Examination {
            farm: &fleet.farm,
            member,
            images: images.as_ref(),
            context,
        };
        async move { (member.host.name.clone(), examination.findings(told).await) }
    });
    let findings = join_all(examinations).await;
    Ok(Diagnosis::of_hosts(findings, fleet.has_several_hosts()))
}

/// The nodes of a swarm are looked after by it, and only their manager can be asked.
fn leave_swarms_out(fleet: &mut Fleet, context: &Context) {
    for member in fleet
        .members
        .iter()
        .filter(|member| member.host.swarm.is_some())
    {
        context.report.note(&format!(
            "host {} is a swarm and is not examined: farmctl status and farmctl plan look at it",
            member.host.name
        ));
    }
    fleet.members.retain(|member| member.host.swarm.is_none());
}

async fn ask_engine(member: &Member, farm: &Farm, context: &Context) -> Result<Snapshot, Failure> {
    let asked = async {
        let engine = context.engine(&member.host).await?;
        snapshot(engine, &member.host, &farm.name).await
    };
    within(Box::pin(asked)).await
}

/// The images that `up` would use.
async fn images(
    args: &Doctor,
    fleet: &Fleet,
    told: &[Result<Snapshot, Failure>],
    context: &Context,
) -> Fact<Images> {
    let unknown = |failure: Failure| Unknown(failure.on_one_line());
    if !context.lock_path().map_err(unknown)?.exists() {
        return Err(Unknown(
            "there is no lock yet; farmctl up makes one".to_owned(),
        ));
    }
    let told = fleet.members.iter().zip(told);
    let machines = told
        .filter_map(|(member, told)| Some((member.host.name.clone(), told.as_ref().ok()?)))
        .map(|(host, told)| (host, told.facts.architecture))
        .collect();
    let resolved = Images::resolve(&fleet.farm, &machines, Pins::Kept, &args.images, context);
    within(Box::pin(resolved)).await.map_err(unknown)
}

/// What one host is examined with.
struct Examination<'a> {
    farm: &'a Farm,
    member: &'a Member,
    images: Result<&'a Images, &'a Unknown>,
    context: &'a Context,
}

impl Examination<'_> {
    async fn findings(&self, told: Result<Snapshot, Failure>) -> Vec<Finding> {
        let host = &self.member.host;
        let is_here = is_of_this_machine(host, self.context.client());
        let place = place(host, self.context).await.ok();
        let (told, hint) = match told {
            Ok(told) => (Ok(told), None),
            Err(failure) => {
                let hint = failure.first_hint();
                (Err(Unknown(failure.on_one_line())), hint)
            }
        };
        let volunteers = self.volunteers(told.as_ref().ok(), place.as_ref()).await;
        let root = root_directory(is_here, told.as_ref().ok().map(|told| &told.system));
        let cache = self.context.cache_path();
        let facts = HostFacts {
            is_here,
            daemon: self.context.daemon_settings(host),
            firewall: daemon::firewalls(),
            machine: machine::look(
                root,
                cache.map_err(|failure| Unknown(failure.on_one_line())),
            ),
            farm: FarmFacts {
                name: self.farm.name.to_string(),
                allow: self.farm.allow.clone(),
                volunteers,
                plan: self.plan(told.as_ref(), place.as_ref()),
            },
            engine: told.map(|told| told.system),
            engine_hint: hint,
        };
        judge::examine(&facts)
    }

    async fn volunteers(
        &self,
        told: Option<&Snapshot>,
        place: Option<&Place>,
    ) -> Vec<VolunteerFacts> {
        let Member { host, targets, .. } = self.member;
        let images = self.images.map(|images| images.tags(&host.name));
        let looker = Looker {
            farm: &self.farm.name,
            told,
            place,
            images: images.as_ref().map_err(|unknown| *unknown),
        };
        let wanted = host
            .volunteers
            .iter()
            .filter(|volunteer| targets.is_empty() || targets.contains(&volunteer.target.name));
        join_all(wanted.map(|volunteer| looker.look(volunteer))).await
    }

    /// What `up` would do.
    fn plan(&self, told: Result<&Snapshot, &Unknown>, place: Option<&Place>) -> Fact<Vec<String>> {
        let images = self.images.map_err(Clone::clone)?;
        let told = told.map_err(Clone::clone)?;
        let nowhere = || Unknown("the host's address is not known".to_owned());
        let wish = Wish {
            farm: self.farm,
            images,
            intent: Intent::Keep,
        };
        let whole = Member {
            targets: Vec::new(),
            ..self.member.clone()
        };
        let (_wanted, plan) = wish
            .plan(&whole, told, place.ok_or_else(nowhere)?, self.context)
            .map_err(|failure| Unknown(failure.on_one_line()))?;
        let steps = plan.steps().iter();
        Ok(steps.map(|step| step.action.to_string()).collect())
    }
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
    told: Option<&'o Snapshot>,
    place: Option<&'o Place>,
    images: Result<&'o BTreeMap<TargetName, ImageTag>, &'o Unknown>,
}

impl Looker<'_> {
    async fn look(&self, volunteer: &Volunteer) -> VolunteerFacts {
        let target = &volunteer.target;
        let own_address = self.place.map(|place| place.publish);
        let publish = match volunteer.publish {
            Publish::Auto => own_address.unwrap_or(Ipv4Addr::LOCALHOST.into()),
            Publish::On(address) => address,
        };
        let address = SocketAddr::new(publish, target.port.number());
        let live = self.live(volunteer);
        let runs = live
            .as_ref()
            .is_some_and(|live| live.state == LiveState::Running);
        let reachable = self
            .place
            .map_or(Some(publish), |place| place.reachable(publish));
        let dialled = reachable.map(|ip| SocketAddr::new(ip, address.port()));
        let answers = match dialled {
            Some(dialled) if runs => {
                Some(volunteers::ask(dialled, &target.object, &volunteer.gcc).await)
            }
            _ => None,
        };
        let (whether, compilers) = answers.map_or((None, Vec::new()), |answers| {
            (Some(answers.compiles), answers.compilers)
        });
        VolunteerFacts {
            target: target.name.clone(),
            address,
            network: volunteer.network,
            restart: volunteer.restart,
            slots: self.engine().map(|engine| slots(volunteer, engine).count()),
            memory: volunteer
                .memory
                .or_else(|| Some(self.engine()?.memory))
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

    fn engine(&self) -> Option<&EngineFacts> {
        self.told.map(|told| &told.facts)
    }

    fn observed(&self) -> Option<&Observed> {
        self.told.map(|told| &told.observed)
    }

    /// One that runs, if there is any.
    fn live(&self, volunteer: &Volunteer) -> Option<LiveFacts> {
        let mut live: Vec<_> = self
            .observed()?
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
        let door = self.observed()?.door(&volunteer.target.name)?;
        Some(door.state)
    }

    fn is_drained(&self, volunteer: &Volunteer) -> bool {
        let name = VolunteerSpec::drained_name(self.farm, &volunteer.target.name);
        self.observed()
            .is_some_and(|observed| observed.volunteers.iter().any(|live| live.name == name))
    }

    fn image(&self, volunteer: &Volunteer) -> Fact<String> {
        let images = self.images.map_err(Clone::clone)?;
        let found = images.get(&volunteer.target.name);
        found
            .map(ToString::to_string)
            .ok_or_else(|| Unknown("the lock has none for it".to_owned()))
    }

    fn holder(&self, address: SocketAddr) -> Option<PortHolder> {
        let mut taken = self
            .observed()
            .into_iter()
            .flat_map(|observed| &observed.taken_ports);
        let container = taken.find(|taken| {
            taken.port == address.port()
                && (taken.address == address.ip() || taken.address.is_unspecified())
        });
        match container {
            Some(taken) => Some(PortHolder::Container(taken.container.clone())),
            None if self.place.is_none_or(|place| place.is_here) => {
                port_holder(address).map(PortHolder::Process)
            }
            None => None,
        }
    }
}
