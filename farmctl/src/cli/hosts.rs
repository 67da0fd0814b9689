//! `farmctl hosts`: what masters need, and nothing else on stdout.

use clap::{Args, ValueEnum};

use super::context::Context;
use super::{Exit, Failure, Output, stdout, targets};
use crate::converge::slots;
use crate::engine::{Engine, EngineFacts};
use crate::farm::{DialAddress, Host, Slots, Volunteer};
use crate::hosts::{Consumer, Line, local, render};

/// Print the lines that masters need, ready to be appended to their configuration
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl hosts >> /etc/makepkg.conf\n  farmctl hosts armv7h\n  \
                        eval \"$(farmctl hosts --for env aarch64)\""
)]
pub(super) struct Hosts {
    /// Only the line of this target
    target: Option<String>,
    /// Who will read it
    #[arg(
        long = "for",
        value_enum,
        default_value = "makepkg",
        value_name = "CONSUMER"
    )]
    consumer: ConsumerName,
    /// How they are printed: `json` is for programs, whoever reads it in the end
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    output: Output,
    /// What masters dial, instead of what the manifest says
    #[arg(long, value_name = "ADDRESS")]
    address: Option<DialAddress>,
    /// Jobs at once, instead of what the volunteers accept
    #[arg(long, value_name = "N", value_parser = jobs)]
    jobs: Option<Slots>,
}

/// The consumers, as the command line spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ConsumerName {
    /// The value alone, a line for each target
    Plain,
    /// makepkg.conf
    Makepkg,
    /// A shell
    Env,
}

impl From<ConsumerName> for Consumer {
    fn from(name: ConsumerName) -> Self {
        match name {
            ConsumerName::Plain => Self::Plain,
            ConsumerName::Makepkg => Self::Makepkg,
            ConsumerName::Env => Self::Env,
        }
    }
}

fn jobs(text: &str) -> Result<Slots, String> {
    let number: u64 = text
        .parse()
        .map_err(|_not_a_number| format!("'{text}' is not a number"))?;
    Slots::try_from(number).map_err(|error| error.to_string())
}

pub(super) async fn hosts(args: &Hosts, context: &Context) -> Result<Exit, Failure> {
    let farm = context.farm()?;
    let only = args
        .target
        .as_deref()
        .map(|name| targets::one(&farm, name))
        .transpose()?;
    let mut lines = Vec::new();
    for host in &farm.hosts {
        lines.extend(lines_of(host, args, context).await?);
    }
    match args.output {
        Output::Text => stdout::print(&render(&lines, args.consumer.into(), only.as_ref()))?,
        Output::Json => {
            lines.retain(|line| only.as_ref().is_none_or(|only| line.target == *only));
            let volunteers: Vec<_> = lines.iter().map(json).collect();
            stdout::print_json(&serde_json::json!({ "version": 1, "volunteers": volunteers }))?;
        }
    }
    Ok(Exit::Done)
}

/// One volunteer for programs; its names are a contract.
fn json(line: &Line) -> serde_json::Value {
    serde_json::json!({
        "target": line.target.as_str(),
        "carch": line.carch,
        "address": line.address.to_string(),
        "port": line.port.number(),
        "slots": line.slots.count(),
        "distcc_hosts": render(std::slice::from_ref(line), Consumer::Plain, Some(&line.target)).trim_end(),
    })
}

/// What `up` prints at its end: the lines for every board.
pub(super) fn lines_for_makepkg(host: &Host, engine: &EngineFacts) -> Result<String, Failure> {
    let address = local::dialled(&host.address)?;
    let line = |volunteer: &Volunteer| {
        Line::new(&volunteer.target, address.clone(), slots(volunteer, engine))
    };
    let lines: Vec<_> = host.volunteers.iter().map(line).collect();
    Ok(render(&lines, Consumer::Makepkg, None))
}

async fn lines_of(host: &Host, args: &Hosts, context: &Context) -> Result<Vec<Line>, Failure> {
    let address = match &args.address {
        Some(address) => address.clone(),
        None => local::dialled(&host.address)?,
    };
    let mut engine = None;
    let mut lines = Vec::new();
    for volunteer in &host.volunteers {
        let slots = match args.jobs.or(volunteer.slots) {
            Some(slots) => slots,
            // Only the engine knows how many processors its machine has; it is asked once, and only if it must be.
            None => match &engine {
                Some(facts) => slots(volunteer, facts),
                None => slots(volunteer, engine.insert(facts(context).await?)),
            },
        };
        lines.push(Line::new(&volunteer.target, address.clone(), slots));
    }
    Ok(lines)
}

async fn facts(context: &Context) -> Result<EngineFacts, Failure> {
    Ok(context.engine().await?.facts().await?)
}
