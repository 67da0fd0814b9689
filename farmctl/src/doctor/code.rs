//! Every kind of finding there is: the one place that says what a code means and what helps.

use std::fmt::Write as _;

macro_rules! codes {
    ($($topic:literal { $($code:ident $id:literal $meaning:literal $fix:literal)+ })+) => {
        /// The kind of a finding. Its id never changes its meaning, so that monitoring can rely on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = concat!("`", $id, "`")] $code,)+)+
        }

        impl Code {
            /// All of them, topic by topic.
            pub const ALL: &'static [Self] = &[$($(Self::$code),+),+];

            /// The id in text and JSON.
            pub fn id(self) -> &'static str {
                match self { $($(Self::$code => $id,)+)+ }
            }

            /// What it is about.
            pub fn topic(self) -> &'static str {
                match self { $($(Self::$code => $topic,)+)+ }
            }

            /// What it means.
            pub fn meaning(self) -> &'static str {
                match self { $($(Self::$code => $meaning,)+)+ }
            }

            /// What helps.
            pub fn fix(self) -> &'static str {
                match self { $($(Self::$code => $fix,)+)+ }
            }
        }
    };
}

codes! {
    "Anything" {
        Unknown "unknown" "Something could not be found out; the sentence says what and why." "Often enough: run it again as a user who may look, or install the program that is missing."
    }
    "Host: the engine" {
        EngineUnreachable "engine-unreachable" "No Docker engine answers." "Start it, or point `DOCKER_HOST` at the one to use."
        EngineOld "engine-old" "The engine is older than what farmctl is tested with, or gets no corrections any more." "Update it."
        EngineOther "engine-other" "Another program answers the engine's API." "Use Docker's engine where something does not work as described."
        EngineVirtual "engine-virtual" "The engine runs in a virtual machine (Docker Desktop and the like), not on this machine's kernel." "Give the virtual machine the processors and memory of the farm; what is said of kernel and disk is the virtual machine's."
        Engine "engine" "Which engine answers." ""
        StorageDriver "storage-driver" "How the engine stores images. `vfs` copies every layer in full: slow, and many times the space." "Set `storage-driver` to `overlay2` (rootless or nested: `fuse-overlayfs`) in /etc/docker/daemon.json."
        CgroupV1 "cgroup-v1" "The engine uses the first generation of control groups, which tells no memory pressure of a container." "Boot with `systemd.unified_cgroup_hierarchy=1`."
        Limits "limits" "The engine cannot limit the memory or the number of processes of a container." "Switch the kernel's `memory` and `pids` control groups on (boards: `cgroup_enable=memory`)."
        Seccomp "seccomp" "The engine's system call filter is off: one of the walls around compilers is missing." "Do not start the engine with `--seccomp-profile unconfined`; use a kernel with seccomp."
        MandatoryAccess "mandatory-access" "Whether SELinux or AppArmor confines containers as well." "Nothing to do; with SELinux look into `ausearch -m avc` if a volunteer does not start."
        AtBoot "at-boot" "Whether the engine, and so the farm, comes back after a reboot." "`sudo systemctl enable docker`, and a `restart:` other than `no`."
    }
    "Host: who reaches the farm" {
        AddressesSeen "addresses" "Volunteers see who their clients are." ""
        AddressesHidden "addresses-hidden" "Every client looks like the engine itself, so the list of who may send jobs lets everybody in, or nobody." "`network: host` in the manifest, or publish on 127.0.0.1 and reach the farm by ssh."
        AllowEveryone "allow-everyone" "The farm's list lets every address in." "Name your networks under `allow:`, unless a firewall of another machine stands before this one."
        FirewallBypassed "firewall-bypassed" "Ports that the engine publishes do not pass the rules of ufw or firewalld." "Rely on `allow:` and `publish:`, write rules into the chain DOCKER-USER, or use `network: host`."
        Firewall "firewall" "No firewall of this machine is in contradiction to the published ports." ""
    }
    "Host: ports" {
        PortTaken "port-taken" "A program has a port that the farm needs." "Stop it, or give the target another `port:` in toolchains/."
        StockDaemon "stock-daemon" "The stock daemon has a port of the farm, or will have it after the next reboot." "`sudo systemctl disable --now distcc` (or `distccd`)."
        StatisticsPort "statistics-port" "The stock daemon's statistics (`--stats`) have port 3633, which is armv5's." "Start it with `--stats-port` and another number, or stop it."
        Ports "ports" "Every port is the farm's or free." ""
    }
    "Host: the machine" {
        ClockWrong "clock-wrong" "The clock is in the past, so that signed package indices cannot be judged." "Set it: `sudo timedatectl set-ntp true`."
        ClockSkew "clock-skew" "The engine's clock and this machine's are apart." "Let both follow the same time servers; a virtual machine that slept has to be restarted."
        Clock "clock" "The clocks are right." ""
        DiskLow "disk-low" "Little room is left where images or downloads are kept." "`farmctl prune`, `docker system df`, or another disk."
        Disk "disk" "There is room." ""
        MemoryLow "memory-low" "The slots of a volunteer can use more memory than there is." "Fewer `jobs:`, or more memory; big C++ files take a GiB and more each."
        Memory "memory" "There is memory for every slot." ""
        Landlock "landlock" "The kernel cannot confine compilers to their files (Landlock), so volunteers do not start." "A kernel of 5.13 or later with `landlock` among its `lsm=`."
        Pressure "pressure" "The kernel does not tell how short memory is (PSI), so volunteers cannot slow down in time." "Boot with `psi=1`, or use a kernel with CONFIG_PSI."
    }
    "Host: the farm" {
        FarmDown "farm-down" "Nothing of the farm runs." "`farmctl up`."
        DoorDown "door-down" "The door of a target, which owns its port, does not run: the port is closed." "`farmctl up`; `farmctl logs --doors TARGET` says why it ended."
        Drained "drained" "A target was taken out of service, and its port is closed." "`farmctl undrain TARGET`"
        VolunteerDown "volunteer-down" "A volunteer does not run." "`farmctl up`; `farmctl logs TARGET` says why it ended."
        VolunteerUnfit "volunteer-unfit" "A volunteer does not compile, or makes wrong objects." "`farmctl restart TARGET`, and look at `farmctl logs TARGET`."
        VolunteerFit "volunteer-fit" "A volunteer compiled C and C++ through its published port, and the objects are right." ""
        GccUnfit "gcc-unfit" "One of a volunteer's GCC versions does not answer to its name, or another one answers." "`farmctl up`; if that does not help, remove the image and run it again."
        GccFit "gcc-fit" "Every GCC version of a volunteer compiles." ""
        ImageOutdated "image-outdated" "A volunteer runs another image than the lock asks for." "`farmctl up`."
        FarmDiffers "farm-differs" "The farm is not as the manifest describes it." "`farmctl plan` shows what differs, `farmctl up` puts it right."
        FarmAsDescribed "farm-as-described" "The farm is as the manifest describes it." ""
        NotRestarted "not-restarted" "The manifest says that a volunteer is not started again." "`restart: unless-stopped`."
    }
    "Master: the client" {
        DistccMissing "distcc-missing" "There is no distcc on this machine; the doctor talks to the volunteers itself." "Install your distribution's package `distcc`."
        DistccFaults "distcc-faults" "This version of distcc has faults that users meet." "Update it, or do as the sentence says."
        Distcc "distcc" "Which distcc is installed." ""
        MasqueradeMissing "masquerade-missing" "The folder with links named like compilers is missing or empty, so nothing calls distcc." "Reinstall distcc, or run `update-distcc-symlinks`; with CMake use a compiler launcher."
        MasqueradeLate "masquerade-late" "That folder stands in PATH behind the compilers, so nothing calls distcc." "Put it first: `export PATH=/usr/lib/distcc/bin:$PATH`."
        Masquerade "masquerade" "Compilers are reached through distcc." ""
        CompilerMissing "compiler-missing" "There is no compiler on this machine to compare with." "Install gcc, or name one with `CC` and `CXX`."
    }
    "Master: environment" {
        Fallback "fallback" "`DISTCC_FALLBACK=0`: what cannot be sent away fails and is not compiled here." "Unset it, except for measurements."
        StateFolder "state-folder" "distcc cannot write its folder of locks (`DISTCC_DIR`, else ~/.distcc), so no job is sent." "Make it yours, or point `DISTCC_DIR` at a folder you may write; one in RAM spares the card."
        BackOff "back-off" "distcc avoids a host because of a recent failure." "Wait a minute, or remove the file after the cause is gone."
        IoTimeout "io-timeout" "`DISTCC_IO_TIMEOUT` is so short that long compiles are given up, or means no limit." "Unset it (300 s), or 1200 for very long files."
        BackOffPeriod "back-off-period" "`DISTCC_BACKOFF_PERIOD=0`: distcc 3.4 tries a dead host until it runs out of files." "Unset it."
        NoRewrite "no-rewrite" "The compiler's name is sent as it is, or the variable is misspelt and does nothing." "Unset it; a farm's ports take every name. The variable is `DISTCC_NO_REWRITE_CROSS`."
        Ccache "ccache" "ccache and distcc are in each other's way." "`CCACHE_PREFIX=distcc` and ccache's folder first, without distcc's in PATH; makepkg does it by itself."
    }
    "Master: makepkg" {
        BuildEnv "buildenv" "makepkg does not use distcc: `BUILDENV` says `!distcc`." "`BUILDENV=(distcc color !ccache check !sign)` in makepkg.conf."
        MakeFlags "makeflags" "Without `-j`, make starts one job at a time." "`MAKEFLAGS=\"-j8\"`: about the slots of the volunteers."
        FlagsNative "flags-native" "`-march=native` and its like mean the machine that compiles, so distcc compiles every file here." "Name the processor: `gcc -march=native -Q --help=target` says which."
        FlagsLocal "flags-local" "An option makes distcc compile every file here." "Take it out of CFLAGS and CXXFLAGS."
        FlagsRefused "flags-refused" "Volunteers refuse an option, because it loads code or writes files of its own; the job is done again here." "Take it out of CFLAGS and CXXFLAGS."
        FlagsLto "flags-lto" "Link-time optimisation needs the same compiler on both sides, and linking stays here." "`OPTIONS=(!lto)` while the versions differ."
        Flags "flags" "No option keeps jobs on this machine." ""
        Package "package" "A package's own `options=(!distcc)` keeps it on this machine, as some must be." "Nothing to do."
    }
    "Master: list of hosts" {
        HostsNone "hosts-none" "distcc is told no host." "`farmctl hosts` on the host prints the line."
        HostsSyntax "hosts-syntax" "distcc cannot read the list, and then uses none of it." "HOST:PORT/LIMIT,lzo with blanks between hosts."
        HostsOrder "hosts-order" "The limit stands before the port: an old order that only some programs read." "HOST:PORT/LIMIT."
        HostsPort "hosts-port" "A host without a port means 3632, which is x86_64's." "Write the port of this machine's architecture."
        HostsLimit "hosts-limit" "A host without a limit gets four jobs at once." "Write the volunteer's slots behind the port: HOST:PORT/LIMIT."
        HostsLocal "hosts-local" "This machine stands first in the list, or stands in it by its address, and compiles what others would do faster." "Take it out of the list, or put it last."
        HostsZeroconf "hosts-zeroconf" "`+zeroconf` finds only daemons that announce themselves, which a farm does not; some builds know nothing of it." "Name the hosts."
        HostsPump "hosts-pump" "`,cpp` asks for pump mode, which is used only under `pump`, and needs headers on the volunteer." "Take `,cpp` out, or build with `pump make` and `headers: true`."
        HostsTwice "hosts-twice" "Two places name different hosts; which one counts depends on who starts the build." "Keep one of them."
        HostsTwin "hosts-twin" "A host stands in the list twice and gets twice its jobs." "Keep one of them."
        HostsIpv6 "hosts-ipv6" "An IPv6 address needs brackets, and a client that was built for it." "[ADDRESS]:PORT, or the IPv4 address."
        HostsName "hosts-name" "A host's name is not known here; builds in a chroot often know no names at all." "Write the address."
        Hosts "hosts" "The list is well-formed." ""
    }
    "Master: the volunteers" {
        HostSilent "host-silent" "Nobody answers at a host's port." "`farmctl status` on the host; is the port right, and does a firewall stand between?"
        HostRefuses "host-refuses" "A host answers and does not take jobs from here, or refuses this one." "Add this machine's network to `allow:` on the host; a stock daemon needs the compiler in its list of permitted ones."
        HostWrongTarget "host-wrong-target" "A port compiles for another architecture than this machine's." "The sentence names the right port."
        HostRefusesName "host-refuses-name" "A host compiles, but not under the name that this machine's compiler has." "Use a farm's volunteer, or permit the name on the host."
        HostFit "host-fit" "A host compiles for this machine." ""
        CompilerSkew "compiler-skew" "A volunteer's compiler is another version than this machine's." "`gcc: [VERSION]` in the manifest, as far as there are packages; C and C++ objects go together, link-time optimisation does not."
        CompilerSame "compiler-same" "A volunteer's compiler is this machine's version." ""
        ProofEqual "proof-equal" "Real sources compiled here and by the farm give the same code." ""
        ProofDiffers "proof-differs" "They give different code; the sentence says what differs and why." "The same version on both sides; see `compiler-skew`."
        ProofFailed "proof-failed" "A source that compiles here does not compile on the farm." "The sentence says what the compiler said; warnings that are errors only there come from another version."
    }
}

/// The tables of the documentation, in Markdown: symptoms, then every code.
pub fn catalogue() -> String {
    let mut text = String::from("\n## By symptom\n\n| what users meet | findings |\n|---|---|\n");
    for (symptom, codes) in super::SYMPTOMS {
        let codes: Vec<_> = codes
            .iter()
            .map(|code| format!("`{}`", code.id()))
            .collect();
        let _infallible = writeln!(text, "| {symptom} | {} |", codes.join(", "));
    }
    let mut topic = "";
    for code in Code::ALL {
        if code.topic() != topic {
            topic = code.topic();
            let _infallible = write!(
                text,
                "\n## {topic}\n\n| code | meaning | what helps |\n|---|---|---|\n"
            );
        }
        let fix = if code.fix().is_empty() {
            "–"
        } else {
            code.fix()
        };
        let _infallible = writeln!(text, "| `{}` | {} | {fix} |", code.id(), code.meaning());
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_words() {
        let ids: BTreeSet<_> = Code::ALL.iter().map(|code| code.id()).collect();
        assert_eq!(ids.len(), Code::ALL.len());
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(ids.iter().all(|id| id.chars().all(word)));
    }

    /// `UPDATE_DOCS=1 cargo test` writes the table anew.
    #[test]
    fn the_documentation_lists_every_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/doctor.md");
        let text = std::fs::read_to_string(path).unwrap();
        let (head, _table) = text.split_once(MARK).unwrap();
        let expected = format!("{head}{MARK}{}", catalogue());
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &expected).unwrap();
        } else {
            assert_eq!(text, expected, "write it anew with UPDATE_DOCS=1");
        }
    }

    const MARK: &str = "<!-- from here on made of farmctl/src/doctor/code.rs -->\n";
}
