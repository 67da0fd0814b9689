//! `farmctl sbom`: what the farm's images are made of, for tools that look after such things.

use clap::Args;

use super::context::Context;
use super::fleet::{Fleet, HostArgs};
use super::images::{ImageArgs, Images, Machines, Pins};
use super::programs::programs;
use super::{Exit, Failure, stdout};
use crate::farm::Architecture;
use crate::image::{ArchiveSource, LockedPackage, Program};
use crate::sbom::{Bill, Component, Kind, debian_url};

/// Print a bill of materials of the farm's images, as farm.lock pins them
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl sbom > attic.cdx.json\n  farmctl sbom armv7h | jq -r '.components[].purl'\n\nEvery \
                  package is in it with its version and SHA-256, every toolchain archive, and farmctl\nitself, which the \
                  images hold. The same lock gives the same document (CycloneDX 1.6, JSON)."
)]
pub(super) struct Sbom {
    /// Only the images of these targets
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    images: ImageArgs,
}

pub(super) async fn sbom(args: &Sbom, context: &Context) -> Result<Exit, Failure> {
    let Fleet { farm, members } = Fleet::choose(&HostArgs::default(), &args.targets, context)?;
    let machines = Machines::default();
    let images = Images::resolve(&farm, &machines, Pins::Kept, &args.images, context).await?;
    images.save_lock()?;
    let programs = programs(&context.environment, &context.cache_path()?)?;
    let whole = whole(farm.name.as_str());
    let whole_reference = whole.reference.clone();
    let mut bill = Bill::new(whole);
    for made in images.made_of(&images.shared_by(&members))? {
        let image = image(made.tag.as_str());
        bill.needs(&whole_reference, &image.reference);
        let program = program(programs.of(made.host)?, made.host);
        bill.needs(&image.reference, &program.reference);
        bill.part(program);
        let packages = made.packages.into_iter().map(package);
        let archives = made.archives.iter().map(archive);
        for part in packages.chain(archives) {
            bill.needs(&image.reference, &part.reference);
            bill.part(part);
        }
        bill.part(image);
    }
    stdout::print_json(&bill.document(None))?;
    Ok(Exit::Done)
}

fn whole(farm: &str) -> Component {
    Component {
        kind: Kind::Platform,
        reference: format!("farm:{farm}"),
        name: farm.to_owned(),
        version: None,
        sha256: None,
        licence: None,
        package_url: None,
    }
}

fn program(program: &Program, host: Architecture) -> Component {
    Component {
        kind: Kind::Application,
        reference: format!("farmctl:{host}"),
        name: "farmctl".to_owned(),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        sha256: Some(program.digest().to_string()),
        licence: Some(env!("CARGO_PKG_LICENSE").to_owned()),
        package_url: None,
    }
}

fn image(tag: &str) -> Component {
    let (name, version) = tag.rsplit_once(':').unwrap_or((tag, ""));
    Component {
        kind: Kind::Container,
        reference: format!("image:{tag}"),
        name: name.to_owned(),
        version: Some(version.to_owned()),
        sha256: None,
        licence: None,
        package_url: None,
    }
}

fn package(package: LockedPackage) -> Component {
    let url = debian_url(&package.name, &package.version, &package.architecture);
    Component {
        kind: Kind::Library,
        reference: url.clone(),
        name: package.name,
        version: Some(package.version),
        sha256: Some(package.sha256.to_string()),
        licence: None,
        package_url: Some(url),
    }
}

fn archive(archive: &ArchiveSource) -> Component {
    let sha256 = archive.sha256().to_string();
    Component {
        kind: Kind::File,
        reference: format!("sha256:{sha256}"),
        name: archive.name().to_owned(),
        version: None,
        sha256: Some(sha256),
        licence: None,
        package_url: None,
    }
}
