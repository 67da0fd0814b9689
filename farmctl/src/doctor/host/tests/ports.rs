//! What can be wrong with ports.

use super::*;

pub(super) const CASES: &[Case<HostFacts>] = &[
    case(
        |f| volunteer(f).port_holder = Some(PortHolder::Container("web".to_owned())),
        Code::PortTaken,
        Problem,
        "container web",
    ),
    case(
        |f| volunteer(f).port_holder = Some(PortHolder::Process(Listener::Hidden)),
        Code::PortTaken,
        Problem,
        "another user",
    ),
    case(
        |f| volunteer(f).port_holder = Some(distccd()),
        Code::StatisticsPort,
        Problem,
        "port 3633 of target armv5 is taken by the stock daemon's statistics",
    ),
    case(
        |f| {
            at_3632(f);
            volunteer(f).port_holder = Some(distccd());
        },
        Code::StockDaemon,
        Problem,
        "port 3632",
    ),
    case(
        |f| {
            at_3632(f);
            f.machine.stock_daemon_at_boot = true;
        },
        Code::StockDaemon,
        Note,
        "at the next boot",
    ),
    case(|_| (), Code::Ports, Well, "every port"),
];
