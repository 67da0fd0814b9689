//! A small farm on a small swarm, for tests.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Desired, desired};
use crate::converge::{Execution, ImageSource, Interrupt, Outcome, Plan, execute};
use crate::engine::{
    EngineFacts, ImageArchive, LiveNode, MemoryEngine, MemorySwarm, Observed, ObservedSwarm,
};
use crate::farm::{Architecture, Farm, ImageTag, Memory, ServicePowers, TargetName};
use crate::image;

/// `keys` are a volunteer's settings.
pub(crate) fn farm(keys: &str, targets: &str) -> Farm {
    let text = format!(
        "farm: attic\n{keys}\nhosts: {{ rack: {{ engine: swarm, registry: 'registry.lan:5000/farmctl', targets: [{targets}] }} }}\n"
    );
    crate::manifest::parse(&text, "farm.yaml").unwrap()
}

pub(crate) fn wish(farm: &Farm) -> Desired {
    let host = &farm.hosts[0];
    let tag = |name: &TargetName| ImageTag::new(format!("farmctl/{name}:1f0c"));
    let names = host
        .volunteers
        .iter()
        .map(|volunteer| volunteer.target.name.clone());
    let images: BTreeMap<_, _> = names.map(|name| (name.clone(), tag(&name))).collect();
    let surroundings = super::Surroundings {
        engine: &facts(),
        powers: ServicePowers::default(),
        images: &images,
    };
    let swarm = host.swarm.as_ref().unwrap();
    desired(&farm.name, &farm.allow, (host, swarm), &surroundings).unwrap()
}

fn facts() -> EngineFacts {
    EngineFacts {
        version: "20.10".to_owned(),
        architecture: Architecture::Amd64,
        processors: 4,
        memory: Memory::from_bytes(16 << 30),
        swap_limit: true,
        process_limit: true,
    }
}

pub(crate) fn node(number: u8) -> LiveNode {
    LiveNode {
        id: format!("node{number}"),
        hostname: format!("host{number}"),
        address: Some(IpAddr::from([10, 0, 0, number])),
        is_ready: true,
        is_active: true,
        processors: u32::from(number) * 4,
        machine: "x86_64".to_owned(),
    }
}

/// A manager of so many nodes and nothing else.
pub(crate) fn swarm(nodes: u8) -> MemoryEngine {
    let observed = ObservedSwarm {
        nodes: (1..=nodes).map(node).collect(),
        ..ObservedSwarm::default()
    };
    let to_load = ["armv7h", "aarch64", "armv5", "x86_64"];
    let to_load = to_load.map(|name| ImageTag::new(format!("farmctl/{name}:1f0c")));
    MemoryEngine::new(Observed::default(), to_load.into())
        .managing(MemorySwarm::new(observed, BTreeMap::new()))
}

struct Nothing;

impl ImageSource for Nothing {
    async fn archive(&self, _tags: &[ImageTag]) -> Result<ImageArchive, image::Error> {
        Ok(Box::pin(futures_util::stream::empty()))
    }
}

pub(crate) async fn carry_out(plan: &Plan, engine: &MemoryEngine) -> Outcome {
    let execution = Execution {
        engine,
        images: &Nothing,
        report: |_: &_, _| {},
        interrupt: Interrupt::new(),
        patience: std::time::Duration::ZERO,
    };
    execute(plan, &execution).await
}
