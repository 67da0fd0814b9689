//! The licences of a program's crates, in the words that come with them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use crate::crates::{Crate, Graph};

/// How names of such files begin.
const NAMES: [&str; 6] = [
    "LICENSE",
    "LICENCE",
    "COPYING",
    "COPYRIGHT",
    "NOTICE",
    "UNLICENSE",
];

const RULE: &str =
    "--------------------------------------------------------------------------------";

/// Every crate with its licence, then every text once with the crates that bring it.
pub(crate) fn text(graph: &Graph) -> Result<String> {
    let mut out = format!(
        "{} {} is made of these crates.\n\n",
        graph.root.name, graph.root.version
    );
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in &graph.crates {
        let licence = one.licence.as_deref().unwrap_or("unknown");
        writeln!(out, "{} {}: {licence}", one.name, one.version)?;
        for text in texts_of(one)? {
            let bringing = texts.entry(text).or_default();
            bringing.push(format!("{} {}", one.name, one.version));
        }
    }
    // In the order of the crates.
    let mut texts: Vec<_> = texts
        .into_iter()
        .map(|(text, crates)| (crates, text))
        .collect();
    texts.sort();
    for (crates, text) in texts {
        write!(
            out,
            "\n{RULE}\n{}\n{RULE}\n\n{}\n",
            crates.join(", "),
            text.trim_end()
        )?;
    }
    Ok(out)
}

fn texts_of(one: &Crate) -> Result<Vec<String>> {
    let unreadable = || format!("cannot read {}", one.folder.display());
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(&one.folder).with_context(unreadable)? {
        let path = entry?.path();
        if is_licence(&path) {
            let text = std::fs::read(&path).with_context(unreadable)?;
            texts.push(String::from_utf8_lossy(&text).into_owned());
        }
    }
    texts.sort();
    Ok(texts)
}

fn is_licence(path: &Path) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_uppercase();
    path.is_file() && NAMES.iter().any(|start| name.starts_with(start))
}
