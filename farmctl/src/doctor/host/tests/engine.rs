//! What can be wrong with the engine.

use super::*;

pub(super) const CASES: &[Case<HostFacts>] = &[
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
];
