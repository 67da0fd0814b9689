//! The list of hosts: where it comes from, and whether it can be read.

use super::super::facts::master::MasterFacts;
use super::super::finding::Findings;
use super::super::{Code, Finding};
use super::list::{self, DEFAULT_PORT, HostOption, Item, TcpHost};

/// Where a list of hosts stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSource {
    /// Its name, for sentences.
    pub place: String,
    /// The list.
    pub text: String,
}

/// The lists that there are, the one that counts first: what was asked about; else the client's own order, with
/// makepkg's file between the environment and the client's files.
pub fn listed(facts: &MasterFacts) -> Vec<ListSource> {
    let source = |place: &str, text: Option<String>| {
        text.map(|text| ListSource {
            place: place.to_owned(),
            text,
        })
    };
    let asked = (!facts.asked.is_empty()).then(|| facts.asked.join(" "));
    if let Some(asked) = source("the command line", asked) {
        return vec![asked];
    }
    let environment = facts.environment.get("DISTCC_HOSTS").cloned();
    let makepkg = facts
        .makepkg()
        .and_then(|makepkg| makepkg.text("DISTCC_HOSTS"));
    let mut lists: Vec<_> = source("DISTCC_HOSTS", environment).into_iter().collect();
    lists.extend(source("makepkg.conf", makepkg));
    // Of the client's files the first one wins.
    lists.extend(facts.host_files.first().cloned());
    lists
}

pub(super) fn examine(facts: &MasterFacts, findings: &mut Findings) {
    let lists = listed(facts);
    let Some(first) = lists.first() else {
        findings.push(nowhere("distcc is told no host: neither DISTCC_HOSTS nor makepkg.conf nor a hosts file names one"));
        return;
    };
    findings.extend(two_places(&lists));
    let items = match list::parse(&first.text) {
        Ok(items) => items,
        Err(error) => {
            findings.push(
                Finding::problem(
                    Code::HostsSyntax,
                    format!(
                        "distcc cannot read the list of {} and uses none of it: {error}",
                        first.place
                    ),
                )
                .hint(error.hint),
            );
            return;
        }
    };
    let hosts: Vec<&TcpHost> = tcp_hosts(&items).collect();
    if !items
        .iter()
        .any(|item| matches!(item, Item::Tcp(_) | Item::Ssh(_) | Item::Zeroconf))
    {
        findings.push(nowhere(&format!(
            "the list of {} names no other machine",
            first.place
        )));
        return;
    }
    findings.push(Finding::well(
        Code::Hosts,
        format!(
            "the list of {} is well-formed: {}",
            first.place,
            first.text.trim()
        ),
    ));
    findings.extend(whole_list(&items, facts));
    for host in &hosts {
        findings.extend(one_host(host, facts));
    }
    findings.extend(twins(&hosts));
}

/// The hosts at TCP ports among `items`.
pub fn tcp_hosts(items: &[Item]) -> impl Iterator<Item = &TcpHost> {
    items.iter().filter_map(|item| match item {
        Item::Tcp(host) => Some(host),
        _ => None,
    })
}

fn nowhere(text: &str) -> Finding {
    Finding::problem(Code::HostsNone, text)
        .hint("on the host: farmctl hosts prints the lines for makepkg.conf and others")
}

fn two_places(lists: &[ListSource]) -> Option<Finding> {
    let first = lists.first()?;
    let words = |list: &ListSource| {
        list.text
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let other = lists
        .iter()
        .skip(1)
        .find(|other| words(other) != words(first))?;
    Some(
        Finding::note(
            Code::HostsTwice,
            format!(
                "{} and {} name different hosts; the first one is looked at here",
                first.place, other.place
            ),
        )
        .hint(
            "keep one of them; makepkg's own file counts in its builds, the environment elsewhere",
        ),
    )
}

fn whole_list(items: &[Item], facts: &MasterFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    if items.iter().find(|item| !matches!(item, Item::Setting(_))) == Some(&Item::Local) {
        findings.push(
            Finding::note(Code::HostsLocal, "localhost stands first in the list, so this machine compiles before others are asked")
                .hint("put it last, or take it out: preprocessing and linking are enough for a slow board"),
        );
    }
    for item in items {
        if let Item::Ssh(text) = item {
            findings.push(Finding::note(
                Code::Unknown,
                format!("whether '{text}' answers could not be found out: the doctor does not go through ssh"),
            ));
        }
    }
    if items.contains(&Item::Zeroconf) {
        let knows = facts
            .client
            .as_ref()
            .ok()
            .and_then(Option::as_ref)
            .map(|client| client.has_zeroconf);
        findings.push(if knows == Some(false) {
            Finding::problem(Code::HostsZeroconf, "+zeroconf: this build of distcc knows nothing of it and refuses the whole list")
                .hint("name the hosts")
        } else {
            Finding::note(Code::HostsZeroconf, "+zeroconf finds daemons that announce themselves, which a farm's volunteers do not; such hosts get no compression")
                .hint("name the farm's ports in the list as well")
        });
    }
    findings
}

fn one_host(host: &TcpHost, facts: &MasterFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let text = &host.text;
    if host.limit_first {
        let port = host.port.unwrap_or(DEFAULT_PORT);
        let limit = host.limit.unwrap_or_default();
        findings.push(
            Finding::note(
                Code::HostsOrder,
                format!(
                    "'{text}' has the limit before the port, an order that only some programs read"
                ),
            )
            .hint(format!("write {}/{limit}", host.place_at(port))),
        );
    }
    if host.port.is_none() && facts.machine != "x86_64" {
        findings.push(
            Finding::note(
                Code::HostsPort,
                format!(
                    "'{text}' names no port: {DEFAULT_PORT} is meant, which is x86_64's on a farm"
                ),
            )
            .hint(format!(
                "write {}",
                host.place_at(facts.usual_port().unwrap_or(DEFAULT_PORT))
            )),
        );
    }
    if host.limit.is_none() {
        findings.push(
            Finding::note(Code::HostsLimit, format!("'{text}' has no limit, so distcc sends it four jobs at once, however many slots it has"))
                .hint(format!("write {}/SLOTS", host.place())),
        );
    }
    let is_loopback =
        host.name.starts_with("127.") || host.name == "::1" || host.name == "localhost";
    if is_loopback {
        findings.push(
            Finding::note(Code::HostsLocal, format!("'{text}' is this machine itself, reached as if it were another"))
                .hint("distributions ship a list like this: name the host, or write localhost/N for local jobs"),
        );
    }
    if host.has(HostOption::Cpp) {
        findings.push(
            Finding::note(Code::HostsPump, format!("'{text}' asks for pump mode, which distcc uses only in builds under `pump`, and which needs headers on the volunteer"))
                .hint("headers: true in the manifest and `pump make`, or take ,cpp out; never mix such hosts with others (distcc 3.4 aborts)"),
        );
    }
    if host.name.contains(':') {
        findings.push(
            Finding::note(Code::HostsIpv6, format!("'{text}' is an IPv6 address, which only clients built for it (rfc2553) can dial"))
                .hint("write the IPv4 address if nothing is sent"),
        );
    }
    findings
}

fn twins(hosts: &[&TcpHost]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, host) in hosts.iter().enumerate() {
        if hosts
            .iter()
            .take(at)
            .any(|earlier| earlier.place() == host.place())
        {
            findings.push(
                Finding::note(
                    Code::HostsTwin,
                    format!(
                        "{} stands in the list twice and shares its locks",
                        host.place()
                    ),
                )
                .hint("keep one of them, with the whole number of slots"),
            );
        }
    }
    findings
}
