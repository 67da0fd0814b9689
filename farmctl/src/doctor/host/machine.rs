//! Clock, disk, memory and kernel.

use std::time::{Duration, SystemTime};

use indicatif::BinaryBytes;

use super::super::fact::known;
use super::super::facts::{HostFacts, Room};
use super::super::finding::Findings;
use super::super::{Code, Fact, Finding};
use super::engine::is_virtual;

pub(super) fn examine(facts: &HostFacts, findings: &mut Findings) {
    clock(facts, findings);
    if facts.is_here {
        disks(facts, findings);
    }
    memory(facts, findings);
    if facts.is_here {
        kernel(facts, findings);
    }
}

/// 2026-01-01, counted in hours since 1970: earlier than that no farmctl was made.
const PAST: Duration = Duration::from_hours(490_896);
/// What clocks that follow a time server are never apart.
const APART: Duration = Duration::from_secs(5);

fn clock(facts: &HostFacts, findings: &mut Findings) {
    let now = facts.machine.now;
    if now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        < PAST
    {
        findings.push(
            Finding::problem(
                Code::ClockWrong,
                "this machine's clock is years behind, so no package index can be judged",
            )
            .hint("sudo timedatectl set-ntp true"),
        );
        return;
    }
    let Ok(engine) = &facts.engine else { return };
    match engine.clock {
        None => findings.push(Finding::note(
            Code::Unknown,
            "the engine's clock could not be found out: it does not say",
        )),
        Some(clock) if clock.apart > APART => findings.push(
            Finding::problem(
                Code::ClockSkew,
                format!("the engine's clock and this machine's are {} s apart", clock.apart.as_secs()),
            )
            .hint("let both follow a time server (sudo timedatectl set-ntp true); restart a virtual machine that slept"),
        ),
        Some(_) => findings.push(Finding::well(Code::Clock, "the engine's clock and this machine's agree")),
    }
}

/// Less than one image is in the way of everything; less than a few of them is in the way of the next upgrade, when old
/// and new ones lie side by side.
const ROOM_FOR_ONE: u64 = 1 << 30;
const ROOM_FOR_UPGRADES: u64 = 4 << 30;

fn disks(facts: &HostFacts, findings: &mut Findings) {
    let is_remote = facts.engine.as_ref().is_ok_and(is_virtual);
    for (room, what) in [
        (&facts.machine.engine_disk, "the engine keeps its images"),
        (&facts.machine.cache_disk, "downloads are kept"),
    ] {
        if !is_remote || what.starts_with("downloads") {
            findings.push(disk(room, what));
        }
    }
}

fn disk(room: &Fact<Room>, what: &str) -> Finding {
    let room = match room {
        Ok(room) => room,
        Err(reason) => {
            return Finding::unknown(&format!("how much room there is where {what}"), reason);
        }
    };
    let text = format!(
        "{} are free where {what} ({})",
        BinaryBytes(room.free),
        room.path.display()
    );
    let hint = "make room: farmctl prune, docker system df";
    if room.free < ROOM_FOR_ONE {
        Finding::problem(Code::DiskLow, format!("only {text}")).hint(hint)
    } else if room.free < ROOM_FOR_UPGRADES {
        Finding::note(Code::DiskLow, format!("only {text}")).hint(hint)
    } else {
        Finding::well(Code::Disk, text)
    }
}

/// What a compile of C++ takes that uses much of the standard library; some take several times that.
const MEMORY_OF_A_JOB: u64 = 512 << 20;

/// The rule: a volunteer's slots, half a GiB each, fit into its limit and into the machine. Volunteers for several
/// targets are not added up, for boards seldom build at the same time.
fn memory(facts: &HostFacts, findings: &mut Findings) {
    let mut enough = true;
    for volunteer in &facts.farm.volunteers {
        let Some(slots) = volunteer.slots else {
            continue;
        };
        let needed = u64::from(slots) * MEMORY_OF_A_JOB;
        let Some(limit) = volunteer.memory.filter(|limit| *limit < needed) else {
            continue;
        };
        enough = false;
        findings.push(
            Finding::note(
                Code::MemoryLow,
                format!(
                    "target {} has {slots} slots and {} of memory: {} for each job, and big C++ files take {}",
                    volunteer.target,
                    BinaryBytes(limit),
                    BinaryBytes(limit / u64::from(slots.max(1))),
                    BinaryBytes(MEMORY_OF_A_JOB),
                ),
            )
            .hint(format!("set jobs: {} in the manifest, or give it more memory", (limit / MEMORY_OF_A_JOB).max(1))),
        );
    }
    if enough && !facts.farm.volunteers.is_empty() {
        findings.push(Finding::well(
            Code::Memory,
            "there is memory for every slot",
        ));
    }
}

fn kernel(facts: &HostFacts, findings: &mut Findings) {
    if let Some(landlock) = known(
        &facts.machine.landlock,
        "whether the kernel has Landlock",
        findings,
    ) {
        findings.push(if *landlock {
            Finding::well(Code::Landlock, "the kernel can confine compilers to their files (Landlock)")
        } else {
            Finding::problem(Code::Landlock, "the kernel cannot confine compilers to their files (Landlock), so volunteers do not start")
                .hint("use a kernel of 5.13 or later, with landlock in its lsm= list")
        });
    }
    findings.push(if facts.machine.pressure {
        Finding::well(Code::Pressure, "the kernel tells how short memory is (PSI)")
    } else {
        Finding::note(
            Code::Pressure,
            "the kernel does not tell how short memory is (PSI), so volunteers slow down late",
        )
        .hint("boot with psi=1")
    });
}
