//! `farmctl build`: the images that the engine lacks, and nothing started.

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::fleet::{Fleet, HostArgs, Member, Snapshot};
use super::image_files::{self, Place};
use super::image_rows::{self, ImageRow};
use super::images::{ImageArgs, ImageOrigin, Images, Machines, Pins, TargetImage};
use super::{Exit, Failure, Output, stdout};
use crate::converge::ImageSource;
use crate::engine::Engine;
use crate::farm::ImageTag;

/// Assemble the images that the engine lacks and load them, and start nothing
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl build\n  farmctl build armv7h aarch64\n  farmctl build --output-archive volunteers.tar    \
                  for `docker load -i` on another machine\n  farmctl build armv7h --layers image              what the \
                  Dockerfile copies\n\nThe next `farmctl up` has its images then. \
                        Images that the manifest pulls\ncome with `farmctl pull`."
)]
pub(super) struct Build {
    /// Only the images of these targets
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    hosts: HostArgs,
    /// How the table is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    /// Write the images into a file that `docker load` reads, instead of loading them; no engine is asked
    #[arg(long, value_name = "FILE", conflicts_with = "layers")]
    output_archive: Option<PathBuf>,
    /// Write the files of one image into a new folder, a folder for each layer; no engine is asked
    #[arg(long, value_name = "FOLDER")]
    layers: Option<PathBuf>,
    #[command(flatten)]
    images: ImageArgs,
}

impl Build {
    fn place(&self) -> Option<Place<'_>> {
        let archive = self.output_archive.as_deref().map(Place::Archive);
        archive.or_else(|| self.layers.as_deref().map(Place::Folders))
    }
}

const BUILT: &str = "built";

pub(super) async fn build(args: &Build, context: &Context) -> Result<Exit, Failure> {
    let fleet = Fleet::choose(&args.hosts, &args.targets, context)?;
    match args.place() {
        Some(place) => write(place, &fleet, args, context).await,
        None => load(&fleet, args, context).await,
    }
}

/// Writes images into files; those that hosts share once.
async fn write(
    place: Place<'_>,
    fleet: &Fleet,
    args: &Build,
    context: &Context,
) -> Result<Exit, Failure> {
    let machines = Machines::default();
    let images = Images::resolve(&fleet.farm, &machines, Pins::Kept, &args.images, context).await?;
    let chosen = images.shared_by(&fleet.members);
    let written = Box::pin(image_files::write(place, chosen, &images, context)).await?;
    let row = |image: &TargetImage| ImageRow {
        host: image.host.to_string(),
        target: image.target.to_string(),
        image: image.tag.to_string(),
        outcome: "written",
    };
    let rows: Vec<_> = written.into_iter().map(row).collect();
    print(&rows.iter().collect::<Vec<_>>(), fleet, args.output)?;
    Ok(Exit::Done)
}

/// Loads images into every engine that lacks them.
async fn load(fleet: &Fleet, args: &Build, context: &Context) -> Result<Exit, Failure> {
    let snapshots = fleet.snapshot(context).await?;
    let machines = Machines::of(&snapshots);
    let images = Images::resolve(&fleet.farm, &machines, Pins::Kept, &args.images, context).await?;
    images.save_lock()?;
    let interrupt = context.interrupt();
    let built = snapshots
        .each(async |member, snapshot| {
            tokio::select! {
                () = interrupt.cancelled() => Err(Failure::interrupted()),
                built = load_into(member, &snapshot, &images) => built,
            }
        })
        .await
        .go_on(context)?;
    let rows: Vec<&ImageRow> = built.present.iter().flat_map(|(_, rows)| rows).collect();
    if !rows.iter().any(|row| row.outcome == BUILT) {
        context
            .report
            .note("nothing to do: the engine has every image that is assembled");
    }
    print(&rows, fleet, args.output)?;
    built.end(Exit::Done)
}

/// Loads what one engine lacks.
async fn load_into(
    member: &Member,
    Snapshot {
        engine, observed, ..
    }: &Snapshot,
    images: &Images,
) -> Result<Vec<ImageRow>, Failure> {
    let is_there = |image: &TargetImage| {
        let tagged = observed.images.get(&image.tag);
        tagged.is_some_and(|tagged| tagged.made_as.as_ref() == Some(&image.tag))
    };
    images.check(&member.host.name)?;
    let chosen = images.of(member);
    let missing: Vec<ImageTag> = chosen
        .iter()
        .filter(|image| image.origin == ImageOrigin::Assembled && !is_there(image))
        .map(|image| image.tag.clone())
        .collect();
    if !missing.is_empty() {
        let archive = images.archive(&missing).await?;
        engine.load_images(archive).await?;
    }
    let row = |image: &&TargetImage| ImageRow {
        host: member.host.name.to_string(),
        target: image.target.to_string(),
        image: image.tag.to_string(),
        outcome: if missing.contains(&image.tag) {
            BUILT
        } else if is_there(image) {
            "present"
        } else {
            "missing"
        },
    };
    Ok(chosen.iter().map(row).collect())
}

fn print(rows: &[&ImageRow], fleet: &Fleet, output: Output) -> Result<(), Failure> {
    match output {
        Output::Json => stdout::print_json(&serde_json::json!({ "version": 1, "images": rows })),
        Output::Text => image_rows::print_table(rows, fleet),
    }
}
