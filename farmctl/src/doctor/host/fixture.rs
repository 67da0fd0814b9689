//! A host on which everything is as it should be.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::super::facts::{
    CompilerAnswer, DaemonSettings, FarmFacts, FirewallFacts, HostFacts, LiveFacts, MachineFacts,
    Room, VolunteerFacts,
};
use crate::engine::{Confinement, EngineClock, EngineSystem, LiveState};
use crate::farm::{AllowList, GccMajor, Network, Restart};

pub(super) fn healthy() -> HostFacts {
    let now = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
    HostFacts {
        is_here: true,
        engine: Ok(engine(now)),
        engine_hint: None,
        daemon: Ok(DaemonSettings {
            packet_rules: true,
            packet_rules_for_ipv6: None,
        }),
        firewall: FirewallFacts {
            ufw: Ok(false),
            firewalld: Ok(false),
        },
        machine: MachineFacts {
            kernel: Ok("6.12.0".to_owned()),
            landlock: Ok(true),
            pressure: true,
            now,
            engine_disk: Ok(room("/var/lib/docker")),
            cache_disk: Ok(room("/home/me/.cache/farmctl")),
            engine_at_boot: Ok(true),
            stock_daemon_at_boot: false,
        },
        farm: FarmFacts {
            name: "attic".to_owned(),
            allow: AllowList::new(Vec::new()),
            volunteers: vec![volunteer()],
            plan: Ok(Vec::new()),
        },
    }
}

pub(super) fn engine(now: SystemTime) -> EngineSystem {
    EngineSystem {
        version: "28.2.2".to_owned(),
        release: Some((28, 2)),
        product: vec!["Docker Engine - Community".to_owned()],
        operating_system: Some("Arch Linux".to_owned()),
        kernel: Some("6.12.0".to_owned()),
        storage_driver: Some("overlay2".to_owned()),
        cgroup_version: Some(2),
        security: vec![Confinement {
            name: "seccomp".to_owned(),
            profile: Some("builtin".to_owned()),
        }],
        root_directory: Some(PathBuf::from("/var/lib/docker")),
        firewall: None,
        limits_memory: Some(true),
        limits_processes: Some(true),
        clock: Some(EngineClock::new(now, now, now)),
    }
}

fn room(path: &str) -> Room {
    Room {
        path: path.into(),
        free: 100 << 30,
    }
}

fn volunteer() -> VolunteerFacts {
    let gcc = GccMajor::try_from(14).unwrap();
    VolunteerFacts {
        target: "armv5".parse().unwrap(),
        address: "10.30.5.9:3633".parse().unwrap(),
        network: Network::Bridge,
        restart: Restart::UnlessStopped,
        slots: Some(8),
        memory: Some(16 << 30),
        image: Ok("farmctl/armv5:1f0c".to_owned()),
        live: Some(LiveFacts {
            state: LiveState::Running,
            image: "farmctl/armv5:1f0c".to_owned(),
        }),
        door: Some(LiveState::Running),
        is_drained: false,
        port_holder: None,
        compiles: Some(Ok(())),
        compilers: vec![CompilerAnswer {
            asked: gcc,
            answered: Ok("14.2.0".to_owned()),
        }],
    }
}
