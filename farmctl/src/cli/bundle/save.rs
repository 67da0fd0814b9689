//! `farmctl bundle save`: everything that the farm needs, into one file.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::watch;
use crate::bundle::{self, Contents, NamedFile, Saved};
use crate::cli::context::Context;
use crate::cli::fleet::{Fleet, HostArgs};
use crate::cli::images::{ImageArgs, ImageOrigin, Images, Machines, Pins, TargetImage};
use crate::cli::programs::programs;
use crate::cli::size::size;
use crate::cli::{Exit, Failure, Output, stdout};
use crate::farm::{Architecture, ImageTag};
use crate::image::{Error, Image, Program, Programs, load_bytes};
use crate::manifest;
use crate::report::ByteReport;

/// Write the farm's images, its lock, its manifest and farmctl itself into one file
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl bundle save attic.bundle\n  farmctl bundle save attic.bundle armv7h aarch64\n  \
                  farmctl bundle save attic.bundle > attic.bundle.sha256     for sha256sum -c\n\nThe file is a tar archive. \
                  It carries a program: who takes it over trusts whoever gives it,\nand the SHA-256 says whether it is still the same."
)]
pub(super) struct Save {
    /// The file to write; a bundle that is there is replaced
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only the images of these targets
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// How the file's name and SHA-256 are printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    #[command(flatten)]
    images: ImageArgs,
}

pub(super) async fn save(args: &Save, context: &Context) -> Result<Exit, Failure> {
    let Fleet { farm, members } = Fleet::choose(&HostArgs::default(), &args.targets, context)?;
    let machines = Machines::default();
    let images = Images::resolve(&farm, &machines, Pins::Kept, &args.images, context).await?;
    images.save_lock()?;
    let tags = assembled(&images.shared_by(&members), context)?;
    let interrupt = context.interrupt();
    let packed = tokio::select! {
        () = interrupt.cancelled() => return Err(Failure::interrupted()),
        assembled = images.assemble(&tags) => assembled?,
    };
    let all = programs(&context.environment, &context.cache_path()?)?;
    let contents = Contents {
        farm: farm.name.as_str(),
        lock: images.lock().to_string(),
        manifest: context.manifest().map(read).transpose()?,
        toolchains: toolchains(context.manifest())?,
        programs: within(&packed, &all)?,
        images: &packed,
    };
    let bar = ByteReport::new(&context.report, "packing", load_bytes(&packed));
    let saved = tokio::task::block_in_place(|| {
        bundle::save(&args.file, contents, &watch(&bar, &interrupt))
    })?;
    bar.done();
    print(&packed, saved, args, context)?;
    Ok(Exit::Done)
}

/// The names of those images that can be packed; the others are warned about.
fn assembled(images: &[&TargetImage], context: &Context) -> Result<Vec<ImageTag>, Failure> {
    let (ours, others): (Vec<&TargetImage>, Vec<&TargetImage>) = images
        .iter()
        .partition(|image| image.origin == ImageOrigin::Assembled);
    for image in others {
        context.report.warning(&format!(
            "the image of {} is not assembled here and not in the bundle: {}",
            image.target, image.tag
        ));
    }
    if ours.is_empty() {
        let error = anyhow::anyhow!("there is no image to put into a bundle");
        return Err(Failure::new(Exit::Failed, error, None));
    }
    Ok(ours.iter().map(|image| image.tag.clone()).collect())
}

/// This machine's program, which can load the bundle, and those that other hosts' images hold.
fn within<'a>(
    images: &[Image],
    all: &'a Programs,
) -> Result<Vec<(Architecture, &'a Program)>, Failure> {
    let hosts: BTreeSet<_> = images.iter().map(|image| image.architecture).collect();
    let own = Architecture::own();
    let others = hosts.into_iter().filter(|host| *host != own);
    let all = std::iter::once(own)
        .chain(others)
        .map(|host| Ok((host, all.of(host)?)));
    Ok(all.collect::<Result<_, Error>>()?)
}

fn read(path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    text.map_err(|error| Failure::new(Exit::Failed, error, None))
}

/// The files beside the manifest that describe targets.
fn toolchains(manifest: Option<&Path>) -> Result<Vec<NamedFile>, Failure> {
    let Some(manifest) = manifest else {
        return Ok(Vec::new());
    };
    let folder = manifest.parent().unwrap_or(Path::new(""));
    let mut files = Vec::new();
    for path in manifest::companions(manifest)? {
        let beneath = path.strip_prefix(folder).unwrap_or(&path);
        let name = beneath.display().to_string();
        if !bundle::is_description(&name) {
            let error = anyhow::anyhow!(
                "{} is not below the manifest's folder, and cannot be beside it elsewhere",
                path.display()
            );
            let hint = "copy that folder beside the manifest and name the copy as `toolchains:`";
            return Err(Failure::new(Exit::Failed, error, Some(hint.to_owned())));
        }
        files.push(NamedFile {
            path: name,
            text: read(&path)?,
        });
    }
    Ok(files)
}

/// The text is what sha256sum would print.
fn print(images: &[Image], saved: Saved, args: &Save, context: &Context) -> Result<(), Failure> {
    let file = args.file.display();
    let count = images.len();
    let plural = if count == 1 { "" } else { "s" };
    context.report.note(&format!(
        "{file} holds {count} image{plural}, {}; on the other machine: tar xf {file} farmctl && \
         ./farmctl bundle load {file} && ./farmctl up",
        size(saved.bytes)
    ));
    match args.output {
        Output::Text => stdout::print(&format!("{}  {file}\n", saved.sha256)),
        Output::Json => stdout::print_json(&json!({
            "version": 1,
            "file": args.file,
            "bytes": saved.bytes,
            "sha256": saved.sha256,
            "images": images
                .iter()
                .map(|image| json!({ "target": image.target, "image": image.reference }))
                .collect::<Vec<_>>(),
        })),
    }
}
