//! makepkg's configuration, as far as it concerns distcc.

use super::super::facts::master::MasterFacts;
use super::super::finding::Findings;
use super::super::{Code, Finding, Unknown};
use super::shell::{self, Variables};

/// What makepkg's configuration files say together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Makepkg {
    variables: Variables,
}

impl Makepkg {
    /// Reads the files in makepkg's own order; later ones overrule earlier ones.
    pub fn read<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let mut variables = Variables::new();
        for text in texts {
            shell::read(text, &mut variables);
        }
        Self { variables }
    }

    /// A variable's text; arrays are joined with blanks.
    pub fn text(&self, name: &str) -> Option<String> {
        Some(self.variables.get(name)?.join(" "))
    }

    /// Whether an array holds `word`; `Some(false)` if it holds `!word`, the last one counts.
    pub fn has(&self, array: &str, word: &str) -> Option<bool> {
        let words = self
            .variables
            .get(array)?
            .iter()
            .flat_map(|words| words.split_whitespace());
        words.rev().find_map(|found| match found.strip_prefix('!') {
            Some(not) => (not == word).then_some(false),
            None => (found == word).then_some(true),
        })
    }
}

pub(super) fn examine(facts: &MasterFacts, findings: &mut Findings) {
    for file in &facts.makepkg_files {
        if let Err(Unknown(reason)) = &file.text {
            findings.push(Finding::unknown(
                &format!("what {} says", file.path),
                &Unknown(reason.clone()),
            ));
        }
    }
    let Some(makepkg) = facts.makepkg() else {
        return;
    };
    if makepkg.has("BUILDENV", "distcc") == Some(true) {
        findings.push(Finding::well(
            Code::BuildEnv,
            "makepkg uses distcc (BUILDENV)",
        ));
        findings.push(make_flags(&makepkg));
    } else {
        findings.push(
            Finding::problem(
                Code::BuildEnv,
                "makepkg does not use distcc: BUILDENV does not hold it",
            )
            .hint("write BUILDENV=(distcc color !ccache check !sign) into makepkg.conf"),
        );
    }
    findings.push(Finding::well(
        Code::Package,
        "packages whose PKGBUILD says options=(!distcc) stay on this machine, as they must",
    ));
}

fn make_flags(makepkg: &Makepkg) -> Finding {
    let flags = makepkg.text("MAKEFLAGS").unwrap_or_default();
    let hint =
        "write MAKEFLAGS=\"-jN\" into makepkg.conf, N being about the slots of all volunteers";
    match jobs(&flags) {
        Jobs::One => Finding::problem(
            Code::MakeFlags,
            format!("make starts one job at a time: MAKEFLAGS is \"{flags}\""),
        )
        .hint(hint),
        Jobs::OwnProcessors => Finding::note(
            Code::MakeFlags,
            format!("make starts as many jobs as this machine has processors, and volunteers have more: MAKEFLAGS is \"{flags}\""),
        )
        .hint(hint),
        Jobs::Many => Finding::well(Code::MakeFlags, format!("make starts several jobs at once (\"{flags}\")")),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Jobs {
    One,
    OwnProcessors,
    Many,
}

fn jobs(flags: &str) -> Jobs {
    let mut words = flags.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let value = match word
            .strip_prefix("-j")
            .or_else(|| word.strip_prefix("--jobs"))
        {
            Some("") => words.peek().copied().unwrap_or("unlimited"),
            Some(value) => value.trim_start_matches('='),
            None => continue,
        };
        return match value.parse::<u32>() {
            Ok(0 | 1) => Jobs::One,
            Err(_) if value.contains("nproc") || value.contains("getconf") => Jobs::OwnProcessors,
            Ok(_) | Err(_) => Jobs::Many,
        };
    }
    Jobs::One
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_files_overrule_earlier_ones() {
        let files = [
            "CARCH=armv7h\nBUILDENV=(!distcc color)\n",
            "BUILDENV=(distcc)\n",
        ];
        let makepkg = Makepkg::read(files.into_iter());
        assert_eq!(makepkg.has("BUILDENV", "distcc"), Some(true));
        assert_eq!(makepkg.has("BUILDENV", "ccache"), None);
        assert_eq!(makepkg.text("CARCH").as_deref(), Some("armv7h"));
    }

    #[test]
    fn counts_the_jobs_of_make() {
        for (flags, expected) in [
            ("", Jobs::One),
            ("-j1", Jobs::One),
            ("-l4", Jobs::One),
            ("-j8", Jobs::Many),
            ("-j 8", Jobs::Many),
            ("--jobs=8", Jobs::Many),
            ("-j", Jobs::Many),
            ("-j$(nproc)", Jobs::OwnProcessors),
        ] {
            assert_eq!(jobs(flags), expected, "{flags}");
        }
    }
}
