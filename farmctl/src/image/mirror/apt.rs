//! The Debian mirror that the machine's own apt sources name (`sources.list(5)`).
//!
//! Many archives are laid out like Debian's and are not: vendors' own, other distributions'. An entry counts only if
//! it carries Debian's main component and, where it names a keyring, names Debian's.

use std::fs;
use std::path::{Path, PathBuf};

use deb822_fast::borrowed::{BorrowedParagraph, iter_paragraphs_borrowed};

use super::{Mirror, Origin};

/// The first usable entry: `sources.list`, then the files of `sources.list.d` by name, as apt reads them.
pub(super) fn debian_mirror(apt: &Path) -> Option<Mirror> {
    source_files(apt).into_iter().find_map(|path| {
        let text = fs::read_to_string(&path).ok()?;
        entries(&path, &text)
            .iter()
            .filter(|entry| entry.is_debian())
            .find_map(|entry| entry.mirror(&path))
    })
}

fn source_files(apt: &Path) -> Vec<PathBuf> {
    let mut folder: Vec<PathBuf> = fs::read_dir(apt.join("sources.list.d"))
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    folder.retain(|path| matches!(extension(path), "list" | "sources"));
    folder.sort();
    folder.insert(0, apt.join("sources.list"));
    folder
}

fn extension(path: &Path) -> &str {
    path.extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default()
}

/// One archive that apt uses.
#[derive(Debug, Default, PartialEq, Eq)]
struct Entry {
    uris: Vec<String>,
    suites: Vec<String>,
    components: Vec<String>,
    keyring: Option<String>,
}

impl Entry {
    fn is_debian(&self) -> bool {
        self.components.iter().any(|component| component == "main")
            && self.suites.iter().any(|suite| is_release(suite))
            && self
                .keyring
                .as_deref()
                .is_none_or(|keyring| keyring.contains("debian-archive"))
    }

    fn mirror(&self, file: &Path) -> Option<Mirror> {
        self.uris
            .iter()
            .filter(|uri| is_debian_archive(uri))
            .find_map(|uri| Mirror::parse(uri, Origin::Apt(file.to_owned())).ok())
    }
}

/// Whether a suite is a release itself and not one of the overlays that hold only some of its packages.
fn is_release(suite: &str) -> bool {
    !suite.contains(['-', '/'])
}

/// Mirrors keep the archive's folder name, snapshots add a date below it; the security archive has its own.
fn is_debian_archive(uri: &str) -> bool {
    uri.split('/').skip(3).any(|segment| segment == "debian")
}

fn entries(path: &Path, text: &str) -> Vec<Entry> {
    if extension(path) == "sources" {
        iter_paragraphs_borrowed(text)
            .flatten()
            .filter_map(|stanza| from_stanza(&stanza))
            .collect()
    } else {
        text.lines().filter_map(from_line).collect()
    }
}

fn from_stanza(stanza: &BorrowedParagraph<'_>) -> Option<Entry> {
    let words = |name: &str| -> Vec<String> {
        let lines = stanza.get(name).unwrap_or_default();
        lines
            .iter()
            .flat_map(|line| line.split_whitespace())
            .map(str::to_owned)
            .collect()
    };
    let enabled = !words("Enabled")
        .iter()
        .any(|word| matches!(word.as_str(), "no" | "false" | "off" | "0"));
    let binary = words("Types").iter().any(|word| word == "deb");
    (enabled && binary).then(|| Entry {
        uris: words("URIs"),
        suites: words("Suites"),
        components: words("Components"),
        // A keyring written out in place spans lines; whose it is cannot be told from a name.
        keyring: stanza
            .get_single("Signed-By")
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
    })
}

/// `deb [ option=value … ] uri suite component …`
fn from_line(line: &str) -> Option<Entry> {
    let line = line.split('#').next()?.trim().strip_prefix("deb")?;
    let rest = line.strip_prefix([' ', '\t'])?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace().map(str::to_owned);
    Some(Entry {
        uris: vec![words.next()?],
        suites: vec![words.next()?],
        components: words.collect(),
        keyring: options
            .split_whitespace()
            .find_map(|option| option.strip_prefix("signed-by="))
            .map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(files: &[(&str, &str)]) -> Option<String> {
        let apt = tempfile::tempdir().unwrap();
        fs::create_dir(apt.path().join("sources.list.d")).unwrap();
        for (name, text) in files {
            fs::write(apt.path().join(name), text).unwrap();
        }
        debian_mirror(apt.path()).map(|mirror| mirror.to_string())
    }

    #[test]
    fn reads_stanzas() {
        let text = "# the archive\nTypes: deb deb-src\n# snapshot\nURIs: http://near.example/debian\n\
                    Suites: trixie trixie-updates\nComponents: main contrib\n\
                    Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n";
        assert_eq!(
            chosen(&[("sources.list.d/debian.sources", text)]).as_deref(),
            Some("http://near.example/debian/")
        );
    }

    #[test]
    fn reads_lines_with_options_and_prefers_the_main_file() {
        let main = "# comment\ndeb [arch=amd64 signed-by=/k/debian-archive-keyring.gpg] http://a.example/debian bookworm main\n";
        let other = "deb http://b.example/debian bookworm main\n";
        assert_eq!(
            chosen(&[("sources.list", main), ("sources.list.d/a.list", other)]).as_deref(),
            Some("http://a.example/debian/")
        );
    }

    #[test]
    fn passes_over_what_is_not_the_main_debian_archive() {
        let cases = [
            (
                "a.list",
                "deb http://e.example/debian-security bookworm-security main",
            ),
            (
                "a.list",
                "deb http://e.example/debian bookworm-updates main",
            ),
            ("a.list", "deb http://e.example/debian bookworm contrib"),
            ("a.list", "deb https://e.example/debian bookworm main"),
            ("a.list", "deb-src http://e.example/debian bookworm main"),
            ("a.list", "deb http://e.example/ubuntu noble main"),
            (
                "a.list",
                "deb [signed-by=/k/vendor.gpg] http://e.example/debian bookworm main",
            ),
            ("a.list", "#deb http://e.example/debian bookworm main"),
            (
                "a.sources",
                "Types: deb\nURIs: http://e.example/debian\nSuites: trixie\nComponents: main\nEnabled: no\n",
            ),
            (
                "a.sources",
                "Types: deb-src\nURIs: http://e.example/debian\nSuites: trixie\nComponents: main\n",
            ),
            ("a.disabled", "deb http://e.example/debian bookworm main"),
        ];
        for (name, text) in cases {
            assert_eq!(
                chosen(&[(&format!("sources.list.d/{name}"), text)]),
                None,
                "{text}"
            );
        }
    }

    #[test]
    fn takes_the_second_entry_when_the_first_needs_tls() {
        let text =
            "deb https://a.example/debian trixie main\ndeb http://b.example/debian trixie main\n";
        assert_eq!(
            chosen(&[("sources.list", text)]).as_deref(),
            Some("http://b.example/debian/")
        );
    }
}
