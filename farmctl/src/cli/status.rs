//! `farmctl status`: what runs, and whether it is fit for work.

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::{Exit, Failure, Output, stdout};
use crate::engine::{Engine, Health, LiveContainer, LiveState, Observed};
use crate::farm::{Farm, GccMajor, Volunteer, VolunteerSpec};
use crate::report::Table;

/// Show every volunteer: port, state, health, door, GCC versions, slots, image size
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  farmctl status\n  farmctl status --output json")]
pub(super) struct Status {
    /// How the table is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

/// One line of the table; its JSON names are a contract.
#[derive(Debug, Serialize)]
struct Row {
    target: String,
    port: Option<u16>,
    address: Option<String>,
    state: &'static str,
    health: &'static str,
    door: &'static str,
    drained: bool,
    gcc: Vec<u32>,
    slots: Option<u32>,
    image: Option<String>,
    image_bytes: Option<u64>,
    container: Option<String>,
}

pub(super) async fn status(args: &Status, context: &Context) -> Result<Exit, Failure> {
    let farm = context.farm()?;
    let engine = context.engine().await?;
    let observed = engine.observe(&farm.name).await?;
    let rows = rows(&farm, &observed);
    match args.output {
        Output::Json => {
            let document =
                serde_json::json!({ "version": 1, "farm": farm.name.as_str(), "volunteers": rows });
            stdout::print_json(&document)?;
        }
        Output::Text => stdout::print(&format!("{}\n", table(&rows)))?,
    }
    Ok(if rows.iter().all(is_fit) {
        Exit::Done
    } else {
        Exit::Unhealthy
    })
}

/// Fit for work, or kept from it by the user. Without an open door nobody reaches a volunteer.
fn is_fit(row: &Row) -> bool {
    let runs = |state| state == LiveState::Running.as_str();
    row.drained || runs(row.state) && runs(row.door) && row.health != Health::Unhealthy.as_str()
}

/// The farm's volunteers in the manifest's order, then containers that it does not want.
fn rows(farm: &Farm, observed: &Observed) -> Vec<Row> {
    let wanted: Vec<&Volunteer> = farm
        .hosts
        .iter()
        .flat_map(|host| &host.volunteers)
        .collect();
    let is_wanted = |live: &LiveContainer| {
        live.target.as_ref().is_some_and(|target| {
            wanted
                .iter()
                .any(|volunteer| volunteer.target.name == *target)
        })
    };
    let mut rows = Vec::new();
    for volunteer in &wanted {
        let mut live = observed
            .volunteers
            .iter()
            .filter(|live| live.target.as_ref() == Some(&volunteer.target.name));
        match live.next() {
            Some(first) => rows.extend(
                std::iter::once(first)
                    .chain(live)
                    .map(|live| present(live, farm, observed)),
            ),
            None => rows.push(missing(volunteer, observed)),
        }
    }
    rows.extend(
        observed
            .volunteers
            .iter()
            .filter(|live| !is_wanted(live))
            .map(|live| present(live, farm, observed)),
    );
    rows
}

fn present(live: &LiveContainer, farm: &Farm, observed: &Observed) -> Row {
    let door = live
        .target
        .as_ref()
        .and_then(|target| observed.door(target));
    let dialled = door.and_then(LiveContainer::dialled);
    let is_drained = live
        .target
        .as_ref()
        .is_some_and(|target| live.name == VolunteerSpec::drained_name(&farm.name, target));
    Row {
        target: live
            .target
            .as_ref()
            .map_or_else(|| "?".to_owned(), ToString::to_string),
        port: dialled.map(|address| address.port()),
        address: dialled.map(|address| address.ip().to_string()),
        state: live.state.as_str(),
        health: live.health.as_str(),
        door: state_of(door),
        drained: is_drained,
        gcc: live.gcc.iter().copied().map(GccMajor::number).collect(),
        slots: live.slots.map(crate::farm::Slots::count),
        image: Some(live.image.to_string()),
        image_bytes: observed.images.get(&live.image).map(|image| image.bytes),
        container: Some(live.name.clone()),
    }
}

fn state_of(door: Option<&LiveContainer>) -> &'static str {
    door.map_or(MISSING, |door| door.state.as_str())
}

const MISSING: &str = "missing";

fn missing(volunteer: &Volunteer, observed: &Observed) -> Row {
    Row {
        target: volunteer.target.name.to_string(),
        port: Some(volunteer.target.port.number()),
        address: None,
        state: MISSING,
        health: Health::Unknown.as_str(),
        door: state_of(observed.door(&volunteer.target.name)),
        drained: false,
        gcc: volunteer
            .gcc
            .iter()
            .copied()
            .map(GccMajor::number)
            .collect(),
        slots: None,
        image: None,
        image_bytes: None,
        container: None,
    }
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new([
        "TARGET",
        "PORT",
        "STATE",
        "HEALTH",
        "DOOR",
        "GCC",
        "SLOTS",
        "IMAGE SIZE",
    ]);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    for row in rows {
        let gcc: Vec<_> = row.gcc.iter().map(ToString::to_string).collect();
        table.row([
            row.target.clone(),
            or_dash(row.port.map(|port| port.to_string())),
            if row.drained { "drained" } else { row.state }.to_owned(),
            row.health.to_owned(),
            row.door.to_owned(),
            gcc.join(" "),
            or_dash(row.slots.map(|slots| slots.to_string())),
            or_dash(row.image_bytes.map(megabytes)),
        ]);
    }
    table
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}
