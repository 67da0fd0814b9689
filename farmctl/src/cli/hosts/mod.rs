//! `farmctl hosts`: what masters need, and nothing else on stdout.

mod lines;

use clap::{Args, ValueEnum};

use super::context::Context;
use super::fleet::{self, Fleet, HostArgs};
use super::prepare::Planned;
use super::{Exit, Failure, Output, stdout};
use crate::farm::{DialAddress, Slots, TargetName};
use crate::hosts::{Consumer, render};
use lines::{HostLine, Wish, ordered};

/// Print the lines that masters need, ready to be appended to their configuration
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl hosts >> /etc/makepkg.conf\n  farmctl hosts armv7h\n  \
                        eval \"$(farmctl hosts --for env aarch64)\""
)]
pub(super) struct Hosts {
    /// Only the line of this target
    target: Option<String>,
    #[command(flatten)]
    only: HostArgs,
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
    let target: Vec<_> = args.target.iter().cloned().collect();
    let fleet = Fleet::choose(&args.only, &target, context)?;
    refuse_one_address_for_many(args, &fleet)?;
    let wish = Wish {
        address: args.address.as_ref(),
        jobs: args.jobs,
    };
    let hosts = wish.lines(&fleet, context).await?;
    let lines = ordered(hosts.present.iter().flat_map(|(_, lines)| lines).cloned());
    match args.output {
        Output::Text => {
            let mut members = fleet.members.iter();
            let only = args.target.as_ref();
            let only = only.and_then(|_| members.find_map(|member| member.targets.first()));
            stdout::print(&text(&lines, args.consumer.into(), only))?;
        }
        Output::Json => {
            let volunteers: Vec<_> = lines.iter().map(json).collect();
            stdout::print_json(&serde_json::json!({ "version": 1, "volunteers": volunteers }))?;
        }
    }
    hosts.end(Exit::Done)
}

fn refuse_one_address_for_many(args: &Hosts, fleet: &Fleet) -> Result<(), Failure> {
    if args.address.is_none() || fleet.members.len() == 1 {
        return Ok(());
    }
    let error = anyhow::anyhow!(
        "--address is one host's, and there are {}",
        fleet.members.len()
    );
    let hint = "choose the host with --host, or write `address:` for each of them in the manifest";
    Err(Failure::new(Exit::Usage, error, Some(hint.to_owned())))
}

/// What `up` prints at its end: the lines for every board, of the hosts that are up.
pub(super) fn lines_for_makepkg(hosts: &fleet::Hosts<Planned>) -> String {
    let planned = hosts.present.iter().map(|(_member, planned)| planned);
    let lines = ordered(planned.flat_map(lines::of_planned));
    text(&lines, Consumer::Makepkg, None)
}

fn text(lines: &[HostLine], consumer: Consumer, only: Option<&TargetName>) -> String {
    let lines: Vec<_> = lines.iter().map(|of_host| of_host.line.clone()).collect();
    render(&lines, consumer, only)
}

/// One volunteer for programs; its names are a contract.
fn json(HostLine { host, line }: &HostLine) -> serde_json::Value {
    serde_json::json!({
        "host": host.as_str(),
        "target": line.target.as_str(),
        "carch": line.carch,
        "address": line.address.to_string(),
        "port": line.port.number(),
        "slots": line.slots.count(),
        "distcc_hosts": render(std::slice::from_ref(line), Consumer::Plain, Some(&line.target)).trim_end(),
    })
}
