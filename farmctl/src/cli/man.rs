//! `farmctl man`: manual pages, generated from the command's definition.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use super::context::Context;
use super::{Cli, Exit, Failure, stdout};

/// Print the manual page, or write one for farmctl and one for each command into a folder
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl man | man -l -\n  farmctl man ~/.local/share/man/man1     then: man farmctl-up"
)]
pub(super) struct ManArgs {
    /// Where to write the pages; made if it does not exist
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// A manual page: its file name, and its text in the language of man(7).
struct Page {
    file: String,
    text: Vec<u8>,
}

pub(super) fn man(args: &ManArgs, context: &Context) -> Result<Exit, Failure> {
    let pages = pages().map_err(|error| Failure::new(Exit::Failed, error, None))?;
    match &args.folder {
        None => {
            let main = pages.first().map(|page| page.text.as_slice());
            stdout::print(&String::from_utf8_lossy(main.unwrap_or_default()))?;
        }
        Some(folder) => {
            write(&pages, folder).map_err(|error| unusable(folder, error))?;
            let (count, folder) = (pages.len(), folder.display());
            context
                .report
                .note(&format!("{count} pages are in {folder}"));
        }
    }
    Ok(Exit::Done)
}

/// The page of farmctl itself, then those of its commands.
fn pages() -> io::Result<Vec<Page>> {
    let mut cli = Cli::command().disable_help_subcommand(true);
    cli.build();
    // Building has named them for display: farmctl-up and so on.
    let mut commands = vec![&cli];
    let mut all = Vec::new();
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands());
        all.push(command.clone());
    }
    all.into_iter().map(page).collect()
}

fn page(command: clap::Command) -> io::Result<Page> {
    let man = Man::new(command);
    let mut text = Vec::new();
    man.render(&mut text)?;
    Ok(Page {
        file: man.get_filename(),
        text,
    })
}

fn write(pages: &[Page], folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    pages
        .iter()
        .try_for_each(|page| fs::write(folder.join(&page.file), &page.text))
}

fn unusable(folder: &Path, error: io::Error) -> Failure {
    let doing = format!("cannot write manual pages into {}", folder.display());
    Failure::new(
        Exit::Failed,
        anyhow::Error::from(error).context(doing),
        None,
    )
}
