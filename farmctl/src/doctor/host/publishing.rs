//! Who reaches the farm, and whether volunteers see who that is.
//!
//! Volunteers judge clients by their address. An engine may put its own in the place of the client's: then the list of who
//! may send jobs means nothing. [`publish_safety`] decides which it is.

use std::net::IpAddr;

use super::super::facts::{DaemonSettings, HostFacts, VolunteerFacts};
use super::super::finding::Findings;
use super::super::{Code, Fact, Finding};
use super::engine::is_virtual;
use crate::engine::EngineSystem;
use crate::farm::{AllowList, AllowRule, Network};

/// Whether a volunteer sees the addresses of those who reach its published port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishSafety {
    /// It sees the client's own address.
    Seen,
    /// Only programs of this machine reach the port, whatever address they seem to have.
    ThisMachineOnly,
    /// Every client looks like the engine.
    Hidden(Hider),
    /// The engine's settings could not be read.
    Unsure(String),
}

/// What puts its own address in the place of the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hider {
    /// An engine without root privileges: its port driver.
    Rootless,
    /// An engine in a virtual machine: its forwarder.
    VirtualMachine,
    /// An engine that may not set up packet rules: its userland proxy.
    NoPacketRules,
    /// An engine without rules for IPv6: its userland proxy.
    NoPacketRulesForIpv6,
}

/// From this release on the engine makes packet rules for IPv6 by itself.
const RULES_FOR_IPV6: (u32, u32) = (27, 0);

/// What a port published on `publish` in `network` means for the list of who may send jobs. Pure.
pub fn publish_safety(
    engine: &EngineSystem,
    daemon: &Fact<DaemonSettings>,
    network: Network,
    publish: IpAddr,
) -> PublishSafety {
    if publish.is_loopback() {
        return PublishSafety::ThisMachineOnly;
    }
    if engine.confines_with("rootless").is_some() {
        return PublishSafety::Hidden(Hider::Rootless);
    }
    if is_virtual(engine) {
        return PublishSafety::Hidden(Hider::VirtualMachine);
    }
    if network == Network::Host {
        return PublishSafety::Seen;
    }
    match daemon {
        Err(reason) => PublishSafety::Unsure(reason.to_string()),
        Ok(daemon) if !daemon.packet_rules => PublishSafety::Hidden(Hider::NoPacketRules),
        Ok(daemon) if publish.is_ipv6() && !has_rules_for_ipv6(engine, *daemon) => {
            PublishSafety::Hidden(Hider::NoPacketRulesForIpv6)
        }
        Ok(_) => PublishSafety::Seen,
    }
}

fn has_rules_for_ipv6(engine: &EngineSystem, daemon: DaemonSettings) -> bool {
    let by_default = engine
        .release
        .is_some_and(|release| release >= RULES_FOR_IPV6);
    daemon.packet_rules_for_ipv6.unwrap_or(by_default)
}

impl Hider {
    /// What happens, in one sentence.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Rootless => {
                "the engine runs without root privileges, and its port driver hides who the clients are"
            }
            Self::VirtualMachine => {
                "the engine runs in a virtual machine, whose forwarder hides who the clients are"
            }
            Self::NoPacketRules => {
                "the engine may not set up packet rules (\"iptables\": false), so its proxy hides who the clients are"
            }
            Self::NoPacketRulesForIpv6 => {
                "the engine makes no packet rules for IPv6, so its proxy hides who the clients are"
            }
        }
    }

    /// How to publish safely with this engine.
    pub fn safe_mode(self) -> &'static str {
        match self {
            Self::Rootless | Self::VirtualMachine => {
                "set publish: 127.0.0.1 in the manifest and let masters come through ssh (ssh -L), or use an engine with root privileges on this kernel"
            }
            Self::NoPacketRules => {
                "set network: host in the manifest: volunteers then see their clients themselves; or publish: 127.0.0.1"
            }
            Self::NoPacketRulesForIpv6 => {
                "set network: host in the manifest, publish on an IPv4 address, or set \"ip6tables\": true in /etc/docker/daemon.json"
            }
        }
    }
}

pub(super) fn examine(facts: &HostFacts, findings: &mut Findings) {
    everyone(&facts.farm.allow, findings);
    let Ok(engine) = &facts.engine else { return };
    let mut groups: Vec<(PublishSafety, Vec<&str>)> = Vec::new();
    for volunteer in &facts.farm.volunteers {
        let safety = publish_safety(
            engine,
            &facts.daemon,
            volunteer.network,
            volunteer.address.ip(),
        );
        let target = volunteer.target.as_str();
        match groups.iter_mut().find(|(known, _)| *known == safety) {
            Some((_, targets)) => targets.push(target),
            None => groups.push((safety, vec![target])),
        }
    }
    // What only files of the engine's machine tell is for a doctor there.
    let is_told =
        |safety: &PublishSafety| facts.is_here || !matches!(safety, PublishSafety::Unsure(_));
    let told = groups.iter().filter(|(safety, _)| is_told(safety));
    findings.extend(told.map(|(safety, targets)| addresses(safety, &targets.join(", "))));
    if facts.is_here {
        firewall(facts, findings);
    }
}

fn addresses(safety: &PublishSafety, targets: &str) -> Finding {
    match safety {
        PublishSafety::Seen => Finding::well(
            Code::AddressesSeen,
            format!("volunteers see who their clients are ({targets})"),
        ),
        PublishSafety::ThisMachineOnly => Finding::well(
            Code::AddressesSeen,
            format!("only this machine reaches the published ports ({targets})"),
        ),
        PublishSafety::Hidden(hider) => Finding::problem(
            Code::AddressesHidden,
            format!("the list of who may send jobs cannot be trusted ({targets}): {}", hider.reason()),
        )
        .hint(hider.safe_mode()),
        PublishSafety::Unsure(reason) => Finding::note(
            Code::Unknown,
            format!("whether volunteers see who their clients are could not be found out ({targets}): {reason}"),
        )
        .hint("run this as a user who may read /etc/docker/daemon.json"),
    }
}

fn everyone(allow: &AllowList, findings: &mut Findings) {
    let is_everyone =
        |rule: &&AllowRule| matches!(rule, AllowRule::Range(range) if range.prefix_len() == 0);
    if let Some(rule) = allow.rules().iter().find(is_everyone) {
        findings.push(
            Finding::note(
                Code::AllowEveryone,
                format!("allow: {rule} lets every address send jobs"),
            )
            .hint("name your networks, such as allow: [private, 203.0.113.0/24]"),
        );
    }
}

/// The engine's rules come before those of a firewall that was not made for it.
fn firewall(facts: &HostFacts, findings: &mut Findings) {
    let is_published = |volunteer: &&VolunteerFacts| {
        volunteer.network == Network::Bridge && !volunteer.address.ip().is_loopback()
    };
    if facts.farm.volunteers.iter().find(is_published).is_none() {
        return;
    }
    let firewall = &facts.firewall;
    for (active, name) in [(&firewall.ufw, "ufw"), (&firewall.firewalld, "firewalld")] {
        match active {
            Ok(true) => findings.push(
                Finding::note(
                    Code::FirewallBypassed,
                    format!("{name} is active, and published ports do not pass its rules: what it denies still reaches the volunteers"),
                )
                .hint("rely on allow: and publish:, write rules into the chain DOCKER-USER, or set network: host"),
            ),
            Ok(false) => findings.push(Finding::well(Code::Firewall, format!("{name} is not active"))),
            Err(reason) => findings.push(Finding::unknown(&format!("whether {name} is active"), reason)),
        }
    }
}
