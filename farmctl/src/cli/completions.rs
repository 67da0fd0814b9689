//! `farmctl completions`: what a shell needs to complete farmctl's words, generated from the command's definition.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::{Cli, Exit, Failure, stdout};

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl completions bash > ~/.local/share/bash-completion/completions/farmctl\n  \
                        farmctl completions zsh > ~/.zfunc/_farmctl\n  \
                        farmctl completions fish > ~/.config/fish/completions/farmctl.fish"
)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn completions(args: &Completions) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "farmctl", &mut script);
    stdout::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
