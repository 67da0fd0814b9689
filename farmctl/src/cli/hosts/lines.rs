//! The lines of every host, and which of them come first.

use std::cmp::Reverse;

use crate::cli::context::Context;
use crate::cli::fleet::{Fleet, Hosts, Member, dialled};
use crate::cli::prepare::Planned;
use crate::cli::{Exit, Failure, swarm};
use crate::converge::{drained, slots};
use crate::engine::{Engine, EngineFacts, Observed, ObservedSwarm, SwarmEngine};
use crate::farm::{
    DialAddress, FarmName, Host, HostName, Slots, TargetName, Volunteer, VolunteerSpec,
};
use crate::hosts::Line;

/// A line, and whose it is.
#[derive(Debug, Clone)]
pub(super) struct HostLine {
    pub(super) host: HostName,
    pub(super) line: Line,
}

/// What the user wants lines to say, instead of what they would.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    pub(super) address: Option<&'a DialAddress>,
    pub(super) jobs: Option<Slots>,
}

/// What only a host's engine knows.
struct Told {
    facts: EngineFacts,
    observed: Observed,
}

/// Target after target; within one the most powerful host comes first, because masters prefer the first.
pub(super) fn ordered(lines: impl Iterator<Item = HostLine>) -> Vec<HostLine> {
    let mut lines: Vec<_> = lines.collect();
    lines
        .sort_by_key(|HostLine { line, .. }| (line.port, line.target.clone(), Reverse(line.slots)));
    lines
}

/// The lines of a host that is up.
pub(super) fn of_planned(planned: &Planned) -> Vec<HostLine> {
    if let Some(observed) = &planned.snapshot.swarm {
        let host = &planned.wanted.host;
        return of_swarm(host, host.volunteers.iter(), observed);
    }
    let drained = if planned.label.name().is_some() {
        drained(&planned.wanted.desired, &planned.snapshot.observed)
    } else {
        Vec::new()
    };
    let volunteers = planned.wanted.host.volunteers.iter();
    volunteers
        .filter(|volunteer| !drained.contains(&volunteer.target.name))
        .map(|volunteer| HostLine {
            host: planned.wanted.host.name.clone(),
            line: Line::new(
                &volunteer.target,
                planned.place.dialled.clone(),
                slots(volunteer, &planned.snapshot.facts),
            ),
        })
        .collect()
}

impl Wish<'_> {
    /// The lines of every host of `fleet`.
    pub(super) async fn lines(
        &self,
        fleet: &Fleet,
        context: &Context,
    ) -> Result<Hosts<Vec<HostLine>>, Failure> {
        let farm = &fleet.farm.name;
        let lines = Hosts::of(&fleet.members)
            .each(async |member, ()| self.of_host(member, farm, context).await);
        let lines = context.report.accompany("asking the engines", lines).await;
        lines.go_on(context)
    }

    async fn of_host(
        &self,
        member: &Member,
        farm: &FarmName,
        context: &Context,
    ) -> Result<Vec<HostLine>, Failure> {
        if member.host.swarm.is_some() {
            return self.of_nodes(member, farm, context).await;
        }
        let address = match self.address {
            Some(address) => address.clone(),
            None => dialled(&member.host, context).await?,
        };
        let told = self.ask(member, farm, context).await?;
        let serves = |volunteer: &&Volunteer| {
            let told = told.as_ref();
            told.is_none_or(|told| !is_drained(&volunteer.target.name, farm, &told.observed))
        };
        let line = |volunteer: &Volunteer| {
            let by_engine = || Some(slots(volunteer, &told.as_ref()?.facts));
            let slots = self.slots(volunteer).or_else(by_engine)?;
            Some(HostLine {
                host: member.host.name.clone(),
                line: Line::new(&volunteer.target, address.clone(), slots),
            })
        };
        Ok(wanted(member).filter(serves).filter_map(line).collect())
    }

    /// Of a swarm the nodes that serve now are offered.
    async fn of_nodes(
        &self,
        member: &Member,
        farm: &FarmName,
        context: &Context,
    ) -> Result<Vec<HostLine>, Failure> {
        if self.address.is_some() {
            let error = anyhow::anyhow!("--address is one machine's, and a swarm has several");
            return Err(Failure::new(Exit::Usage, error, None));
        }
        let engine = context.engine(&member.host).await?;
        let observed = engine.observe_swarm(farm).await?;
        let mut lines = of_swarm(&member.host, wanted(member), &observed);
        for HostLine { line, .. } in &mut lines {
            line.slots = self.jobs.unwrap_or(line.slots);
        }
        Ok(lines)
    }

    /// Where the manifest says it all an only host is not asked; of several hosts one that does not answer is offered
    /// as the manifest says.
    async fn ask(
        &self,
        member: &Member,
        farm: &FarmName,
        context: &Context,
    ) -> Result<Option<Told>, Failure> {
        let says_it_all = wanted(member).all(|volunteer| self.slots(volunteer).is_some());
        if says_it_all && member.label.name().is_none() {
            return Ok(None);
        }
        match told(member, farm, context).await {
            Err(failure) if says_it_all => {
                context.report.warning(&format!(
                    "{}{}; what the manifest says is taken for granted",
                    member.label,
                    failure.on_one_line()
                ));
                Ok(None)
            }
            told => told.map(Some),
        }
    }

    fn slots(&self, volunteer: &Volunteer) -> Option<Slots> {
        self.jobs.or(volunteer.slots)
    }
}

fn of_swarm<'a>(
    host: &Host,
    volunteers: impl Iterator<Item = &'a Volunteer>,
    observed: &ObservedSwarm,
) -> Vec<HostLine> {
    let of_host = |line| HostLine {
        host: host.name.clone(),
        line,
    };
    let lines = swarm::lines(volunteers, observed);
    lines.into_iter().map(of_host).collect()
}

async fn told(member: &Member, farm: &FarmName, context: &Context) -> Result<Told, Failure> {
    let engine = context.engine(&member.host).await?;
    let facts = engine.facts().await?;
    // Of an only host all targets are offered, drained or not: a master without any line would compile everything itself.
    let observed = match member.label.name() {
        Some(_) => engine.observe(farm).await?,
        None => Observed::default(),
    };
    Ok(Told { facts, observed })
}

/// The volunteers of the targets that were asked for.
fn wanted(member: &Member) -> impl Iterator<Item = &Volunteer> {
    let targets = &member.targets;
    let volunteers = member.host.volunteers.iter();
    volunteers
        .filter(move |volunteer| targets.is_empty() || targets.contains(&volunteer.target.name))
}

fn is_drained(target: &TargetName, farm: &FarmName, observed: &Observed) -> bool {
    let name = VolunteerSpec::drained_name(farm, target);
    observed.volunteers.iter().any(|live| live.name == name)
}
