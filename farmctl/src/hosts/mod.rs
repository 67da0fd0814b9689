//! What masters need to know: the lines that name a farm's volunteers.
//!
//! [`render`] is pure; [`local`] asks the kernel for the address that others reach this machine by.

mod grammar;
pub mod local;
mod shell;

use crate::farm::{DialAddress, Port, Slots, Target, TargetName};

use grammar::host_list;

/// Where the volunteer of one target on one host listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it compiles for.
    pub target: TargetName,
    /// makepkg's `CARCH` on boards of this target.
    pub carch: String,
    /// What masters dial.
    pub address: DialAddress,
    /// Its port.
    pub port: Port,
    /// How many jobs a master may send at once.
    pub slots: Slots,
}

impl Line {
    /// The line of a volunteer for `target` at `address`.
    pub fn new(target: &Target, address: DialAddress, slots: Slots) -> Self {
        Self {
            target: target.name.clone(),
            carch: target.carch.clone(),
            address,
            port: target.port,
            slots,
        }
    }
}

/// Who reads the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consumer {
    /// People and scripts: the bare value of `DISTCC_HOSTS`.
    Plain,
    /// `/etc/makepkg.conf`.
    Makepkg,
    /// A POSIX shell.
    Env,
}

/// The text for `consumer`, ending in a newline unless there are no lines.
///
/// With `only`, it is that target's line alone. Otherwise it has one line for each target, in the order in which they
/// first occur, and picks by makepkg's `CARCH`, so that the same text is right on every board. Several volunteers of a
/// target share a line; a master prefers the first.
pub fn render(lines: &[Line], consumer: Consumer, only: Option<&TargetName>) -> String {
    let targets = by_target(lines);
    match only {
        Some(only) => targets
            .iter()
            .filter(|target| target.name == only)
            .map(|target| target.alone(consumer))
            .collect(),
        None if targets.is_empty() => String::new(),
        None => every(&targets, consumer),
    }
}

/// The volunteers of one target.
struct TargetLine<'l> {
    name: &'l TargetName,
    carch: &'l str,
    hosts: String,
}

fn by_target(lines: &[Line]) -> Vec<TargetLine<'_>> {
    let mut targets: Vec<TargetLine<'_>> = Vec::new();
    for line in lines {
        if targets.iter().any(|known| *known.name == line.target) {
            continue;
        }
        targets.push(TargetLine {
            name: &line.target,
            carch: &line.carch,
            hosts: host_list(lines.iter().filter(|other| other.target == line.target)),
        });
    }
    targets
}

impl TargetLine<'_> {
    fn alone(&self, consumer: Consumer) -> String {
        format!("{}\n", self.setting(consumer))
    }

    fn with_name(&self) -> String {
        format!("{} # {}", self.hosts, self.name)
    }

    fn choice(&self, consumer: Consumer) -> String {
        let carch = shell::pattern(self.carch);
        format!("  {carch}) {} ;;", self.setting(consumer))
    }

    fn setting(&self, consumer: Consumer) -> String {
        let quoted = shell::quoted(&self.hosts);
        match consumer {
            Consumer::Plain => self.hosts.clone(),
            Consumer::Makepkg => format!("DISTCC_HOSTS={quoted}"),
            Consumer::Env => format!("export DISTCC_HOSTS={quoted}"),
        }
    }
}

fn every(targets: &[TargetLine<'_>], consumer: Consumer) -> String {
    let lines = match consumer {
        Consumer::Plain => targets.iter().map(TargetLine::with_name).collect(),
        Consumer::Makepkg => by_carch(
            "# distcc volunteers for each architecture; BUILDENV must hold distcc, not !distcc.",
            targets,
            consumer,
        ),
        Consumer::Env => by_carch(
            "# distcc volunteers for each architecture; CARCH must hold its name.",
            targets,
            consumer,
        ),
    };
    lines.join("\n") + "\n"
}

fn by_carch(comment: &str, targets: &[TargetLine<'_>], consumer: Consumer) -> Vec<String> {
    let mut lines = vec![comment.to_owned(), "case \"$CARCH\" in".to_owned()];
    lines.extend(targets.iter().map(|target| target.choice(consumer)));
    lines.push("esac".to_owned());
    lines
}
