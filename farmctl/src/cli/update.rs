//! `farmctl update`: refreshes the lock, and tells what changes by that.

use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::images::{ImageArgs, Images, Machines, Pins};
use super::{Exit, Failure, Output, stdout, targets};
use crate::farm::Architecture;
use crate::image::{PackageChange, Presence, ToolchainChange};
use crate::report::Table;

/// Resolve every package anew, write farm.lock and show what changes; the next `up` uses it
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl update && farmctl up\n  farmctl update armv7h       leave other targets as they are\n  \
                        farmctl update --check      exit with 5 if something would change, write nothing"
)]
pub(super) struct Update {
    /// Only the packages of these targets
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Write nothing; exit with 5 if the lock would change
    #[arg(long)]
    check: bool,
    /// How the changes are printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    #[command(flatten)]
    images: ImageArgs,
}

pub(super) async fn update(args: &Update, context: &Context) -> Result<Exit, Failure> {
    let farm = context.farm()?;
    let chosen = targets::chosen(&farm, &args.targets)?;
    let pins = if chosen.is_empty() {
        Pins::Renewed
    } else {
        Pins::RenewedFor(chosen)
    };
    let images = Images::resolve(&farm, &Machines::default(), pins, &args.images, context).await?;
    // A lock that cannot be read is replaced, and everything is new.
    let old = images.lock_file().lock().ok().flatten().unwrap_or_default();
    let changes = old.changes(images.lock());
    let differs = !images.lock_file().says(&images.lock().to_string());
    if !args.check {
        images.save_lock()?;
    }
    print(&changes, differs, args, context)?;
    Ok(if args.check && differs {
        Exit::ChangesPending
    } else {
        Exit::Done
    })
}

fn print(
    changes: &[ToolchainChange],
    differs: bool,
    args: &Update,
    context: &Context,
) -> Result<(), Failure> {
    let path = context.lock_path()?;
    context.report.note(&match (differs, args.check) {
        (false, _) => format!("{} is up to date", path.display()),
        (true, false) => format!(
            "{} is renewed: farmctl up brings the farm up to it",
            path.display()
        ),
        (true, true) => format!("{} would change", path.display()),
    });
    match args.output {
        Output::Json => stdout::print_json(&json!({
            "version": 1,
            "changed": differs,
            "written": differs && !args.check,
            "toolchains": changes.iter().map(toolchain_json).collect::<Vec<_>>(),
        })),
        Output::Text if changes.is_empty() => Ok(()),
        Output::Text => stdout::print(&format!("{}\n", table(changes))),
    }
}

fn table(changes: &[ToolchainChange]) -> Table {
    let mut table = Table::new(["TARGET", "GCC", "PACKAGE", "OLD", "NEW"]);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    for change in changes {
        let mut row = |what: &str, old: Option<String>, new: Option<String>| {
            let (target, gcc) = (target_name(change), change.gcc.to_string());
            table.row([target, gcc, what.to_owned(), or_dash(old), or_dash(new)]);
        };
        if let Some((old, new)) = change.archive {
            row("archive", old.map(short), new.map(short));
        }
        for PackageChange { name, old, new } in &change.packages {
            let is_rebuilt = old.is_some() && old == new;
            let note = if is_rebuilt { " (another file)" } else { "" };
            let new = new.as_ref().map(|version| format!("{version}{note}"));
            row(name, old.clone(), new);
        }
    }
    table
}

/// With the hosts where they are not of the usual kind.
fn target_name(change: &ToolchainChange) -> String {
    match change.host {
        Architecture::Amd64 => change.target.clone(),
        host @ Architecture::Arm64 => format!("{} on {host}", change.target),
    }
}

/// As many digits as tell two sums apart.
fn short(sum: crate::image::Sha256) -> String {
    sum.to_string().chars().take(16).collect()
}

fn toolchain_json(change: &ToolchainChange) -> Value {
    let packages = change.packages.iter();
    let packages = packages
        .map(|PackageChange { name, old, new }| json!({ "name": name, "old": old, "new": new }));
    let (old, new) = change.archive.unwrap_or_default();
    json!({
        "target": change.target,
        "gcc": change.gcc,
        "host": change.host.as_str(),
        "change": match change.presence {
            Presence::Added => "added",
            Presence::Removed => "removed",
            Presence::Kept => "changed",
        },
        "archive": change.archive.map(|_changed| json!({
            "old": old.map(|sum| sum.to_string()),
            "new": new.map(|sum| sum.to_string()),
        })),
        "packages": packages.collect::<Vec<_>>(),
    })
}
