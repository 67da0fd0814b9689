//! `farmctl pull`: everything that has to come over the network, and nothing built.

use clap::Args;
use serde_json::json;

use super::context::{Context, only_host};
use super::images::{ImageArgs, ImageOrigin, Images, Pins};
use super::size::size;
use super::{Exit, Failure, Output, stdout, targets};
use crate::engine::Engine;
use crate::farm::ImageTag;
use crate::image::Fetched;
use crate::report::Table;

/// Download every package, archive and image that the farm needs, and build nothing
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl pull                then `farmctl up` works without a network\n  farmctl pull armv7h\n\n\
                        Images of a registry are pulled without credentials: for one that asks for them, log in and\n\
                        use `docker pull`; `farmctl up` takes what is there."
)]
pub(super) struct Pull {
    /// Only for these targets
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// How the table is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    #[command(flatten)]
    images: ImageArgs,
}

pub(super) async fn pull(args: &Pull, context: &Context) -> Result<Exit, Failure> {
    let farm = context.farm()?;
    let host = only_host(&farm)?;
    let chosen = targets::chosen(&farm, &args.targets)?;
    let images = Images::resolve(&farm, host, Pins::Kept, &args.images, context).await?;
    images.save_lock()?;
    let interrupt = context.interrupt();
    let registry = images.of(&chosen).into_iter();
    let registry = registry.filter(|image| image.origin == ImageOrigin::Registry);
    let registry: Vec<ImageTag> = registry.map(|image| image.tag.clone()).collect();
    let work = async {
        let fetched = images.fetch(&chosen).await?;
        pull_images(&registry, context).await?;
        Ok(fetched)
    };
    let fetched = tokio::select! {
        () = interrupt.cancelled() => Err(Failure::interrupted()),
        fetched = work => fetched,
    }?;
    print(&fetched, &registry, args.output, context)?;
    Ok(Exit::Done)
}

async fn pull_images(tags: &[ImageTag], context: &Context) -> Result<(), Failure> {
    if tags.is_empty() {
        return Ok(());
    }
    let engine = context.engine().await?;
    for tag in tags {
        engine.pull_image(tag).await?;
        context.report.note(&format!("  pulled image {tag}"));
    }
    Ok(())
}

fn print(
    fetched: &[Fetched],
    images: &[ImageTag],
    output: Output,
    context: &Context,
) -> Result<(), Failure> {
    match output {
        Output::Json => {
            let files: Vec<_> = fetched.iter().map(json).collect();
            let images: Vec<_> = images.iter().map(ImageTag::as_str).collect();
            stdout::print_json(&json!({ "version": 1, "files": files, "images": images }))
        }
        Output::Text => {
            let new: Vec<_> = fetched.iter().filter(|file| !file.was_there).collect();
            let bytes = new.iter().map(|file| file.bytes).sum();
            context
                .report
                .note(&summary(new.len(), fetched.len(), bytes));
            if new.is_empty() {
                return Ok(());
            }
            let mut table = Table::new(["FETCHED", "VERSION", "SIZE"]);
            for file in new {
                let version = file.version.clone().unwrap_or_else(|| "-".to_owned());
                table.row([file.name.clone(), version, size(file.bytes)]);
            }
            stdout::print(&format!("{table}\n"))
        }
    }
}

fn json(file: &Fetched) -> serde_json::Value {
    json!({
        "name": file.name,
        "version": file.version,
        "bytes": file.bytes,
        "fetched": !file.was_there,
    })
}

fn summary(new: usize, all: usize, bytes: u64) -> String {
    if new == 0 {
        format!("all {all} files were there")
    } else {
        format!("fetched {new} of {all} files, {}", size(bytes))
    }
}
