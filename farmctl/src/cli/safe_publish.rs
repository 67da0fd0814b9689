//! Where ports are opened on an engine that would hide who the clients are: the list of who may send jobs must mean
//! something, so such a farm moves to the host's own network, or keeps to this machine.

use std::net::{IpAddr, Ipv4Addr};

use super::context::Context;
use super::fleet::Label;
use crate::doctor::Fact;
use crate::doctor::facts::DaemonSettings;
use crate::doctor::host::publishing::{Hider, PublishSafety, publish_safety};
use crate::engine::EngineSystem;
use crate::farm::{Host, Network, Publish};

/// What was chosen because clients' addresses would be hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chosen {
    /// Doors are in the host's network.
    HostNetwork(Hider),
    /// Ports are open for programs of this machine only.
    ThisMachine(Hider),
    /// The manifest names an address, so that is where the port is, and anybody may send jobs who reaches it.
    AsWritten(Hider),
}

/// Changes `host` so that every volunteer sees who its clients are. Pure.
pub(super) fn choose(
    host: &mut Host,
    engine: &EngineSystem,
    daemon: &Fact<DaemonSettings>,
    own_address: IpAddr,
) -> Vec<Chosen> {
    let mut choices = Vec::new();
    for volunteer in &mut host.volunteers {
        let address = match volunteer.publish {
            Publish::Auto => own_address,
            Publish::On(address) => address,
        };
        let safety = publish_safety(engine, daemon, volunteer.network, address);
        let PublishSafety::Hidden(hider) = safety else {
            continue;
        };
        let chosen = match (hider, volunteer.publish) {
            (Hider::NoPacketRules | Hider::NoPacketRulesForIpv6, _) => {
                volunteer.network = Network::Host;
                Chosen::HostNetwork(hider)
            }
            (Hider::Rootless | Hider::VirtualMachine, Publish::Auto) => {
                volunteer.publish = Publish::On(Ipv4Addr::LOCALHOST.into());
                Chosen::ThisMachine(hider)
            }
            (Hider::Rootless | Hider::VirtualMachine, Publish::On(_)) => Chosen::AsWritten(hider),
        };
        if !choices.contains(&chosen) {
            choices.push(chosen);
        }
    }
    choices
}

/// Says what was chosen, and why.
pub(super) fn tell(choices: &[Chosen], label: &Label, context: &Context) {
    for choice in choices {
        let (hider, what) = match choice {
            Chosen::HostNetwork(hider) => (hider, "ports are opened in the host's own network"),
            Chosen::ThisMachine(hider) => (hider, "ports are opened for this machine only"),
            Chosen::AsWritten(hider) => (
                hider,
                "`publish` names an address all the same: whoever reaches it may send jobs",
            ),
        };
        context
            .report
            .warning(&format!("{label}{}; {what}", hider.reason()));
        context.report.hint(hider.safe_mode());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Confinement;
    use crate::manifest;

    const OWN: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 30, 5, 9));

    fn engine(security: &[&str]) -> EngineSystem {
        EngineSystem {
            security: security
                .iter()
                .map(|name| Confinement {
                    name: (*name).to_owned(),
                    profile: None,
                })
                .collect(),
            ..EngineSystem::default()
        }
    }

    fn host(keys: &str) -> Host {
        let text = format!("targets: {{ armv7h: {{}} }}\n{keys}");
        let farm = manifest::parse(&text, "farm.yaml").unwrap();
        farm.hosts.into_iter().next().unwrap()
    }

    fn choices(
        keys: &str,
        engine: &EngineSystem,
        packet_rules: bool,
    ) -> (Vec<Chosen>, Network, Publish) {
        let mut host = host(keys);
        let daemon = Ok(DaemonSettings {
            packet_rules,
            packet_rules_for_ipv6: None,
        });
        let chosen = choose(&mut host, engine, &daemon, OWN);
        let volunteer = &host.volunteers[0];
        (chosen, volunteer.network, volunteer.publish)
    }

    #[test]
    fn an_engine_that_hides_nobody_changes_nothing() {
        let (chosen, network, publish) = choices("", &engine(&[]), true);
        assert_eq!(
            (chosen, network, publish),
            (vec![], Network::Bridge, Publish::Auto)
        );
    }

    #[test]
    fn without_packet_rules_doors_go_to_the_hosts_network() {
        let (chosen, network, _) = choices("", &engine(&[]), false);
        assert_eq!(chosen, [Chosen::HostNetwork(Hider::NoPacketRules)]);
        assert_eq!(network, Network::Host);
        let (chosen, ..) = choices("network: host\n", &engine(&[]), false);
        assert_eq!(chosen, []);
    }

    #[test]
    fn a_rootless_engine_serves_this_machine_only_unless_told_otherwise() {
        let rootless = engine(&["rootless"]);
        let (chosen, _, publish) = choices("", &rootless, true);
        assert_eq!(chosen, [Chosen::ThisMachine(Hider::Rootless)]);
        assert_eq!(publish, Publish::On(Ipv4Addr::LOCALHOST.into()));
        let (chosen, _, publish) = choices("publish: 10.30.5.9\n", &rootless, true);
        assert_eq!(chosen, [Chosen::AsWritten(Hider::Rootless)]);
        assert_eq!(publish, Publish::On(OWN));
    }
}
