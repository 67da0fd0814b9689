mod engine;
mod farm;
mod machine;
mod ports;
mod publishing;

use std::net::IpAddr;
use std::time::SystemTime;

use super::super::case::{Case, Side, case};
use super::super::facts::{DaemonSettings, HostFacts, PortHolder, VolunteerFacts};
use super::super::{Code, Severity, Unknown};
use super::fixture::healthy;
use super::publishing::{Hider, PublishSafety, publish_safety};
use super::*;
use crate::engine::{Confinement, EngineClock, EngineSystem, LiveState};
use crate::farm::{AllowList, Network, Restart};
use crate::health::Listener;

const SIDE: Side<HostFacts> = Side { healthy, examine };

fn engine(facts: &mut HostFacts) -> &mut EngineSystem {
    facts.engine.as_mut().unwrap()
}

fn volunteer(facts: &mut HostFacts) -> &mut VolunteerFacts {
    &mut facts.farm.volunteers[0]
}

fn unknown() -> Unknown {
    Unknown("no permission".to_owned())
}

fn distccd() -> PortHolder {
    PortHolder::Process(Listener::Process {
        pid: 7,
        name: "distccd".to_owned(),
    })
}

fn at_3632(facts: &mut HostFacts) {
    volunteer(facts).address.set_port(3632);
}

use Severity::{Note, Problem, Well};

/// By topic, as the files that find them.
const CASES: [&[Case<HostFacts>]; 5] = [
    engine::CASES,
    publishing::CASES,
    ports::CASES,
    machine::CASES,
    farm::CASES,
];

#[test]
fn each_fault_is_found_and_says_what_helps() {
    SIDE.each_fault_is_found_and_says_what_helps(&CASES);
}

#[test]
fn a_healthy_host_has_neither_problems_nor_notes() {
    SIDE.health_is_neither_a_problem_nor_a_note();
}

#[test]
fn every_code_of_a_host_has_a_case() {
    SIDE.every_code_has_a_case(&CASES, |code| code.topic().starts_with("Host"));
}

#[test]
fn whose_address_a_volunteer_sees_depends_on_engine_network_and_publishing() {
    let settings = |packet_rules, ipv6| {
        Ok(DaemonSettings {
            packet_rules,
            packet_rules_for_ipv6: ipv6,
        })
    };
    let lan = IpAddr::from([10, 30, 5, 9]);
    let lan6: IpAddr = "fd00::9".parse().unwrap();
    let loopback = IpAddr::from([127, 0, 0, 1]);
    let engine = fixture::engine(SystemTime::UNIX_EPOCH);
    let old = EngineSystem {
        release: Some((20, 10)),
        ..engine.clone()
    };
    let rootless = EngineSystem {
        security: vec![Confinement {
            name: "rootless".to_owned(),
            profile: None,
        }],
        ..engine.clone()
    };
    let hidden = PublishSafety::Hidden;
    for (engine, daemon, network, publish, expected) in [
        (
            &engine,
            settings(true, None),
            Network::Bridge,
            lan,
            PublishSafety::Seen,
        ),
        (
            &engine,
            settings(false, None),
            Network::Bridge,
            lan,
            hidden(Hider::NoPacketRules),
        ),
        (
            &engine,
            settings(false, None),
            Network::Host,
            lan,
            PublishSafety::Seen,
        ),
        (
            &engine,
            settings(false, None),
            Network::Bridge,
            loopback,
            PublishSafety::ThisMachineOnly,
        ),
        (
            &engine,
            settings(true, None),
            Network::Bridge,
            lan6,
            PublishSafety::Seen,
        ),
        (
            &old,
            settings(true, None),
            Network::Bridge,
            lan6,
            hidden(Hider::NoPacketRulesForIpv6),
        ),
        (
            &old,
            settings(true, Some(true)),
            Network::Bridge,
            lan6,
            PublishSafety::Seen,
        ),
        (
            &rootless,
            settings(true, None),
            Network::Host,
            lan,
            hidden(Hider::Rootless),
        ),
        (
            &engine,
            Err(unknown()),
            Network::Bridge,
            lan,
            PublishSafety::Unsure("no permission".to_owned()),
        ),
    ] {
        assert_eq!(
            publish_safety(engine, &daemon, network, publish),
            expected,
            "{daemon:?} {network} {publish}"
        );
    }
}
