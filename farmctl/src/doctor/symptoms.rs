//! What users meet, in their words, and the findings that explain it.

use super::Code;

/// The troubleshooting entries of the distributions' pages and of the client's issues, each with its findings.
pub const SYMPTOMS: &[(&str, &[Code])] = &[
    (
        "Everything compiles on the board; the volunteers are idle",
        &[
            Code::BuildEnv,
            Code::MasqueradeMissing,
            Code::MasqueradeLate,
            Code::HostsNone,
            Code::HostsSyntax,
            Code::FlagsNative,
            Code::FlagsLocal,
            Code::StateFolder,
        ],
    ),
    (
        "Linking says that an object has the wrong architecture or format",
        &[Code::HostWrongTarget, Code::HostsPort, Code::NoRewrite],
    ),
    (
        "\"server provided no answer\", or the compiler is not in the daemon's list",
        &[Code::HostRefuses, Code::HostRefusesName],
    ),
    (
        "\"failed to distribute\" or \"code 110\"",
        &[
            Code::HostRefuses,
            Code::HostRefusesName,
            Code::VolunteerUnfit,
        ],
    ),
    (
        "Connection refused, or no route to the host",
        &[
            Code::HostSilent,
            Code::VolunteerDown,
            Code::DoorDown,
            Code::Drained,
            Code::FarmDown,
        ],
    ),
    (
        "Nothing is sent for a minute after one failure",
        &[Code::BackOff, Code::BackOffPeriod],
    ),
    (
        "Never more than four jobs at once",
        &[Code::HostsLimit, Code::MakeFlags],
    ),
    (
        "The list of hosts is ignored",
        &[
            Code::HostsSyntax,
            Code::HostsTwice,
            Code::HostsOrder,
            Code::HostsIpv6,
        ],
    ),
    (
        "Names of hosts are not found inside a chroot",
        &[Code::HostsName],
    ),
    ("`+zeroconf` finds nobody", &[Code::HostsZeroconf]),
    (
        "`-march=native` builds for the wrong processor, or is not sent",
        &[Code::FlagsNative],
    ),
    (
        "Link-time optimisation: bytecode of another version",
        &[Code::FlagsLto, Code::CompilerSkew],
    ),
    ("Coverage and profiles are not there", &[Code::FlagsLocal]),
    (
        "`.dwo` files, plugins, modules or saved temporaries get lost",
        &[Code::FlagsRefused],
    ),
    (
        "A warning is an error only on the volunteer",
        &[Code::ProofFailed, Code::CompilerSkew],
    ),
    (
        "Linking fails for position-independent code, or the stack protector is missing",
        &[Code::ProofDiffers],
    ),
    (
        "Packages are not reproducible with distcc",
        &[Code::ProofDiffers, Code::CompilerSkew],
    ),
    (
        "The board's GCC is newer than the volunteer's",
        &[Code::CompilerSkew, Code::ImageOutdated, Code::GccUnfit],
    ),
    ("A package must not be distributed", &[Code::Package]),
    ("ccache and distcc together", &[Code::Ccache]),
    ("Long compiles are given up", &[Code::IoTimeout]),
    (
        "A build fails although the board could compile the file",
        &[Code::Fallback],
    ),
    (
        "distcc wears the card out (~/.distcc)",
        &[Code::StateFolder],
    ),
    ("Pump mode aborts or does nothing", &[Code::HostsPump]),
    (
        "An old client behaves in its own way",
        &[Code::DistccFaults, Code::DistccMissing],
    ),
    (
        "The board itself is overloaded",
        &[Code::HostsLocal, Code::MakeFlags],
    ),
    (
        "Everyone on the internet may send jobs",
        &[
            Code::AllowEveryone,
            Code::AddressesHidden,
            Code::FirewallBypassed,
        ],
    ),
    (
        "The daemon sees 172.17.0.1 as every client",
        &[Code::AddressesHidden],
    ),
    (
        "ufw denies the port, and it is open all the same",
        &[Code::FirewallBypassed],
    ),
    (
        "Port 3633 is in use: `--stats` of the stock daemon",
        &[Code::StatisticsPort],
    ),
    (
        "Port 3632 is in use after a reboot",
        &[Code::StockDaemon, Code::AtBoot],
    ),
    ("The port is already allocated", &[Code::PortTaken]),
    (
        "The host runs out of memory",
        &[
            Code::MemoryLow,
            Code::Limits,
            Code::Pressure,
            Code::CgroupV1,
        ],
    ),
    (
        "The disk is full of images",
        &[Code::DiskLow, Code::StorageDriver],
    ),
    (
        "The archive's index is said to be expired, or not valid yet",
        &[Code::ClockWrong, Code::ClockSkew],
    ),
    (
        "Volunteers end at once",
        &[
            Code::Landlock,
            Code::Seccomp,
            Code::MandatoryAccess,
            Code::EngineOld,
        ],
    ),
    (
        "The farm is gone after a reboot",
        &[Code::AtBoot, Code::NotRestarted],
    ),
    (
        "Somebody changed containers by hand",
        &[Code::FarmDiffers, Code::ImageOutdated],
    ),
    (
        "Docker Desktop, rootless Docker, Podman",
        &[
            Code::EngineVirtual,
            Code::AddressesHidden,
            Code::EngineOther,
        ],
    ),
    ("Docker cannot be reached", &[Code::EngineUnreachable]),
    (
        "There is no compiler to compare with",
        &[Code::CompilerMissing],
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_symptom_has_findings_that_say_what_helps() {
        for (symptom, codes) in SYMPTOMS {
            assert!(!codes.is_empty(), "{symptom}");
            for code in *codes {
                assert!(!code.fix().is_empty(), "{symptom}: {}", code.id());
            }
        }
    }

    #[test]
    fn every_finding_that_needs_help_explains_a_symptom() {
        let explained: BTreeSet<_> = SYMPTOMS.iter().flat_map(|(_, codes)| *codes).collect();
        let also = [Code::Unknown, Code::HostsTwin];
        for code in Code::ALL
            .iter()
            .filter(|code| !code.fix().is_empty() && !also.contains(code))
        {
            assert!(explained.contains(code), "{}", code.id());
        }
    }
}
