use std::net::IpAddr;
use std::time::SystemTime;

use super::super::case::{Case, Side, case};
use super::super::facts::{DaemonSettings, HostFacts, PortHolder, VolunteerFacts};
use super::super::{Code, Severity, Unknown};
use super::fixture::healthy;
use super::publishing::{Hider, PublishSafety, publish_safety};
use super::*;
use crate::engine::{Confinement, EngineClock, EngineSystem, LiveState};
use crate::farm::{AllowList, Network, Restart};
use crate::health::Listener;

const SIDE: Side<HostFacts> = Side { healthy, examine };

fn engine(facts: &mut HostFacts) -> &mut EngineSystem {
    facts.engine.as_mut().unwrap()
}

fn volunteer(facts: &mut HostFacts) -> &mut VolunteerFacts {
    &mut facts.farm.volunteers[0]
}

fn unknown() -> Unknown {
    Unknown("no permission".to_owned())
}

fn distccd() -> PortHolder {
    PortHolder::Process(Listener::Process {
        pid: 7,
        name: "distccd".to_owned(),
    })
}

fn at_3632(facts: &mut HostFacts) {
    volunteer(facts).address.set_port(3632);
}

use Severity::{Note, Problem, Well};

const CASES: &[Case<HostFacts>] = &[
    case(
        |f| f.engine = Err(Unknown("connect: nobody".to_owned())),
        Code::EngineUnreachable,
        Problem,
        "connect: nobody",
    ),
    case(
        |f| engine(f).release = Some((19, 3)),
        Code::EngineOld,
        Problem,
        "needs 20.10",
    ),
    case(
        |f| engine(f).release = Some((20, 10)),
        Code::EngineOld,
        Note,
        "gets no corrections",
    ),
    case(
        |f| engine(f).product.push("Podman Engine".to_owned()),
        Code::EngineOther,
        Note,
        "Podman Engine answers",
    ),
    case(
        |f| engine(f).operating_system = Some("Docker Desktop".to_owned()),
        Code::EngineVirtual,
        Note,
        "runs on Docker Desktop",
    ),
    case(
        |f| engine(f).kernel = Some("5.15.0-vm".to_owned()),
        Code::EngineVirtual,
        Note,
        "not on this machine's kernel",
    ),
    case(|_| (), Code::Engine, Well, "the engine is 28.2.2"),
    case(
        |f| engine(f).storage_driver = Some("vfs".to_owned()),
        Code::StorageDriver,
        Note,
        "copies every layer",
    ),
    case(|_| (), Code::StorageDriver, Well, "overlay2"),
    case(
        |f| engine(f).storage_driver = None,
        Code::Unknown,
        Note,
        "way of storing images",
    ),
    case(
        |f| engine(f).cgroup_version = Some(1),
        Code::CgroupV1,
        Note,
        "first generation",
    ),
    case(
        |f| engine(f).limits_memory = Some(false),
        Code::Limits,
        Problem,
        "limit the memory",
    ),
    case(
        |f| engine(f).limits_processes = Some(false),
        Code::Limits,
        Problem,
        "number of processes",
    ),
    case(
        |f| engine(f).security.clear(),
        Code::Seccomp,
        Problem,
        "does not filter",
    ),
    case(
        |f| engine(f).security[0].profile = Some("unconfined".to_owned()),
        Code::Seccomp,
        Problem,
        "switched off",
    ),
    case(
        |f| {
            engine(f).security.push(Confinement {
                name: "selinux".to_owned(),
                profile: None,
            });
        },
        Code::MandatoryAccess,
        Note,
        "SELinux confines",
    ),
    case(
        |f| {
            engine(f).security.push(Confinement {
                name: "apparmor".to_owned(),
                profile: None,
            });
        },
        Code::MandatoryAccess,
        Well,
        "AppArmor confines",
    ),
    case(
        |_| (),
        Code::MandatoryAccess,
        Well,
        "neither SELinux nor AppArmor",
    ),
    case(
        |f| f.machine.engine_at_boot = Ok(false),
        Code::AtBoot,
        Note,
        "does not start at boot",
    ),
    case(
        |f| f.machine.engine_at_boot = Err(unknown()),
        Code::Unknown,
        Note,
        "starts at boot could not be found out: no permission",
    ),
    case(
        |_| (),
        Code::AddressesSeen,
        Well,
        "see who their clients are (armv5)",
    ),
    case(
        |f| volunteer(f).address.set_ip(IpAddr::from([127, 0, 0, 1])),
        Code::AddressesSeen,
        Well,
        "only this machine reaches",
    ),
    case(
        |f| {
            engine(f).security.push(Confinement {
                name: "rootless".to_owned(),
                profile: None,
            });
        },
        Code::AddressesHidden,
        Problem,
        "without root privileges",
    ),
    case(
        |f| {
            f.daemon = Ok(DaemonSettings {
                packet_rules: false,
                packet_rules_for_ipv6: None,
            });
        },
        Code::AddressesHidden,
        Problem,
        "cannot be trusted (armv5)",
    ),
    case(
        |f| f.daemon = Err(unknown()),
        Code::Unknown,
        Note,
        "who their clients are could not be found out",
    ),
    case(
        |f| f.farm.allow = AllowList::new(vec!["0.0.0.0/0".parse().unwrap()]),
        Code::AllowEveryone,
        Note,
        "lets every address",
    ),
    case(
        |f| f.firewall.ufw = Ok(true),
        Code::FirewallBypassed,
        Note,
        "ufw is active",
    ),
    case(
        |f| f.firewall.firewalld = Ok(true),
        Code::FirewallBypassed,
        Note,
        "firewalld is active",
    ),
    case(
        |f| f.firewall.ufw = Err(unknown()),
        Code::Unknown,
        Note,
        "whether ufw is active",
    ),
    case(|_| (), Code::Firewall, Well, "ufw is not active"),
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
    case(
        |f| f.machine.now = SystemTime::UNIX_EPOCH,
        Code::ClockWrong,
        Problem,
        "years behind",
    ),
    case(
        |f| {
            engine(f).clock = Some(EngineClock {
                time: SystemTime::UNIX_EPOCH,
                apart: std::time::Duration::from_secs(90),
            });
        },
        Code::ClockSkew,
        Problem,
        "90 s apart",
    ),
    case(
        |f| engine(f).clock = None,
        Code::Unknown,
        Note,
        "the engine's clock",
    ),
    case(|_| (), Code::Clock, Well, "agree"),
    case(
        |f| f.machine.engine_disk.as_mut().unwrap().free = 5 << 20,
        Code::DiskLow,
        Problem,
        "only 5.00 MiB are free where the engine keeps its images (/var/lib/docker)",
    ),
    case(
        |f| f.machine.cache_disk.as_mut().unwrap().free = 2 << 30,
        Code::DiskLow,
        Note,
        "only 2.00 GiB are free where downloads are kept",
    ),
    case(
        |f| f.machine.engine_disk = Err(unknown()),
        Code::Unknown,
        Note,
        "how much room",
    ),
    case(|_| (), Code::Disk, Well, "100.00 GiB"),
    case(
        |f| volunteer(f).memory = Some(1 << 30),
        Code::MemoryLow,
        Note,
        "8 slots and 1.00 GiB of memory",
    ),
    case(|_| (), Code::Memory, Well, "every slot"),
    case(
        |f| f.machine.landlock = Ok(false),
        Code::Landlock,
        Problem,
        "do not start",
    ),
    case(
        |f| f.machine.landlock = Err(unknown()),
        Code::Unknown,
        Note,
        "Landlock could not be found out",
    ),
    case(|_| (), Code::Landlock, Well, "can confine"),
    case(
        |f| f.machine.pressure = false,
        Code::Pressure,
        Note,
        "does not tell",
    ),
    case(|_| (), Code::Pressure, Well, "tells how short"),
    case(
        |f| volunteer(f).live = None,
        Code::FarmDown,
        Note,
        "nothing of farm attic runs",
    ),
    case(
        |f| volunteer(f).door = None,
        Code::DoorDown,
        Problem,
        "the door of armv5 does not run: it is missing",
    ),
    case(
        |f| volunteer(f).is_drained = true,
        Code::Drained,
        Note,
        "target armv5 is drained",
    ),
    case(
        |f| volunteer(f).live.as_mut().unwrap().state = LiveState::Restarting,
        Code::VolunteerDown,
        Problem,
        "it is restarting",
    ),
    case(
        |f| volunteer(f).compiles = Some(Err("the C job was not answered".to_owned())),
        Code::VolunteerUnfit,
        Problem,
        "armv5 at 10.30.5.9:3633 is not fit: the C job was not answered",
    ),
    case(
        |f| volunteer(f).compiles = None,
        Code::Unknown,
        Note,
        "it was not asked",
    ),
    case(|_| (), Code::VolunteerFit, Well, "compiles C and C++"),
    case(
        |f| volunteer(f).compilers[0].answered = Ok("12.2.0".to_owned()),
        Code::GccUnfit,
        Problem,
        "asked for GCC 14, and GCC 12.2.0 answered",
    ),
    case(
        |f| volunteer(f).compilers[0].answered = Err("no such compiler".to_owned()),
        Code::GccUnfit,
        Problem,
        "does not compile: no such compiler",
    ),
    case(|_| (), Code::GccFit, Well, "GCC 14.2.0 of volunteer armv5"),
    case(
        |f| volunteer(f).live.as_mut().unwrap().image = "farmctl/armv5:0".to_owned(),
        Code::ImageOutdated,
        Note,
        "runs farmctl/armv5:0",
    ),
    case(
        |f| volunteer(f).image = Err(unknown()),
        Code::Unknown,
        Note,
        "runs the lock's image",
    ),
    case(
        |f| f.farm.plan = Ok(vec!["start container x".to_owned()]),
        Code::FarmDiffers,
        Note,
        "start container x",
    ),
    case(
        |f| f.farm.plan = Err(unknown()),
        Code::Unknown,
        Note,
        "as the manifest describes it could not be found out",
    ),
    case(|_| (), Code::FarmAsDescribed, Well, "as the manifest"),
    case(
        |f| volunteer(f).restart = Restart::No,
        Code::NotRestarted,
        Note,
        "not started again",
    ),
];

#[test]
fn each_fault_is_found_and_says_what_helps() {
    SIDE.each_fault_is_found_and_says_what_helps(CASES);
}

#[test]
fn a_healthy_host_has_neither_problems_nor_notes() {
    SIDE.health_is_neither_a_problem_nor_a_note();
}

#[test]
fn every_code_of_a_host_has_a_case() {
    SIDE.every_code_has_a_case(CASES, |code| code.topic().starts_with("Host"));
}

#[test]
fn whose_address_a_volunteer_sees_depends_on_engine_network_and_publishing() {
    let settings = |packet_rules, ipv6| {
        Ok(DaemonSettings {
            packet_rules,
            packet_rules_for_ipv6: ipv6,
        })
    };
    let lan = IpAddr::from([10, 30, 5, 9]);
    let lan6: IpAddr = "fd00::9".parse().unwrap();
    let loopback = IpAddr::from([127, 0, 0, 1]);
    let engine = fixture::engine(SystemTime::UNIX_EPOCH);
    let old = EngineSystem {
        release: Some((20, 10)),
        ..engine.clone()
    };
    let rootless = EngineSystem {
        security: vec![Confinement {
            name: "rootless".to_owned(),
            profile: None,
        }],
        ..engine.clone()
    };
    let hidden = PublishSafety::Hidden;
    for (engine, daemon, network, publish, expected) in [
        (
            &engine,
            settings(true, None),
            Network::Bridge,
            lan,
            PublishSafety::Seen,
        ),
        (
            &engine,
            settings(false, None),
            Network::Bridge,
            lan,
            hidden(Hider::NoPacketRules),
        ),
        (
            &engine,
            settings(false, None),
            Network::Host,
            lan,
            PublishSafety::Seen,
        ),
        (
            &engine,
            settings(false, None),
            Network::Bridge,
            loopback,
            PublishSafety::ThisMachineOnly,
        ),
        (
            &engine,
            settings(true, None),
            Network::Bridge,
            lan6,
            PublishSafety::Seen,
        ),
        (
            &old,
            settings(true, None),
            Network::Bridge,
            lan6,
            hidden(Hider::NoPacketRulesForIpv6),
        ),
        (
            &old,
            settings(true, Some(true)),
            Network::Bridge,
            lan6,
            PublishSafety::Seen,
        ),
        (
            &rootless,
            settings(true, None),
            Network::Host,
            lan,
            hidden(Hider::Rootless),
        ),
        (
            &engine,
            Err(unknown()),
            Network::Bridge,
            lan,
            PublishSafety::Unsure("no permission".to_owned()),
        ),
    ] {
        assert_eq!(
            publish_safety(engine, &daemon, network, publish),
            expected,
            "{daemon:?} {network} {publish}"
        );
    }
}
