//! Compiler options that keep jobs on this machine.

use super::super::facts::master::MasterFacts;
use super::super::finding::Findings;
use super::super::{Code, Finding};

/// What an option does to jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// It means the machine that compiles.
    Native,
    /// The client compiles here.
    Local,
    /// Volunteers refuse it.
    Refused,
    /// It works, and asks for the same compiler on both sides.
    LinkTime,
}

/// Options by their beginning; an end of `$` asks for the whole word.
const EFFECTS: &[(&str, Effect)] = &[
    ("-march=native$", Effect::Native),
    ("-mtune=native$", Effect::Native),
    ("-mcpu=native$", Effect::Native),
    ("-flto$", Effect::Local),
    ("-flto=", Effect::LinkTime),
    ("-fprofile-arcs$", Effect::Local),
    ("-ftest-coverage$", Effect::Local),
    ("--coverage$", Effect::Local),
    ("-fprofile-generate", Effect::Local),
    ("-fprofile-use", Effect::Local),
    ("-fauto-profile", Effect::Local),
    ("-fprofile-correction$", Effect::Local),
    ("-frepo$", Effect::Local),
    ("-specs=", Effect::Local),
    ("--specs=", Effect::Refused),
    ("-fplugin", Effect::Refused),
    ("-fmodules", Effect::Refused),
    ("-gsplit-dwarf$", Effect::Refused),
    ("-save-temps", Effect::Refused),
    ("-fdump-", Effect::Refused),
    ("-wrapper$", Effect::Refused),
    ("@", Effect::Refused),
];

/// Where makepkg and others keep options.
const VARIABLES: [&str; 3] = ["CPPFLAGS", "CFLAGS", "CXXFLAGS"];

pub(super) fn examine(facts: &MasterFacts, findings: &mut Findings) {
    let makepkg = facts.makepkg();
    let mut found = Vec::new();
    for name in VARIABLES {
        let of_makepkg = makepkg.as_ref().and_then(|makepkg| makepkg.text(name));
        let of_environment = facts.environment.get(name).cloned();
        for (text, place) in [
            (of_makepkg, "makepkg.conf"),
            (of_environment, "the environment"),
        ] {
            for word in text.as_deref().unwrap_or_default().split_whitespace() {
                found.extend(effect(word).map(|effect| finding(word, effect, name, place)));
            }
        }
    }
    if makepkg.is_some_and(|makepkg| makepkg.has("OPTIONS", "lto") == Some(true)) {
        found.push(
            Finding::note(Code::FlagsLto, "makepkg switches link-time optimisation on (OPTIONS): it needs the same compiler on both sides, and a bare -flto compiles here")
                .hint("OPTIONS=(!lto) in makepkg.conf while the versions differ"),
        );
    }
    if found.is_empty() {
        found.push(Finding::well(
            Code::Flags,
            "no option keeps jobs on this machine",
        ));
    }
    findings.extend(found);
}

fn effect(word: &str) -> Option<Effect> {
    let matches = |pattern: &str| match pattern.strip_suffix('$') {
        Some(whole) => word == whole,
        None => word.starts_with(pattern),
    };
    EFFECTS
        .iter()
        .find(|(pattern, _)| matches(pattern))
        .map(|(_, effect)| *effect)
}

fn finding(word: &str, effect: Effect, variable: &str, place: &str) -> Finding {
    match effect {
        Effect::Native => Finding::problem(
            Code::FlagsNative,
            format!("{word} in {variable} of {place} means the machine that compiles, so every file is compiled here"),
        )
        .hint("name the processor: gcc -march=native -Q --help=target | grep -E 'march|mcpu|mtune'"),
        Effect::Local => Finding::problem(
            Code::FlagsLocal,
            format!("{word} in {variable} of {place} makes distcc compile every file here"),
        )
        .hint(if word == "-flto" {
            "write -flto=auto, or take it out".to_owned()
        } else {
            format!("take it out of {variable}")
        }),
        Effect::Refused => Finding::problem(
            Code::FlagsRefused,
            format!("{word} in {variable} of {place} is refused by volunteers, because it loads code or writes files of its own; every file is compiled twice"),
        )
        .hint(format!("take it out of {variable}")),
        Effect::LinkTime => Finding::note(
            Code::FlagsLto,
            format!("{word} in {variable} of {place} needs the same compiler version here and on the farm"),
        )
        .hint("take it out while the versions differ"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_known_by_beginning_or_whole() {
        for (word, expected) in [
            ("-march=native", Some(Effect::Native)),
            ("-march=native2", None),
            ("-march=armv7-a", None),
            ("-flto", Some(Effect::Local)),
            ("-flto=auto", Some(Effect::LinkTime)),
            ("-fplugin=x.so", Some(Effect::Refused)),
            ("-O2", None),
        ] {
            assert_eq!(effect(word), expected, "{word}");
        }
    }
}
