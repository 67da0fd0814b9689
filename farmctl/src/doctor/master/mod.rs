//! Findings about the machine that sends jobs.

mod client;
mod environment;
mod flags;
pub mod list;
mod lists;
pub mod makepkg;
mod proofs;
pub mod shell;
mod volunteers;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use lists::{ListSource, listed, tcp_hosts};

use super::Finding;
use super::facts::master::MasterFacts;

/// Everything there is to say. Pure.
pub fn examine(facts: &MasterFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    client::examine(facts, &mut findings);
    environment::examine(facts, &mut findings);
    makepkg::examine(facts, &mut findings);
    flags::examine(facts, &mut findings);
    lists::examine(facts, &mut findings);
    volunteers::examine(facts, &mut findings);
    proofs::examine(facts, &mut findings);
    findings
}
