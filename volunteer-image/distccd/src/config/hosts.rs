//! Names of machines, as far as `/etc/hosts` knows them.
//!
//! Other names are not resolved: a static program cannot ask the C library, and an allow list that depends on an answer
//! from the network is as safe as the network.

use std::fs;
use std::net::IpAddr;

const FILE: &str = "/etc/hosts";

/// The addresses of `name`, in the order of the file; none if it is not there.
pub(super) fn addresses(name: &str) -> Vec<IpAddr> {
    let text = fs::read_to_string(FILE).unwrap_or_default();
    in_table(&text, name)
}

/// The format is that of `hosts(5)`.
fn in_table(text: &str, name: &str) -> Vec<IpAddr> {
    let lines = text.lines().filter_map(|line| line.split('#').next());
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let address = words.next()?.parse().ok()?;
            words
                .any(|word| word.eq_ignore_ascii_case(name))
                .then_some(address)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_addresses_of_its_lines() {
        let text = "127.0.0.1 localhost\n::1\tip6-localhost localhost # local\n# 10.0.0.1 commented\n10.1.2.3 Board board.lan\nnonsense line\n";
        let cases = [
            ("localhost", "127.0.0.1 ::1"),
            ("board", "10.1.2.3"),
            ("board.lan", "10.1.2.3"),
            ("commented", ""),
            ("line", ""),
            ("local", ""),
            ("10.1.2.3", ""),
        ];
        for (name, expected) in cases {
            let found: Vec<_> = in_table(text, name)
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(found.join(" "), expected, "{name}");
        }
    }
}
