//! `farmctl prune`: what nobody needs any more, on the engine and in the cache.
//!
//! What is needed: images that a container was made from, and everything that a lock names which was used on this
//! machine. While somebody else is at work with the cache nothing is removed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::fleet::{Fleet, HostArgs, Hosts, Label, Member};
use super::images::{ImageArgs, Images, Machines, Pins, wanted_requests};
use super::lock_file::LockFile;
use super::size::size;
use super::{Exit, Failure, Output, stdout};
use crate::converge::{UnusedImage, unused_images};
use crate::engine::Engine;
use crate::farm::Grace;
use crate::image::{
    self, CacheFile, CacheFileKind, Error, KnownLock, KnownLocks, Lease, Lock, Needed,
};
use crate::report::Table;

/// Remove images and files of the cache that no farm of this machine uses
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl prune --dry-run\n  farmctl prune --older-than 24h\n\nA farm is known once its lock was \
                        used here. Images of a farm that is described on\nanother machine stay as long as a container is \
                        made from them. The size of an image\ncounts layers that others have as well."
)]
pub(super) struct Prune {
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Leave files alone that were touched within this time, such as 30m
    #[arg(long, value_name = "TIME", default_value = "1h")]
    older_than: Grace,
    /// How the table is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    #[command(flatten)]
    hosts: HostArgs,
    #[command(flatten)]
    images: ImageArgs,
}

pub(super) async fn prune(args: &Prune, context: &Context) -> Result<Exit, Failure> {
    let cache = context.cache_path()?;
    let own = own(args, context).await?;
    let _alone = if args.dry_run {
        None
    } else {
        Some(alone(&cache)?)
    };
    let mut known = KnownLocks::new(&cache).all().map_err(Error::from)?;
    known.extend(own);
    let named: BTreeSet<_> = known.iter().flat_map(|known| &known.images).collect();
    let named = |tag: &str| named.contains(&tag.to_owned());
    let unused = Fleet::of(&args.hosts, context)?
        .ask(context, async |_member, engine| {
            let images = unused_images(&engine.assembled_images().await?, named);
            Ok((engine, images))
        })
        .await?;
    let needed = needed(&known, args, context);
    let files = image::unused(&cache, &needed, SystemTime::now()).map_err(Error::from)?;
    if !args.dry_run {
        image::remove(&files).map_err(Error::from)?;
    }
    let removed = unused
        .each(async |member, (engine, images)| {
            if args.dry_run {
                return Ok(images);
            }
            remove_images(images, &engine, &member.label, context).await
        })
        .await
        .go_on(context)?;
    print(&removed, &files, args, context)?;
    removed.end(Exit::Done)
}

fn alone(cache: &Path) -> Result<Lease, Failure> {
    let lease = Lease::exclusive(cache).map_err(Error::from)?;
    lease.map_err(|busy| Failure::new(Exit::Failed, busy, Some(busy.hint())))
}

/// The current farm's lock as its manifest means it now, if that needs no network to be known.
async fn own(args: &Prune, context: &Context) -> Result<Option<KnownLock>, Failure> {
    let farm = context.farm()?;
    let Some(lock) = LockFile::read(context.lock_path()?)?.lock()? else {
        return Ok(None);
    };
    let machines = Machines::default();
    if !lock.covers(&wanted_requests(&farm, &machines, Some(&lock))?) {
        return Ok(None);
    }
    let images = Images::resolve(&farm, &machines, Pins::Kept, &args.images, context).await?;
    Ok(Some(images.known_lock()?))
}

fn needed(known: &[KnownLock], args: &Prune, context: &Context) -> Needed {
    let mut downloads = Some(BTreeSet::new());
    let locks: BTreeSet<&Path> = known.iter().map(|known| known.lock.as_path()).collect();
    for path in locks {
        match read(path) {
            Ok(lock) => downloads
                .iter_mut()
                .for_each(|all| all.extend(lock.downloads())),
            Err(reason) => {
                downloads = None;
                context.report.warning(&format!(
                    "no download is removed, because the lock {} cannot be read: {reason}",
                    path.display()
                ));
            }
        }
    }
    Needed {
        downloads,
        layers: known
            .iter()
            .flat_map(|known| &known.layers)
            .copied()
            .collect(),
        younger_than: args.older_than.duration(),
    }
}

fn read(path: &Path) -> Result<Lock, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    text.parse()
        .map_err(|error: image::LockError| error.to_string())
}

/// Those that went. The engine keeps one that a container was made from meanwhile.
async fn remove_images<E: Engine>(
    images: Vec<UnusedImage>,
    engine: &E,
    label: &Label,
    context: &Context,
) -> Result<Vec<UnusedImage>, Failure> {
    let mut removed = Vec::new();
    for image in images {
        match engine.remove_image(&image.name).await {
            Ok(()) => removed.push(image),
            Err(error) if error.is_unreachable() => return Err(error.into()),
            Err(error) => context
                .report
                .warning(&format!("{label}image stays: {error}")),
        }
    }
    Ok(removed)
}

fn print(
    images: &Hosts<Vec<UnusedImage>>,
    files: &[CacheFile],
    args: &Prune,
    context: &Context,
) -> Result<(), Failure> {
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    match args.output {
        Output::Json => stdout::print_json(&json!({
            "version": 1,
            "dry_run": args.dry_run,
            "images": images.present.iter().flat_map(images_json).collect::<Vec<_>>(),
            "files": files.iter().map(file_json).collect::<Vec<_>>(),
            "file_bytes": bytes,
        })),
        Output::Text => {
            let number = images.present.iter().map(|(_, images)| images.len()).sum();
            if number == 0 && files.is_empty() {
                context.report.note("nothing to remove");
                return Ok(());
            }
            let verb = if args.dry_run {
                "would remove"
            } else {
                "removed"
            };
            context.report.note(&format!(
                "{verb} {} and {}, {}",
                count(number, "image"),
                count(files.len(), "file"),
                size(bytes)
            ));
            stdout::print(&format!("{}\n", table(images, files)))
        }
    }
}

fn images_json((member, images): &(Member, Vec<UnusedImage>)) -> Vec<serde_json::Value> {
    let host = member.host.name.as_str();
    let image =
        |image: &UnusedImage| json!({ "host": host, "image": image.name, "bytes": image.bytes });
    images.iter().map(image).collect()
}

fn file_json(file: &CacheFile) -> serde_json::Value {
    json!({ "path": file.path, "kind": file.kind.as_str(), "bytes": file.bytes })
}

/// A line for each image, and one for each kind of files.
fn table(images: &Hosts<Vec<UnusedImage>>, files: &[CacheFile]) -> Table {
    let mut table = Table::new(["WHAT", "FILES", "SIZE"]);
    for (member, images) in &images.present {
        for image in images {
            let what = format!("{}{}", member.label, image.name);
            table.row([what, "-".to_owned(), size(image.bytes)]);
        }
    }
    let kinds: BTreeSet<CacheFileKind> = files.iter().map(|file| file.kind).collect();
    for kind in kinds {
        let of_kind: Vec<_> = files.iter().filter(|file| file.kind == kind).collect();
        let bytes = of_kind.iter().map(|file| file.bytes).sum();
        let (name, count) = (format!("{}s", kind.as_str()), of_kind.len().to_string());
        table.row([name, count, size(bytes)]);
    }
    table
}

fn count(number: usize, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}
