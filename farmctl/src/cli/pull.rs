//! `farmctl pull`: everything that has to come over the network, and nothing built.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::fleet::{Fleet, HostArgs, Hosts, Member};
use super::images::{ImageArgs, ImageOrigin, Images, Machines, Pins};
use super::size::size;
use super::{Exit, Failure, Output, stdout};
use crate::engine::Engine;
use crate::farm::ImageTag;
use crate::image::Fetched;
use crate::report::Table;

/// Download every package, archive and image that the farm needs, and build nothing
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl pull                then `farmctl up` works without a network\n  farmctl pull armv7h\n\n\
                        Images of a registry are pulled with the credentials that `docker login` left."
)]
pub(super) struct Pull {
    /// Only for these targets
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    hosts: HostArgs,
    /// How the table is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    #[command(flatten)]
    images: ImageArgs,
}

pub(super) async fn pull(args: &Pull, context: &Context) -> Result<Exit, Failure> {
    let fleet = Fleet::choose(&args.hosts, &args.targets, context)?;
    let machines = Machines::default();
    let images = Images::resolve(&fleet.farm, &machines, Pins::Kept, &args.images, context).await?;
    images.save_lock()?;
    let interrupt = context.interrupt();
    let work = async {
        let wanted = fleet.members.iter().flat_map(|member| images.of(member));
        let fetched = images.fetch(&wanted.collect::<Vec<_>>()).await?;
        let pulled = Hosts::of(&fleet.members)
            .each(async |member, ()| pull_images(member, &images, context).await);
        Ok((fetched, pulled.await.go_on(context)?))
    };
    let (fetched, pulled) = tokio::select! {
        () = interrupt.cancelled() => Err(Failure::interrupted()),
        fetched = work => fetched,
    }?;
    print(&fetched, &pulled, args.output, context)?;
    pulled.end(Exit::Done)
}

/// An engine from which nothing is wanted is not asked.
async fn pull_images(
    member: &Member,
    images: &Images,
    context: &Context,
) -> Result<Vec<ImageTag>, Failure> {
    let images = images.of(member).into_iter();
    let of_registry = images.filter(|image| image.origin == ImageOrigin::Registry);
    let tags: Vec<_> = of_registry.map(|image| image.tag.clone()).collect();
    if tags.is_empty() {
        return Ok(tags);
    }
    let engine = context.engine(&member.host).await?;
    for tag in &tags {
        engine.pull_image(tag).await?;
        let label = &member.label;
        context.report.note(&format!("  pulled {label}image {tag}"));
    }
    Ok(tags)
}

fn print(
    fetched: &[Fetched],
    pulled: &Hosts<Vec<ImageTag>>,
    output: Output,
    context: &Context,
) -> Result<(), Failure> {
    match output {
        Output::Json => {
            let files: Vec<_> = fetched.iter().map(json).collect();
            let tags = pulled.present.iter().flat_map(|(_, tags)| tags);
            let images: BTreeSet<_> = tags.map(ImageTag::as_str).collect();
            let pulled: Vec<_> = pulled.present.iter().flat_map(pulled_json).collect();
            stdout::print_json(
                &json!({ "version": 1, "files": files, "images": images, "pulled": pulled }),
            )
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

fn pulled_json((member, tags): &(Member, Vec<ImageTag>)) -> Vec<serde_json::Value> {
    let host = member.host.name.as_str();
    let pulled = |tag: &ImageTag| json!({ "host": host, "image": tag.as_str() });
    tags.iter().map(pulled).collect()
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
