//! `farmctl doctor`: what is wrong with this host, or with this master, and what helps.

mod host;
mod master;

use clap::Args;

use super::context::Context;
use super::fleet::HostArgs;
use super::images::ImageArgs;
use super::{Exit, Failure, Output, stdout};

/// Explain what is wrong with the farm on this machine, or with a master, and what helps
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl doctor                         this machine, its engine and its farm\n  \
                  farmctl doctor armv7h                  only what concerns one target\n  \
                  farmctl doctor --all --output json     everything, for monitoring\n  \
                  farmctl doctor --master                on a board: distcc, makepkg.conf, hosts, and the proof\n  \
                  farmctl doctor --master 10.30.5.9:3635/20,lzo\n\n\
                  Exit codes: 0 no problem, 1 a problem was found"
)]
pub(super) struct Doctor {
    /// On the host: only these targets. With --master: these hosts instead of the configured ones
    #[arg(value_name = "TARGET|HOST")]
    subjects: Vec<String>,
    #[command(flatten)]
    hosts: HostArgs,
    /// Examine this machine as a master: it needs neither engine nor manifest
    #[arg(long)]
    master: bool,
    /// Also show what is as it should be
    #[arg(long)]
    all: bool,
    /// How the findings are printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    #[command(flatten)]
    images: ImageArgs,
}

pub(super) async fn doctor(args: &Doctor, context: &Context) -> Result<Exit, Failure> {
    let diagnosis = if args.master {
        let examination = master::examine(args.subjects.clone());
        context
            .report
            .accompany("examining this master and its volunteers", examination)
            .await
    } else {
        let examination = Box::pin(host::examine(args, context));
        context
            .report
            .accompany("examining this host and its volunteers", examination)
            .await?
    };
    match args.output {
        Output::Json => stdout::print_json(&diagnosis.json(args.all))?,
        Output::Text => {
            stdout::print(&diagnosis.text(args.all))?;
            context.report.note(&diagnosis.summary());
        }
    }
    Ok(if diagnosis.is_well() {
        Exit::Done
    } else {
        Exit::Failed
    })
}
