//! What a line of a log looks like.

use std::collections::BTreeSet;

use owo_colors::{AnsiColors, OwoColorize};
use serde::Serialize;

use super::source::Container;
use crate::cli::{Exit, Failure, Output};
use crate::engine::LogLine;
use crate::farm::{Farm, TargetName};

/// One colour for each target, as far as they go; red is for errors.
const COLOURS: [AnsiColors; 10] = [
    AnsiColors::Cyan,
    AnsiColors::Yellow,
    AnsiColors::Green,
    AnsiColors::Magenta,
    AnsiColors::Blue,
    AnsiColors::BrightCyan,
    AnsiColors::BrightYellow,
    AnsiColors::BrightGreen,
    AnsiColors::BrightMagenta,
    AnsiColors::BrightBlue,
];

/// What follows the target of a line that its door wrote.
const DOOR: &str = " door";

/// Prints lines of one farm's containers.
pub(super) struct Printer {
    output: Output,
    /// The farm's targets; their places decide the colours.
    targets: Vec<TargetName>,
    width: usize,
    /// How much room the hosts' names take, where they are said.
    host_width: Option<usize>,
}

/// One line for programs; its JSON names are a contract.
#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    host: &'a str,
    node: Option<&'a str>,
    target: Option<&'a str>,
    container: &'a str,
    time: String,
    stream: &'static str,
    message: &'a str,
}

impl Printer {
    pub(super) fn new(farm: &Farm, doors: bool, output: Output) -> Self {
        let volunteers = farm.hosts.iter().flat_map(|host| &host.volunteers);
        let mut targets: Vec<_> = volunteers
            .map(|volunteer| volunteer.target.name.clone())
            .collect();
        let mut seen = BTreeSet::new();
        targets.retain(|target| seen.insert(target.clone()));
        let hosts = farm.hosts.iter().map(|host| host.name.as_str().len());
        let lengths = targets.iter().map(|target| target.as_str().len());
        Self {
            output,
            width: lengths.max().unwrap_or_default() + if doors { DOOR.len() } else { 0 },
            targets,
            host_width: hosts.max().filter(|_| farm.hosts.len() > 1),
        }
    }

    pub(super) fn render(&self, container: &Container, line: &LogLine) -> Result<String, Failure> {
        match self.output {
            Output::Text => Ok(self.text(container, line)),
            Output::Json => json(container, line),
        }
    }

    fn text(&self, container: &Container, line: &LogLine) -> String {
        let target = container.target.as_ref().map_or("?", TargetName::as_str);
        let door = if container.is_door { DOOR } else { "" };
        let node = container.node.as_ref();
        let node = node.map_or_else(String::new, |node| format!(" {node}"));
        let label = format!("{target}{door}");
        let place = self
            .targets
            .iter()
            .position(|target| Some(target) == container.target.as_ref());
        let colour = COLOURS[place.unwrap_or_default() % COLOURS.len()];
        let host = match self.host_width {
            Some(width) => format!("{:width$} ", container.host.as_str()),
            None => String::new(),
        };
        let prefix = format!("{host}{label:width$}{node} |", width = self.width);
        format!("{} {}\n", prefix.color(colour), harmless(&line.message))
    }
}

fn json(container: &Container, line: &LogLine) -> Result<String, Failure> {
    let document = Document {
        version: 1,
        host: container.host.as_str(),
        node: container.node.as_deref(),
        target: container.target.as_ref().map(TargetName::as_str),
        container: &container.name,
        time: humantime::format_rfc3339_nanos(line.time).to_string(),
        stream: line.stream.as_str(),
        message: &line.message,
    };
    let text = serde_json::to_string(&document)
        .map_err(|error| Failure::new(Exit::Failed, error, None))?;
    Ok(format!("{text}\n"))
}

/// Clients choose some of the words of a log: what would drive a terminal is written out.
fn harmless(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    for character in message.chars() {
        if character.is_control() && character != '\t' {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_drive_the_terminal() {
        assert_eq!(harmless("a\tb\u{1b}[2Jc\u{9b}ü"), "a\tb\\u{1b}[2Jc\\u{9b}ü");
    }
}
