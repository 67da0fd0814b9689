//! The engine: how old, how it stores, what it can enforce.

use super::super::fact::known;
use super::super::facts::HostFacts;
use super::super::finding::Findings;
use super::super::{Code, Finding};
use crate::engine::EngineSystem;

/// The oldest engine that farmctl is tested with.
const OLDEST: (u32, u32) = (20, 10);
/// Older ones get no corrections any more; distributions may still care for theirs.
const MAINTAINED: (u32, u32) = (25, 0);

pub(super) fn examine(facts: &HostFacts, findings: &mut Findings) {
    let engine = match &facts.engine {
        Ok(engine) => engine,
        Err(reason) => {
            let mut finding = Finding::problem(Code::EngineUnreachable, reason.to_string());
            finding.hint.clone_from(&facts.engine_hint);
            findings.push(finding);
            return;
        }
    };
    findings.push(version(engine));
    findings.extend(other(engine));
    if facts.is_here {
        findings.extend(virtual_machine(engine, facts));
    }
    findings.push(storage(engine));
    findings.extend(control_groups(engine));
    findings.push(system_calls(engine));
    findings.push(mandatory_access(engine));
    if !facts.is_here {
        return;
    }
    if let Some(at_boot) = known(
        &facts.machine.engine_at_boot,
        "whether the engine starts at boot",
        findings,
    ) {
        findings.push(boot(*at_boot));
    }
}

fn version(engine: &EngineSystem) -> Finding {
    let version = &engine.version;
    match engine.release {
        Some(release) if release < OLDEST => Finding::problem(
            Code::EngineOld,
            format!(
                "the engine is {version}, and farmctl needs {}.{} or later",
                OLDEST.0, OLDEST.1
            ),
        )
        .hint("update Docker"),
        Some(release) if release < MAINTAINED => Finding::note(
            Code::EngineOld,
            format!("the engine {version} gets no corrections from its makers any more"),
        )
        .hint("update it, unless your distribution cares for it"),
        _ => Finding::well(Code::Engine, format!("the engine is {version}")),
    }
}

fn other(engine: &EngineSystem) -> Option<Finding> {
    let product = engine.product.iter().find(|name| name.contains("Podman"))?;
    Some(
        Finding::note(
            Code::EngineOther,
            format!(
                "{product} answers in the place of Docker's engine; farmctl is not tested with it"
            ),
        )
        .hint("use Docker's engine where something does not work"),
    )
}

/// Whether the engine's machine is another one than this.
pub(super) fn is_virtual(engine: &EngineSystem) -> bool {
    let is_desktop = |name: &String| {
        ["Docker Desktop", "OrbStack", "Rancher Desktop", "Colima"]
            .iter()
            .any(|desktop| name.contains(desktop))
    };
    engine
        .product
        .iter()
        .chain(&engine.operating_system)
        .any(is_desktop)
}

fn virtual_machine(engine: &EngineSystem, facts: &HostFacts) -> Option<Finding> {
    let own = facts.machine.kernel.as_ref().ok();
    let other_kernel = matches!((&engine.kernel, own), (Some(engine), Some(own)) if engine != own);
    (is_virtual(engine) || other_kernel).then(|| {
        let under = engine.operating_system.as_deref().unwrap_or("another system");
        Finding::note(
            Code::EngineVirtual,
            format!("the engine runs on {under}, not on this machine's kernel: what is said of kernel and disk may not be true of it"),
        )
        .hint("give the virtual machine the processors and the memory of the farm")
    })
}

fn storage(engine: &EngineSystem) -> Finding {
    match engine.storage_driver.as_deref() {
        Some("vfs") => Finding::note(
            Code::StorageDriver,
            "the engine stores images with vfs, which copies every layer in full: slow, and many times the space",
        )
        .hint("set \"storage-driver\": \"overlay2\" in /etc/docker/daemon.json and restart the engine; images are made again"),
        Some(driver) => Finding::well(
            Code::StorageDriver,
            format!("the engine stores images with {driver}"),
        ),
        None => Finding::note(
            Code::Unknown,
            "the engine's way of storing images could not be found out: it does not say",
        ),
    }
}

fn control_groups(engine: &EngineSystem) -> Vec<Finding> {
    let mut findings = Vec::new();
    if engine.cgroup_version == Some(1) {
        findings.push(
            Finding::note(
                Code::CgroupV1,
                "the engine uses control groups of the first generation: a volunteer sees the machine's memory pressure, not its own",
            )
            .hint("boot with systemd.unified_cgroup_hierarchy=1"),
        );
    }
    for (limits, what) in [
        (engine.limits_memory, "memory"),
        (engine.limits_processes, "number of processes"),
    ] {
        if limits == Some(false) {
            findings.push(
                Finding::problem(
                    Code::Limits,
                    format!("the engine cannot limit the {what} of a container: one runaway compile can take the machine down"),
                )
                .hint("switch the kernel's control groups on (boards: cgroup_enable=memory on the kernel's command line)"),
            );
        }
    }
    findings
}

fn system_calls(engine: &EngineSystem) -> Finding {
    match engine
        .confines_with("seccomp")
        .map(|seccomp| seccomp.profile.as_deref())
    {
        None => Finding::problem(
            Code::Seccomp,
            "the engine does not filter the system calls of containers",
        )
        .hint("use a kernel with seccomp, or the distribution's own build of the engine"),
        Some(Some("unconfined")) => Finding::problem(
            Code::Seccomp,
            "the engine's filter of system calls is switched off",
        )
        .hint("take \"seccomp-profile\": \"unconfined\" out of /etc/docker/daemon.json"),
        Some(_) => Finding::well(
            Code::Seccomp,
            "the engine filters the system calls of containers",
        ),
    }
}

fn mandatory_access(engine: &EngineSystem) -> Finding {
    if engine.confines_with("selinux").is_some() {
        Finding::note(
            Code::MandatoryAccess,
            "SELinux confines containers; if a volunteer does not start, its log says permission denied",
        )
        .hint("look at: sudo ausearch -m avc -ts recent")
    } else if engine.confines_with("apparmor").is_some() {
        Finding::well(
            Code::MandatoryAccess,
            "AppArmor confines containers as well",
        )
    } else {
        Finding::well(
            Code::MandatoryAccess,
            "neither SELinux nor AppArmor confines containers; volunteers do not need them",
        )
    }
}

fn boot(at_boot: bool) -> Finding {
    if at_boot {
        Finding::well(Code::AtBoot, "the engine starts at boot")
    } else {
        Finding::note(
            Code::AtBoot,
            "the engine does not start at boot, so the farm is gone after a reboot until somebody uses it",
        )
        .hint("sudo systemctl enable docker")
    }
}
