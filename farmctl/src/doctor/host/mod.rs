//! Findings about the machine that lends its cores.

mod engine;
mod farm;
mod machine;
mod ports;
pub mod publishing;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use super::Finding;
use super::facts::HostFacts;

/// Everything there is to say. Pure.
pub fn examine(facts: &HostFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    engine::examine(facts, &mut findings);
    publishing::examine(facts, &mut findings);
    ports::examine(facts, &mut findings);
    machine::examine(facts, &mut findings);
    farm::examine(facts, &mut findings);
    findings
}
