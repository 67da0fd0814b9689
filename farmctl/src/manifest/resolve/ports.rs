//! One port of an address leads to one volunteer.

use std::net::{IpAddr, Ipv4Addr};

use crate::farm::{Address, Publish, Stats, Volunteer};
use crate::manifest::error::Findings;
use crate::manifest::problem::Problem;
use crate::manifest::source::Spot;

/// A port that a volunteer opens on its host.
struct Open<'v> {
    volunteer: &'v Volunteer,
    spot: &'v Spot,
    is_stats: bool,
    on: Publish,
    port: u16,
}

/// Notes every port that two volunteers of one host would open; each comes with where its port is written.
pub(super) fn refuse_shared(
    volunteers: &[(Volunteer, &Spot)],
    host: &Address,
    findings: &mut Findings,
) {
    let mut open: Vec<Open<'_>> = Vec::new();
    for (volunteer, spot) in volunteers {
        for new in opened(volunteer, spot, host, findings) {
            let clash = open
                .iter()
                .find(|old| old.port == new.port && overlap(old.on, new.on));
            if let Some(old) = clash {
                let (jobs, other) = if old.is_stats {
                    (&new, old)
                } else {
                    (old, &new)
                };
                let problem = Problem::SamePort {
                    first: jobs.name(),
                    second: other.name(),
                    port: new.port,
                };
                findings.clash(problem, new.spot, old.spot);
            }
            open.push(new);
        }
    }
}

fn opened<'v>(
    volunteer: &'v Volunteer,
    spot: &'v Spot,
    host: &Address,
    findings: &mut Findings,
) -> Vec<Open<'v>> {
    let jobs = volunteer.target.port;
    let publish = match (volunteer.publish, host) {
        (Publish::Auto, Address::Given(address)) => address.ip().map_or(Publish::Auto, Publish::On),
        (publish, _) => publish,
    };
    let open = |is_stats, on, port| Open {
        volunteer,
        spot,
        is_stats,
        on,
        port,
    };
    let mut all = vec![open(false, publish, jobs.number())];
    let on = match volunteer.stats {
        Stats::Off => return all,
        Stats::Loopback => Publish::On(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        Stats::Lan => publish,
    };
    if let Some(port) = jobs.number().checked_add(Stats::PORT_DISTANCE) {
        all.push(open(true, on, port));
    } else {
        let target = volunteer.target.name.clone();
        findings.at(Problem::NoStatsPort { target, port: jobs }, spot);
    }
    all
}

/// Whether both may be the same address. The host's own is not known here, but is not its loopback.
fn overlap(one: Publish, other: Publish) -> bool {
    match (one, other) {
        (Publish::Auto, Publish::Auto) => true,
        (Publish::Auto, Publish::On(ip)) | (Publish::On(ip), Publish::Auto) => !ip.is_loopback(),
        (Publish::On(one), Publish::On(other)) => {
            one == other || one.is_unspecified() || other.is_unspecified()
        }
    }
}

impl Open<'_> {
    fn name(&self) -> String {
        let target = &self.volunteer.target.name;
        if self.is_stats {
            format!("the statistics of {target}")
        } else {
            target.to_string()
        }
    }
}
