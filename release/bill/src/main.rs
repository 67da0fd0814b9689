//! What a released program is made of: `release-bill sbom|licences PACKAGE TRIPLE [TIME]`, in the workspace.
//!
//! `sbom` prints a bill of materials (`CycloneDX` 1.6) of the crates that are linked into a package's programs for a
//! triple; `TIME` (RFC 3339) is when it was made. `licences` prints the texts that come with those crates, each once.

mod crates;
mod licences;

use std::io::Write as _;

use anyhow::{Context, Result, bail};
use farmctl::sbom::{Bill, Component, Kind, cargo_url};

use crates::{Crate, Graph};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let text = match words.as_slice() {
        ["sbom", package, triple] => sbom(&Graph::read(package, triple)?, None)?,
        ["sbom", package, triple, time] => sbom(&Graph::read(package, triple)?, Some(time))?,
        ["licences", package, triple] => licences::text(&Graph::read(package, triple)?)?,
        _ => bail!("usage: release-bill sbom|licences PACKAGE TRIPLE [TIME]"),
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to stdout")
}

fn sbom(graph: &Graph, time: Option<&str>) -> Result<String> {
    let mut bill = Bill::new(Component {
        kind: Kind::Application,
        ..component(&graph.root)
    });
    for one in &graph.crates {
        if *one != graph.root {
            bill.part(component(one));
        }
    }
    for (who, what) in &graph.needs {
        bill.needs(&url(who), &url(what));
    }
    let mut text = serde_json::to_string_pretty(&bill.document(time))?;
    text.push('\n');
    Ok(text)
}

fn component(one: &Crate) -> Component {
    Component {
        kind: Kind::Library,
        reference: url(one),
        name: one.name.clone(),
        version: Some(one.version.clone()),
        sha256: one.checksum.clone(),
        licence: one.licence.clone(),
        package_url: Some(url(one)),
    }
}

fn url(one: &Crate) -> String {
    cargo_url(&one.name, &one.version)
}
