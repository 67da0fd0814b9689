//! `farmctl schema`: every key of a manifest, for editors and for people.

use clap::{Args, ValueEnum};

use super::{Exit, Failure, Output, stdout};
use crate::manifest::{self, Document};

/// Print the JSON Schema of farm.yaml, for editors; as text, the reference of every key
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl schema > farm.schema.json          then write into farm.yaml, as its first line:\n  \
                  # yaml-language-server: $schema=farm.schema.json\n  farmctl schema --output text               every \
                  key, for people\n  farmctl schema toolchain                   the same for a file in toolchains/"
)]
pub(super) struct Schema {
    /// What is described
    #[arg(value_enum, default_value = "manifest")]
    of: Of,
    /// How it is described
    #[arg(long, value_enum, default_value = "json")]
    output: Output,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Of {
    /// farm.yaml
    Manifest,
    /// A file that describes a target
    Toolchain,
}

pub(super) fn schema(args: &Schema) -> Result<Exit, Failure> {
    let document = match args.of {
        Of::Manifest => Document::Manifest,
        Of::Toolchain => Document::TargetFile,
    };
    match args.output {
        Output::Json => stdout::print_json(&manifest::schema(document))?,
        Output::Text => stdout::print(&manifest::reference(document))?,
    }
    Ok(Exit::Done)
}
