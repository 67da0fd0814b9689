//! Ports that others have, now or after the next reboot.

use super::super::facts::{HostFacts, PortHolder, VolunteerFacts};
use super::super::finding::Findings;
use super::super::{Code, Finding};
use crate::health::Listener;

/// The stock daemon's own port, and that of its statistics, as it has them without being told.
const STOCK_PORT: u16 = 3632;
const STOCK_STATISTICS_PORT: u16 = 3633;

pub(super) fn examine(facts: &HostFacts, findings: &mut Findings) {
    let volunteers = &facts.farm.volunteers;
    let taken: Vec<_> = volunteers
        .iter()
        .filter_map(|volunteer| Some((volunteer, volunteer.port_holder.as_ref()?)))
        .map(|(volunteer, holder)| taken(volunteer, holder))
        .collect();
    if taken.is_empty() && !volunteers.is_empty() {
        findings.push(Finding::well(
            Code::Ports,
            "every port is the farm's or free",
        ));
    }
    findings.extend(taken);
    let needs_stock_port = volunteers
        .iter()
        .any(|volunteer| volunteer.address.port() == STOCK_PORT);
    if facts.is_here && facts.machine.stock_daemon_at_boot && needs_stock_port {
        findings.push(
            Finding::note(
                Code::StockDaemon,
                format!("the stock daemon's service is enabled and takes port {STOCK_PORT} at the next boot, before the engine"),
            )
            .hint("sudo systemctl disable --now distcc (or distccd)"),
        );
    }
}

fn taken(volunteer: &VolunteerFacts, holder: &PortHolder) -> Finding {
    let (port, target) = (volunteer.address.port(), &volunteer.target);
    match holder {
        PortHolder::Process(Listener::Process { name, pid }) if name == "distccd" && port == STOCK_STATISTICS_PORT => {
            Finding::problem(
                Code::StatisticsPort,
                format!("port {port} of target {target} is taken by the stock daemon's statistics (pid {pid})"),
            )
            .hint("start it with --stats-port and another number, or stop it: sudo systemctl disable --now distcc")
        }
        PortHolder::Process(Listener::Process { name, pid }) if name == "distccd" => Finding::problem(
            Code::StockDaemon,
            format!("port {port} of target {target} is taken by the stock daemon (pid {pid})"),
        )
        .hint("sudo systemctl disable --now distcc (or distccd), then farmctl up"),
        PortHolder::Container(name) => Finding::problem(
            Code::PortTaken,
            format!("port {port} of target {target} is published by container {name}"),
        )
        .hint(format!("docker stop {name}, or give the target another port in toolchains/")),
        PortHolder::Process(holder) => Finding::problem(
            Code::PortTaken,
            format!("port {port} of target {target} is taken by {holder}"),
        )
        .hint(format!(
            "find it with: sudo ss -ltnp 'sport = :{port}'; stop it, or give the target another port in toolchains/"
        )),
    }
}
