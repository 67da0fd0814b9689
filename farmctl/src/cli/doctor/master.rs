//! The facts about a master, in the order in which they need each other.

use std::time::Duration;

use crate::doctor::facts::client::without_masquerade;
use crate::doctor::facts::master::{self, HostAnswer, MasterFacts, Reached};
use crate::doctor::proof::{Prover, Witness, prove};
use crate::doctor::{Diagnosis, Examined, Fact, Unknown, master as judge};

/// How long the proof may take altogether; slow boards take a while for each file of C++.
const PATIENCE: Duration = Duration::from_mins(5);

pub(super) async fn examine(asked: Vec<String>) -> Diagnosis {
    let mut facts = master::look(asked, master::environment()).await;
    facts.hosts = master::ask(&master::items(&facts), &facts).await;
    facts.proofs = proofs(&facts).await;
    Diagnosis::new(Examined::Master, judge::examine(&facts))
}

/// Only hosts whose objects fit are worth the proof.
async fn proofs(facts: &MasterFacts) -> Fact<Vec<crate::doctor::proof::Proof>> {
    let compilers = facts.compilers.clone()?;
    let own = compilers.c.as_ref().and_then(|own| own.object.clone());
    let fits = |answer: &&HostAnswer| matches!(&answer.reached, Reached::Compiled(found) if own.as_ref().is_some_and(|own| *own == found.object));
    let witness = |answer: &HostAnswer| {
        Some(Witness {
            place: answer.host.place(),
            item: answer.host.text.clone(),
            address: answer.address?,
        })
    };
    let witnesses: Vec<_> = facts
        .hosts
        .iter()
        .filter(fits)
        .filter_map(witness)
        .collect();
    let path = facts
        .environment
        .get("PATH")
        .map(String::as_str)
        .unwrap_or_default();
    let prover = Prover {
        compilers: &compilers,
        client: facts.client.as_ref().ok().and_then(Option::as_ref),
        path: without_masquerade(path),
    };
    if witnesses.is_empty() {
        return Err(Unknown(
            "no host of the list compiles for this machine".to_owned(),
        ));
    }
    tokio::time::timeout(PATIENCE, prove(&prover, &witnesses))
        .await
        .unwrap_or_else(|_late| {
            Err(Unknown(format!(
                "the proof did not end within {} s",
                PATIENCE.as_secs()
            )))
        })
}
