//! The lines for masters, judged by the programs that read them: a shell and the stock client.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests fail by panicking and say what they skip"
)]

use std::collections::BTreeMap;
use std::process::{Command, Output};

use farmctl::farm::{DialAddress, Slots, TargetName};
use farmctl::hosts::{Consumer, Line, render};
use farmctl::manifest;
use proptest::prelude::*;

const EVERY_CONSUMER: [Consumer; 3] = [Consumer::Plain, Consumer::Makepkg, Consumer::Env];

fn address(text: &str) -> DialAddress {
    text.parse().unwrap()
}

fn slots(count: u64) -> Slots {
    count.try_into().unwrap()
}

fn target(name: &str) -> TargetName {
    name.parse().unwrap()
}

/// A line for every volunteer of the farm without a manifest, at each of `addresses`.
fn lines(addresses: &[&str]) -> Vec<Line> {
    let farm = manifest::parse("", "farm.yaml").unwrap();
    let volunteers = &farm.hosts[0].volunteers;
    addresses
        .iter()
        .flat_map(|text| {
            volunteers
                .iter()
                .map(move |volunteer| Line::new(&volunteer.target, address(text), slots(20)))
        })
        .collect()
}

#[test]
fn every_consumer_gets_its_own_text() {
    let lines = lines(&["10.30.5.9"]);
    for consumer in EVERY_CONSUMER {
        insta::assert_snapshot!(
            format!("{consumer:?}-every-target"),
            render(&lines, consumer, None)
        );
        insta::assert_snapshot!(
            format!("{consumer:?}-armv7h"),
            render(&lines, consumer, Some(&target("armv7h")))
        );
    }
}

#[test]
fn hosts_of_a_target_share_a_line_in_their_order() {
    let lines = lines(&["10.30.5.9", "2001:db8::9", "nas.lan"]);
    assert_eq!(
        render(&lines, Consumer::Plain, Some(&target("aarch64"))),
        "10.30.5.9:3636/20,lzo [2001:db8::9]:3636/20,lzo nas.lan:3636/20,lzo\n"
    );
}

#[test]
fn without_volunteers_there_is_nothing_to_say() {
    for consumer in EVERY_CONSUMER {
        assert_eq!(render(&[], consumer, None), "");
        assert_eq!(render(&lines(&["a"]), consumer, Some(&target("i686"))), "");
    }
}

/// What `DISTCC_HOSTS` holds after a shell ran `script`.
fn hosts_after(script: &str) -> String {
    let output = run(Command::new("bash").env_remove("DISTCC_HOSTS").args([
        "-euc",
        &format!("{script}\nprintf %s \"${{DISTCC_HOSTS-unset}}\""),
    ]));
    String::from_utf8(output.stdout).unwrap()
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

#[test]
fn a_shell_picks_the_line_of_its_own_architecture() {
    let expected: BTreeMap<&str, &str> = [
        ("x86_64", "10.30.5.9:3632/20,lzo"),
        ("arm", "10.30.5.9:3633/20,lzo"),
        ("armv6h", "10.30.5.9:3634/20,lzo"),
        ("armv7h", "10.30.5.9:3635/20,lzo"),
        ("aarch64", "10.30.5.9:3636/20,lzo"),
        ("riscv64", "unset"),
    ]
    .into();
    let lines = lines(&["10.30.5.9"]);
    for consumer in [Consumer::Makepkg, Consumer::Env] {
        let text = render(&lines, consumer, None);
        for (carch, hosts) in &expected {
            let once = format!("CARCH={carch}\n{text}");
            assert_eq!(hosts_after(&once), *hosts, "{consumer:?} on {carch}");
            let twice = format!("{once}{text}");
            assert_eq!(hosts_after(&twice), *hosts, "{consumer:?} twice on {carch}");
        }
    }
}

#[test]
fn a_later_block_replaces_an_earlier_one() {
    let old = render(&lines(&["10.30.5.9"]), Consumer::Makepkg, None);
    let new = render(&lines(&["10.30.5.10"]), Consumer::Makepkg, None);
    assert_eq!(
        hosts_after(&format!("CARCH=armv7h\n{old}{new}")),
        "10.30.5.10:3635/20,lzo"
    );
}

#[test]
fn only_env_reaches_child_processes() {
    for (consumer, seen) in [
        (Consumer::Makepkg, ""),
        (Consumer::Env, "10.30.5.9:3635/20,lzo"),
    ] {
        let text = render(&lines(&["10.30.5.9"]), consumer, Some(&target("armv7h")));
        let script = format!("{text}printenv DISTCC_HOSTS || true");
        let output = run(Command::new("bash")
            .env_remove("DISTCC_HOSTS")
            .args(["-euc", &script]));
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), seen);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_shell_reads_any_architecture_name_as_itself(carch in "[^\u{0}]{1,12}") {
        let mut line = lines(&["10.30.5.9"]).remove(0);
        line.carch = carch.clone();
        let text = render(&[line], Consumer::Makepkg, None);
        let output = run(Command::new("bash").env("CARCH", &carch).env_remove("DISTCC_HOSTS").args([
            "-euc",
            &format!("{text}printf %s \"$DISTCC_HOSTS\""),
        ]));
        prop_assert_eq!(output.stdout, b"10.30.5.9:3632/20,lzo");
    }
}

/// Runs the stock client with `hosts`; `None` where it is not installed.
fn stock_client(hosts: &str, argument: &str) -> Option<String> {
    let mut client = Command::new("distcc");
    client.env("DISTCC_HOSTS", hosts).arg(argument);
    match client.output() {
        Ok(output) => {
            assert!(
                output.stderr.is_empty(),
                "{hosts}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            Some(String::from_utf8(output.stdout).unwrap())
        }
        Err(error) => {
            eprintln!("skipped: the stock client distcc does not start: {error}");
            None
        }
    }
}

#[test]
fn the_stock_client_reads_every_line_as_it_is_meant() {
    let lines = lines(&["10.30.5.9", "2001:db8::9", "nas.lan", "localhost"]);
    for line in &lines {
        let hosts = render(&lines, Consumer::Plain, Some(&line.target));
        let Some(shown) = stock_client(&hosts, "--show-hosts") else {
            return;
        };
        assert_eq!(
            shown.split_whitespace().collect::<Vec<_>>(),
            hosts.split_whitespace().collect::<Vec<_>>()
        );
        assert_eq!(
            stock_client(&hosts, "-j").as_deref().map(str::trim),
            Some("80")
        );
    }
    let every = render(&lines, Consumer::Plain, None);
    let slots = stock_client(&every, "-j").unwrap_or_default();
    assert_eq!(slots.trim(), (lines.len() * 20).to_string());
}
