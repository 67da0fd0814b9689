//! What can be wrong with the machine.

use super::*;

pub(super) const CASES: &[Case<HostFacts>] = &[
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
];
