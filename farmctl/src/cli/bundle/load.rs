//! `farmctl bundle load`: a farm out of its bundle, onto this machine and its engine.
//!
//! Everything is verified before anything is changed: first the whole file against its index, then the images against
//! the lock and the manifest that came with them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use futures_util::TryStreamExt as _;
use serde_json::json;

use super::names::{check_names, names};
use super::place::{self, Existing, PlacedFile};
use super::watch;
use crate::bundle::{Bundle, LOCK, PROGRAM, ProgramEntry};
use crate::cli::context::Context;
use crate::cli::fleet::{Fleet, Hosts, Member, Snapshot};
use crate::cli::image_rows::{self, ImageRow};
use crate::cli::programs::programs;
use crate::cli::{Exit, Failure, Output, stdout};
use crate::converge::Interrupt;
use crate::engine::Engine;
use crate::farm::ImageTag;
use crate::image::{Error, Image, KnownLock, KnownLocks, Lock, load_bytes, load_stream};
use crate::report::ByteReport;

/// Verify a bundle, load its images into the engine and write its lock and manifest; `up` needs no network then
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl bundle load attic.bundle && farmctl up\n  \
                  farmctl bundle load attic.bundle --install /usr/local/bin/farmctl\n  \
                  farmctl bundle load attic.bundle --replace     a newer bundle of the same farm\n\nImages are named by the \
                  farmctl that is inside of them, so that `up` finds them only if it is\nthe same one: run the one that is \
                  in the bundle, or --install it."
)]
pub(super) struct Load {
    /// The bundle
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Also write the bundle's farmctl to this file, or into this folder
    #[arg(long, value_name = "PATH")]
    install: Option<PathBuf>,
    /// Replace a manifest, target files and a lock that are different here
    #[arg(long)]
    replace: bool,
    /// Replace the lock only, and keep a manifest and target files that are different here
    #[arg(long, conflicts_with = "replace")]
    keep_manifest: bool,
    /// How the table is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

impl Load {
    fn existing(&self) -> Existing {
        match (self.replace, self.keep_manifest) {
            (true, _) => Existing::Replaced,
            (_, true) => Existing::Kept,
            _ => Existing::Refused,
        }
    }
}

pub(super) async fn load(args: &Load, context: &Context) -> Result<Exit, Failure> {
    let interrupt = context.interrupt();
    let bundle = Bundle::open(&args.file)?;
    check_program(&bundle, args, context)?;
    tokio::task::block_in_place(|| verify(&bundle, &interrupt, context))?;
    let images = bundle.images()?;
    let described = check_names(&bundle)?;
    let files = place::place(&bundle, args.existing(), context)?;
    let keeps = args.keep_manifest && context.manifest().is_some_and(Path::exists);
    // What is kept may need files that only the bundle brings.
    let farm = if keeps {
        context.farm().unwrap_or(described)
    } else {
        described
    };

    let fleet = Fleet::whole(farm);
    let loaded = load_images(&images, &fleet, &interrupt, context).await?;
    files.iter().try_for_each(PlacedFile::write)?;
    if let Some(path) = &args.install {
        install(&bundle, path, context)?;
    }
    remember(&bundle, &files, context);
    warn_of_others(&bundle, context);
    let rows: Vec<_> = loaded.present.iter().flat_map(|(_, rows)| rows).collect();
    print(&rows, &files, &fleet, args, context)?;
    loaded.end(Exit::Done)
}

fn verify(bundle: &Bundle, interrupt: &Interrupt, context: &Context) -> Result<(), Failure> {
    let bar = ByteReport::new(&context.report, "verifying", bundle.index.bytes());
    bundle.verify(&watch(&bar, interrupt))?;
    bar.done();
    Ok(())
}

/// Another farmctl would look for images of other names.
fn check_program(bundle: &Bundle, args: &Load, context: &Context) -> Result<(), Failure> {
    if args.install.is_some() {
        return Ok(());
    }
    let own = programs(&context.environment, &context.cache_path()?)?;
    let is_here = |program: &ProgramEntry| {
        let own = program.host.parse().ok().and_then(|host| own.of(host).ok());
        own.is_some_and(|own| *own.digest() == program.file.sha256)
    };
    if bundle.index.programs.iter().all(is_here) {
        return Ok(());
    }
    let error = anyhow::anyhow!(
        "the bundle's images hold another farmctl than this one, so that `farmctl up` would not find them"
    );
    let file = args.file.display();
    let programs = bundle.index.programs.iter();
    let programs: Vec<_> = programs.map(|program| program.file.path.as_str()).collect();
    let hint = format!(
        "run what is in the bundle: tar xf {file} {} && ./farmctl bundle load {file}; or install it by --install PATH",
        programs.join(" ")
    );
    Err(Failure::new(Exit::Failed, error, Some(hint)))
}

/// Loads into every engine what it lacks of the images for hosts of its kind.
async fn load_images(
    images: &[Image],
    fleet: &Fleet,
    interrupt: &Interrupt,
    context: &Context,
) -> Result<Hosts<Vec<ImageRow>>, Failure> {
    let snapshots = fleet.snapshot(context).await?;
    let loaded = snapshots.each(async |member, snapshot| {
        tokio::select! {
            () = interrupt.cancelled() => Err(Failure::interrupted()),
            loaded = load_into(member, &snapshot, images, context) => loaded,
        }
    });
    loaded.await.go_on(context)
}

async fn load_into(
    member: &Member,
    snapshot: &Snapshot,
    images: &[Image],
    context: &Context,
) -> Result<Vec<ImageRow>, Failure> {
    let is_wanted = |image: &&Image| {
        let mut volunteers = member.host.volunteers.iter();
        image.architecture == snapshot.facts.architecture
            && volunteers.any(|one| one.target.name.as_str() == image.target)
    };
    let is_there = |image: &Image| {
        let tag = ImageTag::new(image.reference.clone());
        let tagged = snapshot.observed.images.get(&tag);
        tagged.is_some_and(|tagged| tagged.made_as.as_ref() == Some(&tag))
    };
    let wanted: Vec<_> = images.iter().filter(is_wanted).collect();
    let missing = wanted.iter().filter(|image| !is_there(image));
    let missing: Vec<Image> = missing.map(|image| (*image).clone()).collect();
    if !missing.is_empty() {
        let what = format!("{}loading", member.label);
        let bar = ByteReport::new(&context.report, &what, load_bytes(&missing));
        let bar = Arc::new(bar);
        let sent = Arc::clone(&bar);
        let archive = load_stream(&missing);
        let archive = archive.inspect_ok(move |chunk| sent.advance(chunk.len() as u64));
        snapshot.engine.load_images(Box::pin(archive)).await?;
        bar.done();
    }
    let row = |image: &&Image| ImageRow {
        host: member.host.name.to_string(),
        target: image.target.clone(),
        image: image.reference.clone(),
        outcome: if is_there(image) { "present" } else { "loaded" },
    };
    Ok(wanted.iter().map(row).collect())
}

/// The other programs go beside the first, where it looks for them.
fn install(bundle: &Bundle, path: &Path, context: &Context) -> Result<(), Failure> {
    let path = if path.is_dir() {
        path.join(PROGRAM)
    } else {
        path.to_owned()
    };
    for (program, mut content) in bundle.programs() {
        let path = match program.file.path.as_str() {
            PROGRAM => path.clone(),
            other => path.with_file_name(other),
        };
        place::write(&path, 0o777, |file| io::copy(&mut content, file).map(drop))?;
        context
            .report
            .note(&format!("installed {}", path.display()));
    }
    Ok(())
}

/// So that `prune` knows the images before the first `up`.
fn remember(bundle: &Bundle, files: &[PlacedFile], context: &Context) {
    let images = bundle.index.images.iter();
    let images = images.map(|image| image.reference.clone()).collect();
    let lock = files.iter().find(|file| file.path.ends_with(LOCK));
    let (Some(lock), Ok(cache)) = (lock, context.cache_path()) else {
        return;
    };
    let Ok(lock) = std::path::absolute(&lock.path) else {
        return;
    };
    let known = KnownLock::new(&bundle.index.farm, lock, images, BTreeSet::new());
    if let Err(error) = KnownLocks::new(&cache).remember(&known) {
        tracing::debug!(%error, "the use of the lock is not noted");
    }
}

/// What is described here may need more than the bundle holds: all of it is told, nothing of it is wrong.
fn warn_of_others(bundle: &Bundle, context: &Context) {
    let wanted = || -> Result<BTreeSet<String>, Failure> {
        let farm = context.farm()?;
        let text = fs::read_to_string(context.lock_path()?);
        let text = text.map_err(|error| Failure::new(Exit::Failed, error, None))?;
        let lock: Lock = text.parse().map_err(Error::from)?;
        names(&farm, &lock, bundle)
    };
    let images = bundle.index.images.iter();
    let brought: BTreeSet<_> = images.map(|image| image.reference.clone()).collect();
    match wanted() {
        Ok(wanted) => {
            for image in wanted.difference(&brought) {
                context.report.warning(&format!(
                    "the farm here needs an image that is not in the bundle: {image}"
                ));
            }
        }
        Err(failure) => context.report.warning(&format!(
            "the farm that is described here needs other images: {}",
            failure.on_one_line()
        )),
    }
}

fn print(
    rows: &[&ImageRow],
    files: &[PlacedFile],
    fleet: &Fleet,
    args: &Load,
    context: &Context,
) -> Result<(), Failure> {
    for file in files {
        let outcome = format!("{:?}", file.outcome).to_lowercase();
        context
            .report
            .note(&format!("{outcome:>8} {}", file.path.display()));
    }
    match args.output {
        Output::Json => stdout::print_json(&json!({
            "version": 1,
            "farm": fleet.farm.name.as_str(),
            "images": rows,
            "files": files,
        })),
        Output::Text => image_rows::print_table(rows, fleet),
    }
}
