//! The crates that are linked into a program: what cargo says of the workspace, for one triple and with the features
//! that are on, without what only builds or tests need.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// A crate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) version: String,
    /// As an SPDX expression.
    pub(crate) licence: Option<String>,
    /// Of its archive; a crate of the workspace has none.
    pub(crate) checksum: Option<String>,
    /// Where its source is on this machine.
    pub(crate) folder: PathBuf,
}

/// A program's crates, and which needs which.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) root: Crate,
    pub(crate) crates: BTreeSet<Crate>,
    pub(crate) needs: BTreeSet<(Crate, Crate)>,
}

/// Name and version.
type Id = (String, String);

impl Graph {
    pub(crate) fn read(package: &str, triple: &str) -> Result<Self> {
        let metadata = cargo(&[
            "metadata",
            "--locked",
            "--format-version=1",
            &format!("--filter-platform={triple}"),
        ])?;
        let metadata: Value = serde_json::from_str(&metadata)?;
        let lock = metadata["workspace_root"].as_str().unwrap_or(".");
        let lock = std::fs::read_to_string(PathBuf::from(lock).join("Cargo.lock"))?;
        let known = crates(&metadata, &checksums(&lock));
        let tree = cargo(&[
            "tree",
            "--locked",
            "--edges=normal,no-proc-macro",
            "--prefix=depth",
            &format!("--package={package}"),
            &format!("--target={triple}"),
        ])?;
        Self::of(&tree, &known)
    }

    /// `0farmctl v0.1.0 (/work)`, `1anyhow v1.0.104`, `2bytes v1.12.0 (*)`: each line's depth says whose it is.
    fn of(tree: &str, known: &BTreeMap<Id, Crate>) -> Result<Self> {
        let mut above: Vec<Crate> = Vec::new();
        let (mut crates, mut needs) = (BTreeSet::new(), BTreeSet::new());
        for line in tree.lines().filter(|line| !line.is_empty()) {
            let (depth, id) = entry(line).with_context(|| format!("cargo tree says '{line}'"))?;
            let one = known.get(&id);
            let one = one.with_context(|| format!("cargo metadata lacks '{line}'"))?;
            above.truncate(depth);
            if let Some(who) = above.last() {
                needs.insert((who.clone(), one.clone()));
            }
            crates.insert(one.clone());
            above.push(one.clone());
        }
        let root = above.first().context("cargo tree says nothing")?.clone();
        Ok(Self {
            root,
            crates,
            needs,
        })
    }
}

fn entry(line: &str) -> Option<(usize, Id)> {
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    let (depth, rest) = line.split_at(digits);
    let mut words = rest.split(' ');
    let name = words.next()?.to_owned();
    let version = words.next()?.strip_prefix('v')?.to_owned();
    Some((depth.parse().ok()?, (name, version)))
}

fn crates(metadata: &Value, checksums: &BTreeMap<Id, String>) -> BTreeMap<Id, Crate> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let read = |package: &Value| {
        let text = |key: &str| package[key].as_str().map(str::to_owned);
        let id = (text("name")?, text("version")?);
        let one = Crate {
            name: id.0.clone(),
            version: id.1.clone(),
            // What cargo still reads, and SPDX does not know.
            licence: text("license").map(|licence| licence.replace('/', " OR ")),
            checksum: checksums.get(&id).cloned(),
            folder: PathBuf::from(text("manifest_path")?).parent()?.to_owned(),
        };
        Some((id, one))
    };
    packages.filter_map(read).collect()
}

/// What Cargo.lock says of archives, read line by line: it is written by a program, always in the same way.
fn checksums(lock: &str) -> BTreeMap<Id, String> {
    let mut found = BTreeMap::new();
    let (mut name, mut version) = (String::new(), String::new());
    for line in lock.lines() {
        let Some((key, value)) = line.split_once(" = ") else {
            continue;
        };
        let value = value.trim_matches('"').to_owned();
        match key {
            "name" => name = value,
            "version" => version = value,
            "checksum" => drop(found.insert((name.clone(), version.clone()), value)),
            _ => {}
        }
    }
    found
}

fn cargo(arguments: &[&str]) -> Result<String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let done = Command::new(program)
        .args(arguments)
        .output()
        .context("cannot start cargo")?;
    ensure!(
        done.status.success(),
        "cargo {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(String::from_utf8(done.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(names: &[&str]) -> BTreeMap<Id, Crate> {
        let one = |name: &&str| {
            let id = ((*name).to_owned(), "1.0.0".to_owned());
            let one = Crate {
                name: id.0.clone(),
                version: id.1.clone(),
                licence: None,
                checksum: None,
                folder: PathBuf::new(),
            };
            (id, one)
        };
        names.iter().map(one).collect()
    }

    #[test]
    fn depths_say_who_needs_whom() {
        let tree = "0a v1.0.0 (/work)\n1b v1.0.0\n2c v1.0.0\n1c v1.0.0 (*)\n";
        let graph = Graph::of(tree, &known(&["a", "b", "c"])).unwrap();
        let needs: Vec<_> = graph.needs.iter().collect();
        let needs = needs
            .iter()
            .map(|(who, what)| format!("{}{}", who.name, what.name));
        assert_eq!(needs.collect::<Vec<_>>(), ["ab", "ac", "bc"]);
        assert_eq!((graph.root.name.as_str(), graph.crates.len()), ("a", 3));
        assert!(Graph::of("0x v1.0.0\n", &known(&["a"])).is_err());
        assert!(Graph::of("nonsense\n", &known(&["a"])).is_err());
        assert!(Graph::of("", &known(&["a"])).is_err());
    }

    #[test]
    fn checksums_stand_below_name_and_version() {
        let lock = "version = 4\n\n[[package]]\nname = \"ours\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"b\"\n\
                    version = \"2.0.0\"\nsource = \"somewhere\"\nchecksum = \"abc\"\n";
        let expected = (("b".to_owned(), "2.0.0".to_owned()), "abc".to_owned());
        assert_eq!(checksums(lock), BTreeMap::from([expected]));
    }

    /// The real workspace: everything that is linked has a licence, and everything from elsewhere a checksum.
    #[test]
    fn the_program_of_this_workspace_is_known_to_its_last_crate() {
        let graph = Graph::read("farmctl", "x86_64-unknown-linux-gnu").unwrap();
        assert_eq!(graph.root.name, "farmctl");
        let ours = ["farmctl", "distccd", "distcc-wire", "volunteer-toolchain"];
        for one in &graph.crates {
            assert!(one.licence.is_some(), "{one:?}");
            let is_ours = ours.contains(&one.name.as_str());
            assert_eq!(one.checksum.is_none(), is_ours, "{one:?}");
        }
        let names: BTreeSet<&str> = graph.crates.iter().map(|one| one.name.as_str()).collect();
        assert!(names.contains("tokio") && !names.contains("insta") && !names.contains("syn"));
    }
}
