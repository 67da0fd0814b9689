//! The hosts that a command is about, and what becomes of each of them.
//!
//! A [`Fleet`] is who is asked; [`Hosts`] are those with which a command goes on, each with what is known of it so far,
//! and those that were lost on the way. What is done is done for all of them at once: who fails is lost, and the others
//! go on.

mod hosts;
mod label;
mod place;

use clap::Args;

use super::context::Context;
use super::{Exit, Failure, targets};
use crate::engine::{
    DockerEngine, Engine, EngineError, EngineFacts, EngineSystem, Observed, ObservedSwarm,
    SwarmEngine,
};
use crate::farm::{Farm, FarmName, Host, TargetName};

pub(super) use hosts::Hosts;
pub(super) use label::Label;
pub(super) use place::{Place, dialled, is_of_this_machine, place};

/// The option of every command that can do with a part of the hosts.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct HostArgs {
    /// Only this host; may be given several times
    #[arg(long = "host", value_name = "NAME")]
    pub(super) hosts: Vec<String>,
}

/// A farm, and which of its hosts a command is about.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) farm: Farm,
    pub(super) members: Vec<Member>,
}

/// A host of a fleet.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) host: Host,
    /// Those of its targets that were named; none if none was.
    pub(super) targets: Vec<TargetName>,
    /// Those of its nodes that were named, if it is a swarm; none if none was.
    pub(super) nodes: Vec<String>,
    pub(super) label: Label,
}

/// An engine, and everything that a plan needs to know of it.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) engine: DockerEngine,
    pub(super) facts: EngineFacts,
    pub(super) system: EngineSystem,
    pub(super) observed: Observed,
    /// What the whole swarm has, if the host is one; then nothing is observed of its manager alone.
    pub(super) swarm: Option<ObservedSwarm>,
}

impl Fleet {
    /// The hosts of the manifest's farm that `args` choose and that have one of `targets`; all if nothing is chosen.
    pub(super) fn choose(
        args: &HostArgs,
        targets: &[String],
        context: &Context,
    ) -> Result<Self, Failure> {
        let farm = context.farm()?;
        let named = targets::chosen(&farm, targets)?;
        let mut members = members(&farm, args)?;
        if !named.is_empty() {
            for member in &mut members {
                member.targets = of_host(&member.host, &named);
            }
            refuse_strangers(&members, &named)?;
            members.retain(|member| !member.targets.is_empty());
        }
        Ok(Self { farm, members })
    }

    /// All of a farm.
    pub(super) fn whole(farm: Farm) -> Self {
        let members = every_member(&farm);
        Self { farm, members }
    }

    /// The same without targets: for commands that know targets which the manifest has no more.
    pub(super) fn of(args: &HostArgs, context: &Context) -> Result<Self, Failure> {
        Self::choose(args, &[], context)
    }

    /// The same, about some nodes of its swarms only; other hosts have none.
    pub(super) fn on_nodes(&mut self, nodes: &[String]) -> Result<(), Failure> {
        if nodes.is_empty() {
            return Ok(());
        }
        self.members.retain(|member| member.host.swarm.is_some());
        let [member] = self.members.as_mut_slice() else {
            let error = match self.members.len() {
                0 => anyhow::anyhow!("only a swarm has nodes, and none was chosen"),
                several => anyhow::anyhow!("nodes are one swarm's, and there are {several}"),
            };
            let hint = "choose a host with `engine: swarm` with --host";
            return Err(Failure::new(Exit::Usage, error, Some(hint.to_owned())));
        };
        member.nodes = nodes.to_vec();
        Ok(())
    }

    /// Whether it has to be said which host something is about.
    pub(super) fn has_several_hosts(&self) -> bool {
        self.farm.hosts.len() > 1
    }

    /// Names those targets of every host that the manifest has, where none was named: then what left it is left alone.
    pub(super) fn name_every_target(&mut self) {
        for member in &mut self.members {
            if member.targets.is_empty() {
                let volunteers = member.host.volunteers.iter();
                let names = volunteers.map(|volunteer| volunteer.target.name.clone());
                member.targets = names.collect();
            }
        }
        self.members.retain(|member| !member.targets.is_empty());
    }

    /// Connects to every engine and looks at all of it.
    pub(super) async fn snapshot(&self, context: &Context) -> Result<Hosts<Snapshot>, Failure> {
        let farm = &self.farm.name;
        self.ask(context, async |member, engine| {
            snapshot(engine, &member.host, farm).await
        })
        .await
    }

    /// Connects to every engine and asks it something; hosts that do not answer are told of.
    pub(super) async fn ask<T>(
        &self,
        context: &Context,
        question: impl AsyncFn(&Member, DockerEngine) -> Result<T, Failure>,
    ) -> Result<Hosts<T>, Failure> {
        let hosts = Hosts::of(&self.members)
            .each(async |member, ()| question(member, context.engine(&member.host).await?).await);
        let hosts = context.report.accompany("asking the engines", hosts).await;
        hosts.go_on(context)
    }
}

/// Looks at all of an engine that matters to `farm`.
pub(super) async fn snapshot(
    engine: DockerEngine,
    host: &Host,
    farm: &FarmName,
) -> Result<Snapshot, Failure> {
    let observed = observe(&engine, host, farm);
    let (facts, system, (observed, swarm)) =
        tokio::try_join!(engine.facts(), engine.system(), observed)?;
    Ok(Snapshot {
        engine,
        facts,
        system,
        observed,
        swarm,
    })
}

/// Looks at what runs on an engine, or in the swarm that it manages.
pub(super) async fn observe(
    engine: &DockerEngine,
    host: &Host,
    farm: &FarmName,
) -> Result<(Observed, Option<ObservedSwarm>), EngineError> {
    if host.swarm.is_some() {
        let swarm = engine.observe_swarm(farm).await?;
        return Ok((Observed::default(), Some(swarm)));
    }
    Ok((engine.observe(farm).await?, None))
}

fn every_member(farm: &Farm) -> Vec<Member> {
    let member = |host: &Host| Member {
        host: host.clone(),
        targets: Vec::new(),
        nodes: Vec::new(),
        label: Label::of(host, farm),
    };
    farm.hosts.iter().map(member).collect()
}

/// The hosts that `args` choose, in the manifest's order.
fn members(farm: &Farm, args: &HostArgs) -> Result<Vec<Member>, Failure> {
    let mut members = every_member(farm);
    let is_known = |name: &&String| {
        let mut hosts = farm.hosts.iter();
        hosts.any(|host| host.name.as_str() == name.as_str())
    };
    if let Some(unknown) = args.hosts.iter().find(|name| !is_known(name)) {
        return Err(unknown_host(unknown, farm));
    }
    if !args.hosts.is_empty() {
        members.retain(|member| {
            let mut chosen = args.hosts.iter();
            chosen.any(|name| name == member.host.name.as_str())
        });
    }
    Ok(members)
}

fn unknown_host(name: &str, farm: &Farm) -> Failure {
    let names: Vec<_> = farm.hosts.iter().map(|host| host.name.as_str()).collect();
    let error = anyhow::anyhow!("this farm has no host named '{name}'");
    let hint = match names.as_slice() {
        [only] => format!("its only host is {only}"),
        names => format!("its hosts are {}", names.join(", ")),
    };
    Failure::new(Exit::Usage, error, Some(hint))
}

fn of_host(host: &Host, named: &[TargetName]) -> Vec<TargetName> {
    let has = |target: &&TargetName| {
        let mut volunteers = host.volunteers.iter();
        volunteers.any(|volunteer| volunteer.target.name == **target)
    };
    named.iter().filter(has).cloned().collect()
}

/// A target that none of the chosen hosts compiles for would be forgotten silently.
fn refuse_strangers(members: &[Member], named: &[TargetName]) -> Result<(), Failure> {
    let is_stranger = |target: &&TargetName| {
        let mut members = members.iter();
        !members.any(|member| member.targets.contains(target))
    };
    let Some(stranger) = named.iter().find(is_stranger) else {
        return Ok(());
    };
    let hosts: Vec<_> = members
        .iter()
        .map(|member| member.host.name.as_str())
        .collect();
    let error = anyhow::anyhow!("no volunteer for {stranger} on {}", hosts.join(", "));
    let hint = "leave --host away, or give the host the target in the manifest (targets: […])";
    Err(Failure::new(Exit::Usage, error, Some(hint.to_owned())))
}
