//! `farmctl validate`: what a manifest means, or everything that is wrong with it.

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::{Exit, Failure, Output, stdout};
use crate::farm::{Farm, Host, ImageSource, Publish, Volunteer};
use crate::manifest::{Diagnostic, ManifestError, Position};
use crate::report::Table;

/// Check the manifest and say what it means; no engine is asked
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl validate\n  farmctl validate -f attic/farm.yaml --output json    mistakes as data: \
                  file, line, column, message, hint"
)]
pub(super) struct Validate {
    /// How the farm or the mistakes are printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

pub(super) fn validate(args: &Validate, context: &Context) -> Result<Exit, Failure> {
    let manifest = context.manifest().map(|path| path.display().to_string());
    match (context.read_farm(), args.output) {
        (Ok(farm), Output::Text) => stdout::print(&summary(&farm, manifest.as_deref()))?,
        (Err(mistakes), Output::Text) => return Err(mistakes.into()),
        (Ok(farm), Output::Json) => stdout::print_json(&Report::of_farm(manifest, &farm))?,
        (Err(mistakes), Output::Json) => {
            stdout::print_json(&Report::of_mistakes(manifest, &mistakes))?;
            return Ok(Exit::Usage);
        }
    }
    Ok(Exit::Done)
}

/// The JSON document; its names are a contract.
#[derive(Debug, Serialize)]
struct Report {
    version: u32,
    /// The file; null where there is none and the default farm is meant.
    manifest: Option<String>,
    valid: bool,
    farm: Option<FarmData>,
    diagnostics: Vec<Mistake>,
    /// How many more there are.
    not_shown: usize,
}

impl Report {
    fn of_farm(manifest: Option<String>, farm: &Farm) -> Self {
        Self {
            version: 1,
            manifest,
            valid: true,
            farm: Some(farm.into()),
            diagnostics: Vec::new(),
            not_shown: 0,
        }
    }

    fn of_mistakes(manifest: Option<String>, mistakes: &ManifestError) -> Self {
        Self {
            version: 1,
            manifest,
            valid: false,
            farm: None,
            diagnostics: mistakes.diagnostics().iter().map(Mistake::from).collect(),
            not_shown: mistakes.not_shown(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Mistake {
    message: String,
    hint: Option<String>,
    at: Option<At>,
    /// What it clashes with.
    other: Option<At>,
}

impl From<&Diagnostic> for Mistake {
    fn from(diagnostic: &Diagnostic) -> Self {
        Self {
            message: diagnostic.message(),
            hint: diagnostic.hint(),
            at: diagnostic.position().map(At::from),
            other: diagnostic.other_position().map(At::from),
        }
    }
}

#[derive(Debug, Serialize)]
struct At {
    file: String,
    line: usize,
    column: usize,
}

impl From<Position> for At {
    fn from(position: Position) -> Self {
        let Position { file, line, column } = position;
        Self { file, line, column }
    }
}

#[derive(Debug, Serialize)]
struct FarmData {
    name: String,
    allow: Vec<String>,
    open: bool,
    mirror: Option<String>,
    hosts: Vec<HostData>,
}

impl From<&Farm> for FarmData {
    fn from(farm: &Farm) -> Self {
        Self {
            name: farm.name.to_string(),
            allow: rules(farm),
            open: farm.allow.is_open(),
            mirror: farm.mirror.clone(),
            hosts: farm.hosts.iter().map(HostData::from).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct HostData {
    name: String,
    address: String,
    volunteers: Vec<VolunteerData>,
}

impl From<&Host> for HostData {
    fn from(host: &Host) -> Self {
        Self {
            name: host.name.to_string(),
            address: host.address.to_string(),
            volunteers: host.volunteers.iter().map(VolunteerData::from).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct VolunteerData {
    target: String,
    port: u16,
    gcc: Vec<u32>,
    jobs: Option<u32>,
    cpus: Option<String>,
    memory_bytes: Option<u64>,
    nice: u8,
    headers: bool,
    publish: String,
    network: &'static str,
    restart: &'static str,
    stop_grace_seconds: u32,
    stats: &'static str,
    image: String,
    labels: std::collections::BTreeMap<String, String>,
}

impl From<&Volunteer> for VolunteerData {
    fn from(volunteer: &Volunteer) -> Self {
        let labels = volunteer.labels.iter();
        Self {
            target: volunteer.target.name.to_string(),
            port: volunteer.target.port.number(),
            gcc: volunteer.gcc.iter().map(|major| major.number()).collect(),
            jobs: volunteer.slots.map(crate::farm::Slots::count),
            cpus: volunteer.cpus.map(|cpus| cpus.to_string()),
            memory_bytes: volunteer.memory.map(crate::farm::Memory::bytes),
            nice: volunteer.nice.increment(),
            headers: volunteer.headers,
            publish: publish(volunteer.publish),
            network: volunteer.network.as_str(),
            restart: volunteer.restart.as_str(),
            stop_grace_seconds: volunteer.stop_grace.seconds(),
            stats: volunteer.stats.as_str(),
            image: image(&volunteer.image),
            labels: labels
                .map(|(name, value)| (name.to_string(), value.clone()))
                .collect(),
        }
    }
}

fn rules(farm: &Farm) -> Vec<String> {
    farm.allow.rules().iter().map(ToString::to_string).collect()
}

fn publish(publish: Publish) -> String {
    match publish {
        Publish::Auto => "auto".to_owned(),
        Publish::On(address) => address.to_string(),
    }
}

fn image(source: &ImageSource) -> String {
    match source {
        ImageSource::Assemble => "assemble".to_owned(),
        ImageSource::Never => "never".to_owned(),
        ImageSource::Pull(reference) => format!("pull {reference}"),
    }
}

/// A line about the farm and a table of its volunteers.
fn summary(farm: &Farm, manifest: Option<&str>) -> String {
    let origin = manifest.unwrap_or("no manifest, so the default farm");
    format!(
        "{origin}: farm {}, jobs from {}\n{}\n",
        farm.name,
        rules(farm).join(", "),
        table(farm)
    )
}

fn table(farm: &Farm) -> Table {
    let mut table = Table::new([
        "HOST", "ADDRESS", "TARGET", "PORT", "GCC", "JOBS", "CPUS", "MEMORY", "IMAGE",
    ]);
    for host in &farm.hosts {
        for volunteer in &host.volunteers {
            let limit = |limit: Option<String>| limit.unwrap_or_else(|| "-".to_owned());
            let gcc: Vec<String> = volunteer.gcc.iter().map(ToString::to_string).collect();
            table.row([
                host.name.to_string(),
                host.address.to_string(),
                volunteer.target.name.to_string(),
                volunteer.target.port.to_string(),
                gcc.join(" "),
                limit(volunteer.slots.map(|slots| slots.to_string())),
                limit(volunteer.cpus.map(|cpus| cpus.to_string())),
                limit(volunteer.memory.map(|memory| memory.to_string())),
                image(&volunteer.image),
            ]);
        }
    }
    table
}
