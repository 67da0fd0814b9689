//! `farmctl status`: what runs, and whether it is fit for work.

mod nodes;

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::fleet::{Fleet, HostArgs, Hosts, Member, observe};
use super::{Exit, Failure, Output, stdout};
use crate::engine::{Health, LiveContainer, LiveState, Observed, ObservedSwarm};
use crate::farm::{Farm, GccMajor, Host, Volunteer, VolunteerSpec};
use crate::report::Table;

/// Show every volunteer: port, state, health, door, GCC versions, slots, image size
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  farmctl status\n  farmctl status --output json")]
pub(super) struct Status {
    /// How the table is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    #[command(flatten)]
    hosts: HostArgs,
}

/// One line of the table; its JSON names are a contract.
#[derive(Debug, Serialize)]
struct Row {
    host: String,
    /// In the text beside the host's name, where the host is a swarm.
    #[serde(skip)]
    node: Option<String>,
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

/// What is known of a host's engine; its JSON names are a contract.
#[derive(Debug, Serialize)]
struct HostRow {
    host: String,
    reached: bool,
}

pub(super) async fn status(args: &Status, context: &Context) -> Result<Exit, Failure> {
    let fleet = Fleet::of(&args.hosts, context)?;
    let farm = &fleet.farm;
    let hosts = fleet
        .ask(context, async |member, engine| {
            Ok(observe(&engine, &member.host, &farm.name).await?)
        })
        .await?;
    let rows = rows(&fleet, &hosts);
    match args.output {
        Output::Json => stdout::print_json(&serde_json::json!({
            "version": 1,
            "farm": farm.name.as_str(),
            "hosts": host_rows(&fleet, &hosts),
            "volunteers": rows,
        }))?,
        Output::Text => stdout::print(&format!("{}\n", table(&rows, &fleet)))?,
    }
    let all_fit = rows.iter().all(is_fit);
    hosts.end(if all_fit { Exit::Done } else { Exit::Unhealthy })
}

fn host_rows(fleet: &Fleet, hosts: &Hosts<Seen>) -> Vec<HostRow> {
    let row = |member: &Member| HostRow {
        host: member.host.name.to_string(),
        reached: !hosts.has_lost(&member.host.name),
    };
    fleet.members.iter().map(row).collect()
}

/// What runs on an engine, or in the swarm that it manages.
type Seen = (Observed, Option<ObservedSwarm>);

/// Host after host; of one that was lost as much as the manifest says.
fn rows(fleet: &Fleet, hosts: &Hosts<Seen>) -> Vec<Row> {
    let of_member = |member: &Member| {
        let name = &member.host.name;
        let mut present = hosts.present.iter();
        match present.find(|(present, _)| present.host.name == *name) {
            Some((_, (_, Some(swarm)))) => nodes::rows(&member.host, swarm),
            Some((_, (observed, None))) => rows_of(&member.host, &fleet.farm, observed),
            None => member
                .host
                .volunteers
                .iter()
                .map(|volunteer| unreached(&member.host, volunteer))
                .collect(),
        }
    };
    fleet.members.iter().flat_map(of_member).collect()
}

/// Fit for work, or kept from it by the user. Without an open door nobody reaches a volunteer.
fn is_fit(row: &Row) -> bool {
    let runs = |state| state == LiveState::Running.as_str();
    row.drained || runs(row.state) && runs(row.door) && row.health != Health::Unhealthy.as_str()
}

/// A host's volunteers in the manifest's order, then containers that it does not want.
fn rows_of(host: &Host, farm: &Farm, observed: &Observed) -> Vec<Row> {
    let is_wanted = |live: &&LiveContainer| {
        let mut wanted = host.volunteers.iter();
        wanted.any(|volunteer| live.target.as_ref() == Some(&volunteer.target.name))
    };
    let mut rows = Vec::new();
    for volunteer in &host.volunteers {
        let live = observed.volunteers.iter();
        let mut live = live
            .filter(|live| live.target.as_ref() == Some(&volunteer.target.name))
            .map(|live| present(live, host, farm, observed))
            .peekable();
        if live.peek().is_none() {
            rows.push(missing(host, volunteer, observed));
        }
        rows.extend(live);
    }
    let unwanted = observed.volunteers.iter().filter(|live| !is_wanted(live));
    rows.extend(unwanted.map(|live| present(live, host, farm, observed)));
    rows
}

fn present(live: &LiveContainer, host: &Host, farm: &Farm, observed: &Observed) -> Row {
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
        host: host.name.to_string(),
        node: None,
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

/// What the engine says nothing about.
const UNREACHED: &str = "unreached";

fn missing(host: &Host, volunteer: &Volunteer, observed: &Observed) -> Row {
    let door = state_of(observed.door(&volunteer.target.name));
    absent(host, volunteer, MISSING, door)
}

fn unreached(host: &Host, volunteer: &Volunteer) -> Row {
    absent(host, volunteer, UNREACHED, UNREACHED)
}

fn absent(host: &Host, volunteer: &Volunteer, state: &'static str, door: &'static str) -> Row {
    let gcc = volunteer.gcc.iter().copied();
    Row {
        host: host.name.to_string(),
        node: None,
        target: volunteer.target.name.to_string(),
        port: Some(volunteer.target.port.number()),
        address: None,
        state,
        health: Health::Unknown.as_str(),
        door,
        drained: false,
        gcc: gcc.map(GccMajor::number).collect(),
        slots: None,
        image: None,
        image_bytes: None,
        container: None,
    }
}

const COLUMNS: [&str; 8] = [
    "TARGET",
    "PORT",
    "STATE",
    "HEALTH",
    "DOOR",
    "GCC",
    "SLOTS",
    "IMAGE SIZE",
];

/// Hosts have a column where there are several.
fn table(rows: &[Row], fleet: &Fleet) -> Table {
    let has_nodes = rows.iter().any(|row| row.node.is_some());
    let mut table = Table::with_hosts(fleet.has_several_hosts() || has_nodes, &COLUMNS);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    for row in rows {
        let gcc: Vec<_> = row.gcc.iter().map(ToString::to_string).collect();
        let node = row.node.as_ref();
        let host = node.map_or_else(|| row.host.clone(), |node| format!("{} {node}", row.host));
        table.row_of(
            &host,
            [
                row.target.clone(),
                or_dash(row.port.map(|port| port.to_string())),
                if row.drained { "drained" } else { row.state }.to_owned(),
                row.health.to_owned(),
                row.door.to_owned(),
                gcc.join(" "),
                or_dash(row.slots.map(|slots| slots.to_string())),
                or_dash(row.image_bytes.map(megabytes)),
            ],
        );
    }
    table
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}
