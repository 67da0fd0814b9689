//! How the engine was started, and which firewalls are active: files of this machine.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use super::super::{Fact, Unknown};

/// The engine's settings that decide what happens to published ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaemonSettings {
    /// Whether it makes packet rules.
    pub packet_rules: bool,
    /// Whether it makes them for IPv6 too; `None` leaves it to the release.
    pub packet_rules_for_ipv6: Option<bool>,
}

/// Which firewalls are active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirewallFacts {
    /// Ubuntu's and Debian's.
    pub ufw: Fact<bool>,
    /// Fedora's.
    pub firewalld: Fact<bool>,
}

const CONFIGURATION: &str = "/etc/docker/daemon.json";

#[derive(Debug, Default, Deserialize)]
struct Configuration {
    iptables: Option<bool>,
    ip6tables: Option<bool>,
}

/// The settings of an engine on this machine: its configuration file, overruled by its command line.
pub fn settings() -> Fact<DaemonSettings> {
    let configuration = match fs::read_to_string(CONFIGURATION) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Unknown(format!("cannot read {CONFIGURATION}: {error}"))),
    };
    merged(
        &configuration,
        &command_line_of("dockerd").unwrap_or_default(),
    )
}

fn merged(configuration: &str, command_line: &[String]) -> Fact<DaemonSettings> {
    let configuration: Configuration = if configuration.trim().is_empty() {
        Configuration::default()
    } else {
        serde_json::from_str(configuration)
            .map_err(|error| Unknown(format!("{CONFIGURATION} cannot be read: {error}")))?
    };
    Ok(DaemonSettings {
        packet_rules: flag(command_line, "--iptables")
            .or(configuration.iptables)
            .unwrap_or(true),
        packet_rules_for_ipv6: flag(command_line, "--ip6tables").or(configuration.ip6tables),
    })
}

/// `--name` alone or `--name=VALUE`.
fn flag(command_line: &[String], name: &str) -> Option<bool> {
    command_line.iter().rev().find_map(|word| {
        let rest = word.strip_prefix(name)?;
        match rest.strip_prefix('=') {
            Some(value) => value.parse().ok(),
            None => rest.is_empty().then_some(true),
        }
    })
}

fn command_line_of(program: &str) -> Option<Vec<String>> {
    let process = processes().find(|process| has_name(process, program))?;
    let text = fs::read(process.join("cmdline")).ok()?;
    let words = text.split(|byte| *byte == 0);
    Some(
        words
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect(),
    )
}

fn processes() -> impl Iterator<Item = std::path::PathBuf> {
    let is_process = |entry: &fs::DirEntry| {
        entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.parse::<u32>().is_ok())
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter(is_process).map(|entry| entry.path())
}

fn has_name(process: &Path, program: &str) -> bool {
    fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim_end() == program)
}

/// Which firewalls are active on this machine.
pub fn firewalls() -> FirewallFacts {
    FirewallFacts {
        ufw: ufw("/etc/ufw/ufw.conf"),
        firewalld: Ok(processes().any(|process| has_name(&process, "firewalld"))),
    }
}

fn ufw(path: &str) -> Fact<bool> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text
            .lines()
            .any(|line| line.trim().eq_ignore_ascii_case("ENABLED=yes"))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Unknown(format!("cannot read {path}: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_command_line_overrules_the_file() {
        for (file, line, rules, ipv6) in [
            ("", "dockerd", true, None),
            (r#"{"iptables": false}"#, "dockerd -H fd://", false, None),
            (
                r#"{"iptables": false}"#,
                "dockerd --iptables=true",
                true,
                None,
            ),
            (
                "{}",
                "dockerd --iptables=false --ip6tables",
                false,
                Some(true),
            ),
        ] {
            let expected = DaemonSettings {
                packet_rules: rules,
                packet_rules_for_ipv6: ipv6,
            };
            assert_eq!(merged(file, &words(line)), Ok(expected), "{file} {line}");
        }
        assert!(merged("{", &[]).is_err());
    }

    #[test]
    fn ufw_is_active_only_if_its_file_says_so() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        assert_eq!(ufw(path), Ok(false));
        fs::write(path, "# comment\nENABLED=yes\n").unwrap();
        assert_eq!(ufw(path), Ok(true));
        assert_eq!(ufw("/nonexistent/ufw.conf"), Ok(false));
    }
}
