mod client;
mod environment;
mod flags;
mod lists;
mod makepkg;
mod proofs;
mod volunteers;

use std::time::Duration;

use super::super::case::{Case, Side, case};
use super::super::facts::job::JobError;
use super::super::facts::master::{BackOff, Compiled, MasterFacts, Reached};
use super::super::proof::{Outcome, Verdict};
use super::super::{Code, Severity, Unknown};
use super::fixture::{HOST, answer, compiled, healthy, makepkg, proof};
use super::*;

const SIDE: Side<MasterFacts> = Side { healthy, examine };

fn set(facts: &mut MasterFacts, name: &str, value: &str) {
    facts.environment.insert(name.to_owned(), value.to_owned());
}

fn hosts(facts: &mut MasterFacts, list: &str) {
    facts.asked = vec![list.to_owned()];
}

fn configuration(facts: &mut MasterFacts, text: &str) {
    facts.makepkg_files[0].text = Ok(text.to_owned());
}

fn further(facts: &mut MasterFacts, lines: &str) {
    configuration(facts, &makepkg(lines));
}

fn version(facts: &mut MasterFacts, version: &str) {
    version.clone_into(&mut facts.client.as_mut().unwrap().as_mut().unwrap().version);
}

fn reached(facts: &mut MasterFacts, reached: Reached) {
    facts.hosts[0].reached = reached;
}

fn proved(facts: &mut MasterFacts, outcome: Outcome) {
    facts.proofs = Ok(vec![proof(outcome)]);
}

fn different(as_if: Option<&str>) -> Outcome {
    Outcome::Compared(Verdict::Different {
        sections: vec![".text".to_owned()],
        as_if: as_if.map(str::to_owned),
    })
}

fn unknown() -> Unknown {
    Unknown("no permission".to_owned())
}

use Severity::{Note, Problem, Well};

/// By topic, as the files that find them.
const CASES: [&[Case<MasterFacts>]; 7] = [
    client::CASES,
    environment::CASES,
    makepkg::CASES,
    flags::CASES,
    lists::CASES,
    volunteers::CASES,
    proofs::CASES,
];

#[test]
fn each_fault_is_found_and_says_what_helps() {
    SIDE.each_fault_is_found_and_says_what_helps(&CASES);
}

#[test]
fn a_healthy_master_has_neither_problems_nor_notes() {
    SIDE.health_is_neither_a_problem_nor_a_note();
}

#[test]
fn every_code_of_a_master_has_a_case() {
    SIDE.every_code_has_a_case(&CASES, |code| !code.topic().starts_with("Host"));
}

#[test]
fn the_wrong_port_leads_to_the_right_one() {
    let mut facts = healthy();
    facts.hosts = vec![answer("10.30.5.9:3636/20")];
    reached(
        &mut facts,
        Reached::Compiled(Compiled {
            object: volunteer_toolchain::objects_of("aarch64-linux-gnu").unwrap(),
            ..compiled()
        }),
    );
    let findings = examine(&facts);
    let wrong = findings
        .iter()
        .find(|finding| finding.code == Code::HostWrongTarget)
        .unwrap();
    assert_eq!(
        wrong.hint.as_deref(),
        Some("the usual port of this machine's target: 10.30.5.9:3635 (armv7h)")
    );
}

#[test]
fn the_list_that_is_asked_for_counts_then_the_clients_own_order() {
    let mut facts = healthy();
    assert_eq!(listed(&facts)[0].place, "makepkg.conf");
    assert_eq!(listed(&facts)[0].text, HOST);
    facts.host_files.push(ListSource {
        place: "/etc/distcc/hosts".to_owned(),
        text: "a".to_owned(),
    });
    set(&mut facts, "DISTCC_HOSTS", "b:3635/1");
    let places: Vec<_> = listed(&facts).into_iter().map(|list| list.place).collect();
    assert_eq!(
        places,
        ["DISTCC_HOSTS", "makepkg.conf", "/etc/distcc/hosts"]
    );
    hosts(&mut facts, "c:3635/1");
    assert_eq!(listed(&facts).len(), 1);
}
