//! `farmctl export`: the farm for people who run containers by other means.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::context::Context;
use super::images::{ImageArgs, Images, Machines, Pins};
use super::{Exit, Failure, stdout};
use crate::export::{self, Export, ExportedFile, Format, ImageNames};
use crate::farm::{Farm, Host, Registry};

/// Print the farm as files for compose, Swarm, Kubernetes, Quadlet or systemd; no engine is asked
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl export compose > compose.yaml\n  farmctl export compose --build .            compose \
                  builds the images, with the Dockerfile here\n  farmctl export kubernetes --registry registry.lan:5000/farmctl\n  \
                  farmctl export quadlet --into /etc/containers/systemd\n  farmctl export systemd --pinned --into \
                  /etc/systemd/system\n\nPosture, limits and health checks are those of `farmctl up`. What a manifest \
                  leaves to the machine is in each\nfile's first lines: memory is 6 GiB, ports are open at every address \
                  of the machine, and jobs are taken from\nwhom `allow` names.\n\nThe images are named \
                  farmctl/TARGET:latest, as the Dockerfile's are to be; with --pinned as `farmctl build` names\nthose that \
                  it loads. systemd's units run the containers through docker, Quadlet's through Podman."
)]
pub(super) struct ExportArgs {
    /// Who will run the containers
    #[arg(value_enum)]
    format: FormatName,
    /// Of a farm with several hosts, this one
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Name exactly the images that `farmctl build` makes from the lock
    #[arg(long, conflicts_with_all = ["registry", "build"])]
    pinned: bool,
    /// Name images in this registry [default: the one of a host that is a swarm]
    #[arg(long, value_name = "REGISTRY")]
    registry: Option<Registry>,
    /// Let compose build the images, with the Dockerfile in this folder
    #[arg(long, value_name = "FOLDER")]
    build: Option<String>,
    /// Write the files into this folder instead of printing them
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
    #[command(flatten)]
    images: ImageArgs,
}

/// The formats, as the command line spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatName {
    /// A compose file, for docker-compose 1.29 and Compose 2
    Compose,
    /// A stack file for `docker stack deploy`
    Swarm,
    /// Manifests for `kubectl apply`
    Kubernetes,
    /// Units for Podman's generator
    Quadlet,
    /// Units that run the containers through docker
    Systemd,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Compose => Self::Compose,
            FormatName::Swarm => Self::Swarm,
            FormatName::Kubernetes => Self::Kubernetes,
            FormatName::Quadlet => Self::Quadlet,
            FormatName::Systemd => Self::Systemd,
        }
    }
}

pub(super) async fn export(args: &ExportArgs, context: &Context) -> Result<Exit, Failure> {
    let farm = context.farm()?;
    let host = chosen_host(&farm, args.host.as_deref())?;
    let images = if args.pinned {
        let machines = Machines::default();
        let images = Images::resolve(&farm, &machines, Pins::Kept, &args.images, context).await?;
        images.save_lock()?;
        ImageNames::Pinned(images.tags(&host.name))
    } else {
        let of_swarm = host.swarm.as_ref().map(|swarm| &swarm.registry);
        ImageNames::Stable(args.registry.as_ref().or(of_swarm).cloned())
    };
    let files = export::export(
        args.format.into(),
        &Export {
            farm: &farm,
            host,
            images: &images,
            build: args.build.as_deref(),
            command: &args.line(),
        },
    )
    .map_err(|error| {
        let hint = error.hint();
        Failure::new(Exit::Usage, error, hint)
    })?;
    match &args.into {
        None => stdout::print(&printed(&files))?,
        Some(folder) => {
            write(folder, &files)?;
            for file in &files {
                let path = folder.join(&file.name);
                context
                    .report
                    .note(&format!("{} is written", path.display()));
            }
        }
    }
    Ok(Exit::Done)
}

impl ExportArgs {
    /// What to type for the same text.
    fn line(&self) -> String {
        let format = self.format.to_possible_value();
        let format = format.map_or_else(String::new, |value| value.get_name().to_owned());
        let mut line = format!("farmctl export {format}");
        for (option, value) in [
            ("--host", self.host.clone()),
            (
                "--registry",
                self.registry.as_ref().map(ToString::to_string),
            ),
            ("--build", self.build.clone()),
        ] {
            if let Some(value) = value {
                line.extend([" ", option, " ", &value]);
            }
        }
        if self.pinned {
            line.push_str(" --pinned");
        }
        line
    }
}

fn chosen_host<'a>(farm: &'a Farm, name: Option<&str>) -> Result<&'a Host, Failure> {
    let found = match (name, farm.hosts.as_slice()) {
        (None, [host]) => Some(host),
        (None, _) => None,
        (Some(name), hosts) => hosts.iter().find(|host| host.name.as_str() == name),
    };
    found.ok_or_else(|| {
        let names: Vec<_> = farm.hosts.iter().map(|host| host.name.as_str()).collect();
        let error = name.map_or_else(
            || anyhow::anyhow!("the farm has several hosts, and one is exported at a time"),
            |name| anyhow::anyhow!("this farm has no host named '{name}'"),
        );
        let hint = format!("name one with --host: {}", names.join(", "));
        Failure::new(Exit::Usage, error, Some(hint))
    })
}

/// One file as it is; several with the name of each before it.
fn printed(files: &[ExportedFile]) -> String {
    match files {
        [file] => file.text.clone(),
        files => {
            let texts: Vec<_> = files
                .iter()
                .map(|file| format!("# ----- {} -----\n{}", file.name, file.text))
                .collect();
            texts.join("\n")
        }
    }
}

fn write(folder: &Path, files: &[ExportedFile]) -> Result<(), Failure> {
    let written = || {
        fs::create_dir_all(folder)?;
        files
            .iter()
            .try_for_each(|file| fs::write(folder.join(&file.name), &file.text))
    };
    written().map_err(|error: io::Error| {
        let error =
            anyhow::Error::from(error).context(format!("cannot write into {}", folder.display()));
        Failure::new(Exit::Failed, error, None)
    })
}
