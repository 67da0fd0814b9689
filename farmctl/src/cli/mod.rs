//! What the user types: one file for each verb.

mod apply;
mod build;
mod bundle;
mod completions;
mod confirm;
mod context;
mod doctor;
mod down;
mod drain;
mod environment;
mod exit;
mod export;
mod fleet;
mod hosts;
mod image_files;
mod image_request;
mod image_rows;
mod images;
mod init;
mod lock_file;
mod logs;
mod man;
mod plan;
mod prepare;
mod programs;
mod prune;
mod pull;
mod restart;
mod safe_publish;
mod sbom;
mod schema;
mod size;
mod status;
mod stdout;
mod swarm;
mod targets;
mod undrain;
mod up;
mod update;
mod validate;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::report::Style;
use context::Context;
use environment::Environment;
pub use exit::{Exit, Failure};

/// A volunteer farm for distcc: one container for each architecture to compile for
#[derive(Debug, Parser)]
#[command(name = "farmctl", version, after_help = explanations(), arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  farmctl up                                  stand the farm up on this machine
  farmctl status                              what runs, and whether it is fit for work
  farmctl hosts >> /etc/makepkg.conf          tell a board about it
  farmctl init                                write a farm.yaml to change things in
  farmctl doctor                              what is wrong, and what helps
  farmctl down                                remove every container and network of the farm";

/// What stands below the list of commands.
fn explanations() -> String {
    format!(
        "{EXAMPLES}\n\nEnvironment:\n{}\n\nExit codes:\n{}",
        environment::described(),
        Exit::described().trim_end()
    )
}

#[derive(Debug, Args)]
struct Globals {
    /// The manifest; without one, all targets on this machine [default: farm.yaml, if there is one]
    #[arg(short = 'f', long, global = true, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Say nothing but warnings and errors
    #[arg(short, long, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Up(up::Up),
    Plan(plan::PlanArgs),
    Down(down::Down),
    Status(status::Status),
    Restart(restart::Restart),
    Drain(drain::Drain),
    Undrain(undrain::Undrain),
    Hosts(hosts::Hosts),
    Update(update::Update),
    Pull(pull::Pull),
    Build(build::Build),
    Prune(prune::Prune),
    Bundle(bundle::Bundle),
    Sbom(sbom::Sbom),
    Logs(logs::Logs),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
    Man(man::ManArgs),
    Export(export::ExportArgs),
    Init(init::Init),
    Validate(validate::Validate),
    Schema(schema::Schema),
}

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Runs farmctl on its arguments, the program's own name first.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match Cli::try_parse_from(arguments) {
        Ok(cli) => run_verb(cli).into(),
        Err(usage) => {
            // Clap writes help to stdout and mistakes to stderr; where neither is open there is nobody to tell.
            let _printed = usage.print();
            if usage.use_stderr() {
                Exit::Usage.into()
            } else {
                Exit::Done.into()
            }
        }
    }
}

fn run_verb(cli: Cli) -> Exit {
    let environment = Environment::read();
    let context = Context::new(cli.globals.manifest, style(cli.globals.quiet), environment);
    let result = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => {
            let result = runtime.block_on(async {
                tokio::select! {
                    result = dispatch(&cli.verb, &context) => result,
                    () = context.abandoned() => Ok(Exit::Interrupted),
                }
            });
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(Failure::new(Exit::Failed, error, None)),
    };
    result.unwrap_or_else(|failure| failure.print(&context.report))
}

async fn dispatch(verb: &Verb, context: &Context) -> Result<Exit, Failure> {
    match verb {
        Verb::Up(args) => Box::pin(up::up(args, context)).await,
        Verb::Plan(args) => Box::pin(plan::plan(args, context)).await,
        Verb::Down(args) => Box::pin(down::down(args, context)).await,
        Verb::Restart(args) => Box::pin(restart::restart(args, context)).await,
        Verb::Drain(args) => Box::pin(drain::drain(args, context)).await,
        Verb::Undrain(args) => Box::pin(undrain::undrain(args, context)).await,
        Verb::Status(args) => status::status(args, context).await,
        Verb::Hosts(args) => hosts::hosts(args, context).await,
        Verb::Export(args) => Box::pin(export::export(args, context)).await,
        Verb::Init(args) => init::init(args, context),
        Verb::Validate(args) => validate::validate(args, context),
        Verb::Schema(args) => schema::schema(args),
        Verb::Update(args) => Box::pin(update::update(args, context)).await,
        Verb::Pull(args) => Box::pin(pull::pull(args, context)).await,
        Verb::Build(args) => Box::pin(build::build(args, context)).await,
        Verb::Prune(args) => Box::pin(prune::prune(args, context)).await,
        Verb::Bundle(args) => bundle::bundle(args, context).await,
        Verb::Sbom(args) => Box::pin(sbom::sbom(args, context)).await,
        Verb::Logs(args) => Box::pin(logs::logs(args, context)).await,
        Verb::Doctor(args) => Box::pin(doctor::doctor(args, context)).await,
        Verb::Completions(args) => completions::completions(args),
        Verb::Man(args) => man::man(args, context),
    }
}

fn style(quiet: bool) -> Style {
    if quiet {
        Style::Quiet
    } else if std::io::stderr().is_terminal() {
        Style::Terminal
    } else {
        Style::Plain
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::builder::PossibleValue;

    use super::*;

    #[test]
    fn the_command_tree_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        for verb in Cli::command().get_subcommands() {
            let after = verb.get_after_help().map(ToString::to_string);
            let after = after.unwrap_or_default();
            let call = format!("farmctl {}", verb.get_name());
            assert!(
                after.contains("Example") && after.contains(&call),
                "{}: {after}",
                verb.get_name()
            );
        }
    }

    #[test]
    fn output_is_text_or_json_everywhere() {
        for verb in Cli::command().get_subcommands() {
            for argument in verb
                .get_arguments()
                .filter(|argument| argument.get_id() == "output")
            {
                let values = argument.get_possible_values();
                let values: Vec<_> = values.iter().map(PossibleValue::get_name).collect();
                assert_eq!(values, ["text", "json"], "{}", verb.get_name());
                assert_eq!(argument.get_long(), Some("output"));
            }
        }
    }
}
