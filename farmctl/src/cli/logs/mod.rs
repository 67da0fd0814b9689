//! `farmctl logs`: what the volunteers wrote, merged by time.
//!
//! [`selection`] is what is wanted, [`source`] knows what writes on a host, [`follow`] says which lines come in which order,
//! [`line`] what a line looks like; here they are printed until the reader goes away.

mod follow;
mod line;
mod selection;
mod source;

use std::ops::ControlFlow;
use std::time::SystemTime;

use clap::Args;

use super::context::Context;
use super::fleet::{Fleet, HostArgs, Member};
use super::{Exit, Failure, Output, stdout, targets};
use crate::engine::{DockerEngine, EngineError};
use crate::farm::HostName;
use line::Printer;
use selection::{Selection, Tail};
use source::{Container, Source, Writers};

/// Print what the volunteers wrote, merged by time
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl logs --tail 20\n  farmctl logs -F armv7h          go on, also when the \
                        volunteer is replaced, until Ctrl-C\n  farmctl logs --since 10m --output json"
)]
pub(super) struct Logs {
    /// Only these targets; all if none is named
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    hosts: HostArgs,
    /// Go on with what is written from now on
    // As in tail(1): -F goes on with the successor of what it follows. The small one is the manifest.
    #[arg(short = 'F', long)]
    follow: bool,
    /// Also what the doors wrote, which keep the ports open
    #[arg(long)]
    doors: bool,
    /// Only so many of each container's last lines
    #[arg(long, value_name = "N|all", default_value = "all")]
    tail: Tail,
    /// Only lines of the last minutes or hours (10m, 2h 30m), or from a time on (2026-01-31T12:00:00Z)
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<SystemTime>,
    /// How lines are printed: `json` is one document on each line
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    output: Output,
}

fn since(text: &str) -> Result<SystemTime, String> {
    if let Ok(time) = humantime::parse_rfc3339_weak(text) {
        return Ok(time);
    }
    let ago = humantime::parse_duration(text).map_err(|_neither| {
        "neither a duration such as 10m nor a time such as 2026-01-31T12:00:00Z".to_owned()
    })?;
    SystemTime::now()
        .checked_sub(ago)
        .ok_or_else(|| "too long ago".to_owned())
}

pub(super) async fn logs(args: &Logs, context: &Context) -> Result<Exit, Failure> {
    let fleet = Fleet::choose(&args.hosts, &args.targets, context)?;
    let farm = &fleet.farm;
    let selection = Selection {
        targets: targets::chosen(farm, &args.targets)?,
        doors: args.doors,
        tail: args.tail,
        since: args.since,
        farm: farm.name.clone(),
    };
    let hosts = fleet
        .ask(context, async |_member, engine| Ok(engine))
        .await?;
    let sources: Vec<_> = hosts.present.iter().map(source).collect();
    let printer = Printer::new(farm, args.doors, args.output);
    let print = |container: &Container, line: &_| -> Result<ControlFlow<()>, Failure> {
        stdout::print_while_read(&printer.render(container, line)?)
    };
    let tell = |host: &HostName, error: &EngineError| {
        let text = format!("{host}: {error}; its lines are not followed any more");
        context.report.warning(&text);
    };
    let lines = async {
        if args.follow {
            follow::follow(&sources, &selection, print, tell).await
        } else {
            follow::so_far(&sources, &selection, print).await
        }
    };
    let broken = tokio::select! {
        ended = lines => ended?,
        // To stop following is how it is meant to end, so it is no failure.
        _stopped = tokio::signal::ctrl_c(), if args.follow => Vec::new(),
    };
    hosts.without(broken).end(Exit::Done)
}

fn source((member, engine): &(Member, DockerEngine)) -> Source<DockerEngine> {
    Source {
        host: member.host.name.clone(),
        engine: engine.clone(),
        writers: match member.host.swarm {
            Some(_) => Writers::Tasks,
            None => Writers::Containers,
        },
    }
}
