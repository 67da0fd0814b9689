//! The installed distcc and the folders of links that lead to it.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::{Fact, Unknown};
use super::program::{find, folders, run, wraps};

/// An installed distcc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Where it is.
    pub path: PathBuf,
    /// Its version, such as `3.4`.
    pub version: String,
    /// Whether it was built with Avahi.
    pub has_zeroconf: bool,
}

/// A folder with links named like compilers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasqueradeFolder {
    /// The folder.
    pub path: String,
    /// Whether a compiler's name leads to distcc there.
    pub has_compilers: bool,
    /// Its place in PATH.
    pub position: Option<usize>,
    /// The place in PATH of the first folder that has a compiler of its own.
    pub compiler_position: Option<usize>,
}

/// Where distributions put the links.
const MASQUERADE: [&str; 3] = [
    "/usr/lib/distcc/bin",
    "/usr/lib/distcc",
    "/usr/local/lib/distcc",
];

/// The client in `path`, if there is one.
pub async fn client(path: &str) -> Fact<Option<Client>> {
    let Some(program) = find("distcc", path) else {
        return Ok(None);
    };
    let ran = run(&program, ["--version"], |_command| {}).await?;
    let text = ran.text().unwrap_or_default();
    let version = text
        .lines()
        .next()
        .and_then(|line| line.split_whitespace().nth(1));
    Ok(Some(Client {
        version: version
            .ok_or_else(|| Unknown(format!("{} does not tell its version", program.display())))?
            .to_owned(),
        has_zeroconf: mentions(&program, b"libavahi-client"),
        path: program,
    }))
}

fn mentions(program: &Path, name: &[u8]) -> bool {
    fs::read(program).is_ok_and(|bytes| bytes.windows(name.len()).any(|window| window == name))
}

/// The usual folders that exist, the ones in PATH first.
pub fn masquerade(path: &str) -> Vec<MasqueradeFolder> {
    let position_of = |folder: &Path| folders(path).position(|other| same(&other, folder));
    let compiler_position = folders(path).position(|folder| is_compilers_own(&folder));
    let mut found: Vec<_> = MASQUERADE
        .iter()
        .map(Path::new)
        .filter(|folder| folder.is_dir())
        .map(|folder| MasqueradeFolder {
            path: folder.display().to_string(),
            has_compilers: ["gcc", "cc"]
                .iter()
                .any(|name| wraps(folder, name, "distcc")),
            position: position_of(folder),
            compiler_position,
        })
        .collect();
    found.sort_by_key(|folder| (folder.position.is_none(), folder.position));
    found
}

/// The place in PATH of the folder in which compilers' names lead to ccache.
pub fn ccache(path: &str) -> Option<usize> {
    folders(path).position(|folder| wraps(&folder, "gcc", "ccache"))
}

/// `path` without the folders in which compilers' names lead elsewhere.
pub fn without_masquerade(path: &str) -> String {
    let leads_elsewhere = |folder: &PathBuf| {
        ["distcc", "ccache", "icecc"].iter().any(|wrapper| {
            ["gcc", "cc", "g++"]
                .iter()
                .any(|name| wraps(folder, name, wrapper))
        })
    };
    let kept: Vec<_> = folders(path)
        .filter(|folder| !leads_elsewhere(folder))
        .map(|folder| folder.display().to_string())
        .collect();
    kept.join(":")
}

fn is_compilers_own(folder: &Path) -> bool {
    ["gcc", "cc"].iter().any(|name| {
        let wrapped = ["distcc", "ccache", "icecc"]
            .iter()
            .any(|wrapper| wraps(folder, name, wrapper));
        folder.join(name).is_file() && !wrapped
    })
}

fn same(a: &Path, b: &Path) -> bool {
    a.components().eq(b.components())
}
