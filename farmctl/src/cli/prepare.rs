//! Plans with everything that they were made from: everything of `up` that changes nothing.

use super::context::Context;
use super::fleet::{Fleet, Hosts, Label, Member, Place, Snapshot, place};
use super::images::{ImageArgs, Images, Machines, Pins};
use super::safe_publish::{self, Chosen};
use super::{Exit, Failure};
use crate::converge::{Action, Desired, Intent, Plan, Scope, Surroundings, desired, diff, drained};
use crate::farm::{DoorSpec, Farm, Host};
use crate::health;
use crate::swarm;

/// What is to be done on every host, and why.
pub(super) struct Prepared {
    pub(super) farm: Farm,
    pub(super) images: Images,
    pub(super) hosts: Hosts<Planned>,
}

/// What is to be done on one host.
pub(super) struct Planned {
    pub(super) label: Label,
    pub(super) wanted: Wanted,
    pub(super) snapshot: Snapshot,
    pub(super) place: Place,
    pub(super) plan: Plan,
    /// What is wanted of it if it is a swarm; then nothing else is.
    pub(super) swarm: Option<swarm::Desired>,
}

/// Plans for the chosen targets of `fleet`, or for everything on its hosts.
pub(super) async fn prepare(
    args: &ImageArgs,
    fleet: Fleet,
    intent: Intent,
    context: &Context,
) -> Result<Prepared, Failure> {
    let snapshots = fleet.snapshot(context).await?;
    let machines = Machines::of(&snapshots);
    let placed = snapshots
        .each(async |member, snapshot| Ok((snapshot, place(&member.host, context).await?)))
        .await
        .go_on(context)?;
    let farm = fleet.farm;
    let images = Images::resolve(&farm, &machines, Pins::Kept, args, context).await?;
    let wish = Wish {
        farm: &farm,
        images: &images,
        intent,
    };
    let hosts = placed
        .each(async |member, (snapshot, place)| {
            wish.planned(member, snapshot, place, context).await
        })
        .await
        .go_on(context)?;
    Ok(Prepared {
        farm,
        images,
        hosts,
    })
}

/// What is wanted of every host.
pub(super) struct Wish<'a> {
    pub(super) farm: &'a Farm,
    pub(super) images: &'a Images,
    pub(super) intent: Intent,
}

/// What is wanted of one host.
pub(super) struct Wanted {
    /// As the manifest describes it, with what had to be chosen for it.
    pub(super) host: Host,
    pub(super) desired: Desired,
    /// What had to be chosen so that volunteers see who their clients are.
    pub(super) chosen: Vec<Chosen>,
}

impl Wanted {
    /// No container.
    fn nothing(farm: &Farm, host: &Host) -> Self {
        Self {
            host: host.clone(),
            desired: Desired::nothing(farm.name.clone()),
            chosen: Vec::new(),
        }
    }
}

impl Wish<'_> {
    async fn planned(
        &self,
        member: &Member,
        snapshot: Snapshot,
        place: Place,
        context: &Context,
    ) -> Result<Planned, Failure> {
        let of_swarm = (self.images, self.intent);
        let of_swarm = super::swarm::wish(self.farm, of_swarm, member, &snapshot).await?;
        if let Some(super::swarm::Wish { desired, plan }) = of_swarm {
            return Ok(Planned {
                label: member.label.clone(),
                wanted: Wanted::nothing(self.farm, &member.host),
                snapshot,
                place,
                plan,
                swarm: Some(desired),
            });
        }
        let (wanted, plan) = self.plan(member, &snapshot, &place, context)?;
        Ok(Planned {
            label: member.label.clone(),
            wanted,
            snapshot,
            place,
            plan,
            swarm: None,
        })
    }

    /// The plan for one host with an engine alone.
    pub(super) fn plan(
        &self,
        member: &Member,
        snapshot: &Snapshot,
        place: &Place,
        context: &Context,
    ) -> Result<(Wanted, Plan), Failure> {
        let mut host = member.host.clone();
        self.images.check(&host.name)?;
        let daemon = context.daemon_settings(&host);
        let chosen = safe_publish::choose(&mut host, &snapshot.system, &daemon, place.publish);
        let surroundings = Surroundings {
            engine: &snapshot.facts,
            publish: place.publish,
            images: &self.images.tags(&host.name),
        };
        let desired = desired(&self.farm.name, &self.farm.allow, &host, &surroundings)
            .map_err(|error| Failure::new(Exit::Failed, error, None))?
            .only(Scope::of(member.targets.clone()))
            .with(self.intent);
        let plan = diff(&desired, &snapshot.observed)?;
        let wanted = Wanted {
            host,
            desired,
            chosen,
        };
        Ok((wanted, plan))
    }
}

impl Prepared {
    /// The plans that were made, in the order of the hosts.
    pub(super) fn planned(&self) -> impl Iterator<Item = &Planned> {
        self.hosts.present.iter().map(|(_member, planned)| planned)
    }

    /// Whether every host is as described.
    pub(super) fn is_empty(&self) -> bool {
        self.planned().all(|planned| planned.plan.is_empty())
    }

    /// The same without the hosts on which something else has a port that a door needs.
    pub(super) async fn with_free_ports(self, context: &Context) -> Result<Self, Failure> {
        let Self {
            farm,
            images,
            hosts,
        } = self;
        let hosts = hosts
            .each(async |_member, planned| {
                planned.check_ports()?;
                Ok(planned)
            })
            .await
            .go_on(context)?;
        Ok(Self {
            farm,
            images,
            hosts,
        })
    }

    /// Says where ports are opened that would hide who the clients are, and why.
    pub(super) fn tell_chosen(&self, context: &Context) {
        for planned in self.planned() {
            safe_publish::tell(&planned.wanted.chosen, &planned.label, context);
        }
    }

    /// Says what swarms cannot do that engines alone can.
    pub(super) fn tell_limits(&self, context: &Context) {
        for planned in self.planned() {
            if let Some(observed) = &planned.snapshot.swarm {
                super::swarm::tell_limits(observed.powers, &planned.label, context);
            }
        }
    }

    /// Says which targets are left alone because the user once said so.
    pub(super) fn tell_drained(&self, context: &Context) {
        for Planned {
            label,
            wanted,
            snapshot,
            swarm,
            ..
        } in self.planned()
        {
            if let (Some(wish), Some(observed)) = (swarm, &snapshot.swarm) {
                let targets = wish.targets.iter().map(|wanted| wanted.target.clone());
                let targets: Vec<_> = targets
                    .filter(|target| wish.scope.holds(Some(target)))
                    .collect();
                super::swarm::tell_drained(&targets, observed, label, context);
                continue;
            }
            let only = label.name().map(|name| format!(" --host {name}"));
            let only = only.unwrap_or_default();
            for target in drained(&wanted.desired, &snapshot.observed) {
                context.report.note(&format!(
                    "{label}target {target} is drained and stays so: farmctl undrain {target}{only} lets it serve again"
                ));
            }
        }
    }
}

impl Planned {
    /// Ports that the farm's own doors hold will be free when their successors start. Of another machine only its engine
    /// knows who has a port.
    fn check_ports(&self) -> Result<(), Failure> {
        if !self.place.is_here {
            return Ok(());
        }
        let containers = self.snapshot.observed.containers();
        let own: Vec<u16> = containers
            .filter(|live| live.is_active())
            .flat_map(|live| {
                let published = live.published().map(|address| address.port());
                published.chain(live.dialled().map(|address| address.port()))
            })
            .collect();
        let unknown = self
            .new_doors()
            .filter(|door| !own.contains(&door.port.number()));
        Ok(health::check_ports(unknown)?)
    }

    /// The doors that the plan makes.
    fn new_doors(&self) -> impl Iterator<Item = &DoorSpec> {
        self.plan
            .steps()
            .iter()
            .filter_map(|step| match &step.action {
                Action::RunDoor(spec) => Some(spec.as_ref()),
                _ => None,
            })
    }
}
