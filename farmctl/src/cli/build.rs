//! `farmctl build`: the images that the engine lacks, and nothing started.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::context::{Context, only_host};
use super::image_files::{self, Place};
use super::images::{ImageArgs, ImageOrigin, Images, Pins, TargetImage};
use super::{Exit, Failure, Output, stdout, targets};
use crate::converge::ImageSource;
use crate::engine::{DockerEngine, Engine};
use crate::farm::ImageTag;
use crate::report::Table;

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

/// One line of the table; its JSON names are a contract.
#[derive(Debug, Serialize)]
struct Row {
    target: String,
    image: String,
    outcome: &'static str,
}

impl Row {
    fn written(image: &TargetImage) -> Self {
        Self {
            target: image.target.to_string(),
            image: image.tag.to_string(),
            outcome: "written",
        }
    }
}

pub(super) async fn build(args: &Build, context: &Context) -> Result<Exit, Failure> {
    let farm = context.farm()?;
    let host = only_host(&farm)?;
    let chosen = targets::chosen(&farm, &args.targets)?;
    if let Some(place) = args.place() {
        let images = Images::resolve(&farm, host, Pins::Kept, &args.images, context).await?;
        let written = Box::pin(image_files::write(place, &chosen, &images, context)).await?;
        print(
            &written.into_iter().map(Row::written).collect::<Vec<_>>(),
            args.output,
        )?;
        return Ok(Exit::Done);
    }
    let engine = context.engine().await?;
    let observed = engine.observe(&farm.name).await?;
    let images = Images::resolve(&farm, host, Pins::Kept, &args.images, context).await?;
    images.save_lock()?;
    let is_there = |image: &TargetImage| {
        let tagged = observed.images.get(&image.tag);
        tagged.is_some_and(|tagged| tagged.made_as.as_ref() == Some(&image.tag))
    };
    let chosen = images.of(&chosen);
    let missing: Vec<ImageTag> = chosen
        .iter()
        .filter(|image| image.origin == ImageOrigin::Assembled && !is_there(image))
        .map(|image| image.tag.clone())
        .collect();
    if missing.is_empty() {
        context
            .report
            .note("nothing to do: the engine has every image that is assembled");
    } else {
        load(&missing, &images, &engine, context).await?;
    }
    let row = |image: &&TargetImage| Row {
        target: image.target.to_string(),
        image: image.tag.to_string(),
        outcome: if missing.contains(&image.tag) {
            "built"
        } else if is_there(image) {
            "present"
        } else {
            "missing"
        },
    };
    print(&chosen.iter().map(row).collect::<Vec<_>>(), args.output)?;
    Ok(Exit::Done)
}

async fn load(
    tags: &[ImageTag],
    images: &Images,
    engine: &DockerEngine,
    context: &Context,
) -> Result<(), Failure> {
    let interrupt = context.interrupt();
    let load = async {
        let archive = images.archive(tags).await?;
        Ok(engine.load_images(archive).await?)
    };
    tokio::select! {
        () = interrupt.cancelled() => Err(Failure::interrupted()),
        loaded = load => loaded,
    }
}

fn print(rows: &[Row], output: Output) -> Result<(), Failure> {
    match output {
        Output::Json => stdout::print_json(&serde_json::json!({ "version": 1, "images": rows })),
        Output::Text => {
            let mut table = Table::new(["TARGET", "IMAGE", "OUTCOME"]);
            for row in rows {
                let outcome = row.outcome.to_owned();
                table.row([row.target.clone(), row.image.clone(), outcome]);
            }
            stdout::print(&format!("{table}\n"))
        }
    }
}
