use std::time::Duration;

use super::super::case::{Case, Side, case};
use super::super::facts::job::JobError;
use super::super::facts::master::{BackOff, Compiled, MasterFacts, Reached};
use super::super::proof::{Outcome, Verdict};
use super::super::{Code, Severity, Unknown};
use super::fixture::{HOST, answer, compiled, healthy, makepkg, proof};
use super::*;

const SIDE: Side<MasterFacts> = Side { healthy, examine };

fn set(facts: &mut MasterFacts, name: &str, value: &str) {
    facts.environment.insert(name.to_owned(), value.to_owned());
}

fn hosts(facts: &mut MasterFacts, list: &str) {
    facts.asked = vec![list.to_owned()];
}

fn configuration(facts: &mut MasterFacts, text: &str) {
    facts.makepkg_files[0].text = Ok(text.to_owned());
}

fn further(facts: &mut MasterFacts, lines: &str) {
    configuration(facts, &makepkg(lines));
}

fn version(facts: &mut MasterFacts, version: &str) {
    version.clone_into(&mut facts.client.as_mut().unwrap().as_mut().unwrap().version);
}

fn reached(facts: &mut MasterFacts, reached: Reached) {
    facts.hosts[0].reached = reached;
}

fn proved(facts: &mut MasterFacts, outcome: Outcome) {
    facts.proofs = Ok(vec![proof(outcome)]);
}

fn different(as_if: Option<&str>) -> Outcome {
    Outcome::Compared(Verdict::Different {
        sections: vec![".text".to_owned()],
        as_if: as_if.map(str::to_owned),
    })
}

fn unknown() -> Unknown {
    Unknown("no permission".to_owned())
}

use Severity::{Note, Problem, Well};

const CASES: &[Case<MasterFacts>] = &[
    case(
        |f| f.client = Ok(None),
        Code::DistccMissing,
        Problem,
        "no distcc on this machine",
    ),
    case(
        |f| f.client = Err(unknown()),
        Code::Unknown,
        Note,
        "which distcc is installed",
    ),
    case(
        |f| version(f, "3.3.5"),
        Code::DistccFaults,
        Note,
        "sends gcc as TRIPLE-gcc",
    ),
    case(
        |f| version(f, "3.2rc1"),
        Code::DistccFaults,
        Note,
        "sends plain names",
    ),
    case(
        |f| version(f, "3.1"),
        Code::DistccFaults,
        Note,
        "runs whatever it is asked to",
    ),
    case(|_| (), Code::Distcc, Well, "distcc 3.4"),
    case(
        |f| f.masquerade.clear(),
        Code::MasqueradeMissing,
        Problem,
        "no folder of links",
    ),
    case(
        |f| f.masquerade[0].position = Some(1),
        Code::MasqueradeLate,
        Problem,
        "behind the compilers",
    ),
    case(
        |f| f.makepkg_files.clear(),
        Code::MasqueradeLate,
        Note,
        "is not in PATH",
    ),
    case(|_| (), Code::Masquerade, Well, "makepkg puts"),
    case(
        |f| {
            f.masquerade[0].position = Some(0);
            f.masquerade[0].compiler_position = Some(1);
        },
        Code::Masquerade,
        Well,
        "first in PATH",
    ),
    case(
        |f| f.compilers = Ok(super::super::facts::compilers::Compilers::default()),
        Code::CompilerMissing,
        Note,
        "no C compiler",
    ),
    case(
        |f| f.compilers = Err(unknown()),
        Code::Unknown,
        Note,
        "which compiler",
    ),
    case(
        |f| set(f, "DISTCC_FALLBACK", "0"),
        Code::Fallback,
        Note,
        "DISTCC_FALLBACK=0",
    ),
    case(
        |f| f.state.is_writable = Ok(false),
        Code::StateFolder,
        Problem,
        "cannot write its folder /home/me/.distcc",
    ),
    case(
        |f| f.state.is_writable = Err(unknown()),
        Code::Unknown,
        Note,
        "can write its folder",
    ),
    case(
        |f| {
            f.state.back_offs.push(BackOff {
                host: "tcp_10.30.5.9_3635_0".to_owned(),
                age: Duration::from_secs(9),
            });
        },
        Code::BackOff,
        Note,
        "avoids tcp_10.30.5.9_3635_0",
    ),
    case(
        |f| set(f, "DISTCC_IO_TIMEOUT", "20"),
        Code::IoTimeout,
        Note,
        "longer than 20 s",
    ),
    case(
        |f| set(f, "DISTCC_IO_TIMEOUT", "0"),
        Code::IoTimeout,
        Note,
        "no limit to others",
    ),
    case(
        |f| set(f, "DISTCC_IO_TIMEOUT", "long"),
        Code::IoTimeout,
        Problem,
        "no number",
    ),
    case(
        |f| set(f, "DISTCC_BACKOFF_PERIOD", "0"),
        Code::BackOffPeriod,
        Problem,
        "without a pause",
    ),
    case(
        |f| set(f, "DISTCC_NO_CROSS_REWRITE", "1"),
        Code::NoRewrite,
        Note,
        "does nothing",
    ),
    case(
        |f| set(f, "DISTCC_NO_REWRITE_CROSS", "1"),
        Code::NoRewrite,
        Note,
        "plain names are sent",
    ),
    case(
        |f| {
            f.masquerade[0].position = Some(0);
            f.ccache_position = Some(1);
        },
        Code::Ccache,
        Note,
        "before ccache's",
    ),
    case(
        |f| {
            f.masquerade[0].position = Some(0);
            set(f, "CCACHE_PREFIX", "distcc");
        },
        Code::Ccache,
        Note,
        "calls itself",
    ),
    case(
        |f| {
            f.makepkg_files.clear();
            f.ccache_position = Some(0);
        },
        Code::Ccache,
        Note,
        "does not call distcc",
    ),
    case(
        |f| configuration(f, "BUILDENV=(!distcc color)\nDISTCC_HOSTS=a:3635/4\n"),
        Code::BuildEnv,
        Problem,
        "does not use distcc",
    ),
    case(
        |f| f.makepkg_files[0].text = Err(unknown()),
        Code::Unknown,
        Note,
        "what /etc/makepkg.conf says",
    ),
    case(
        |f| further(f, "MAKEFLAGS="),
        Code::MakeFlags,
        Problem,
        "one job at a time",
    ),
    case(
        |f| further(f, "MAKEFLAGS=\"-j$(nproc)\""),
        Code::MakeFlags,
        Note,
        "as this machine has processors",
    ),
    case(
        |f| further(f, "CFLAGS='-march=native -O2'"),
        Code::FlagsNative,
        Problem,
        "-march=native in CFLAGS of makepkg.conf",
    ),
    case(
        |f| set(f, "CXXFLAGS", "-mtune=native"),
        Code::FlagsNative,
        Problem,
        "-mtune=native in CXXFLAGS of the environment",
    ),
    case(
        |f| further(f, "CFLAGS='-flto'"),
        Code::FlagsLocal,
        Problem,
        "compile every file here",
    ),
    case(
        |f| further(f, "CFLAGS='-fprofile-use=x'"),
        Code::FlagsLocal,
        Problem,
        "-fprofile-use=x",
    ),
    case(
        |f| further(f, "CXXFLAGS='-fplugin=x.so'"),
        Code::FlagsRefused,
        Problem,
        "refused by volunteers",
    ),
    case(
        |f| further(f, "CFLAGS='-flto=auto'"),
        Code::FlagsLto,
        Note,
        "same compiler version",
    ),
    case(
        |f| further(f, "OPTIONS=(lto)"),
        Code::FlagsLto,
        Note,
        "(OPTIONS)",
    ),
    case(|_| (), Code::Flags, Well, "no option"),
    case(|_| (), Code::Package, Well, "options=(!distcc)"),
    case(
        |f| configuration(f, "BUILDENV=(distcc)"),
        Code::HostsNone,
        Problem,
        "is told no host",
    ),
    case(
        |f| hosts(f, "localhost/2"),
        Code::HostsNone,
        Problem,
        "names no other machine",
    ),
    case(
        |f| hosts(f, "a:3635/4 b,c"),
        Code::HostsSyntax,
        Problem,
        "'b,c'",
    ),
    case(
        |f| hosts(f, "10.30.5.9/20:3635"),
        Code::HostsOrder,
        Note,
        "the limit before the port",
    ),
    case(
        |f| hosts(f, "10.30.5.9/20"),
        Code::HostsPort,
        Note,
        "names no port",
    ),
    case(
        |f| hosts(f, "10.30.5.9:3635"),
        Code::HostsLimit,
        Note,
        "four jobs",
    ),
    case(
        |f| hosts(f, "localhost/2 10.30.5.9:3635/20"),
        Code::HostsLocal,
        Note,
        "stands first",
    ),
    case(
        |f| hosts(f, "127.0.0.1"),
        Code::HostsLocal,
        Note,
        "this machine itself",
    ),
    case(
        |f| hosts(f, "+zeroconf"),
        Code::HostsZeroconf,
        Problem,
        "refuses the whole list",
    ),
    case(
        |f| {
            hosts(f, "+zeroconf");
            f.client.as_mut().unwrap().as_mut().unwrap().has_zeroconf = true;
        },
        Code::HostsZeroconf,
        Note,
        "announce themselves",
    ),
    case(
        |f| hosts(f, "10.30.5.9:3635/20,lzo,cpp"),
        Code::HostsPump,
        Note,
        "pump mode",
    ),
    case(
        |f| set(f, "DISTCC_HOSTS", "10.30.5.10:3635/4"),
        Code::HostsTwice,
        Note,
        "DISTCC_HOSTS and makepkg.conf",
    ),
    case(
        |f| hosts(f, "10.30.5.9:3635/4 10.30.5.9:3635/4"),
        Code::HostsTwin,
        Note,
        "in the list twice",
    ),
    case(
        |f| hosts(f, "[fd00::9]:3635/4"),
        Code::HostsIpv6,
        Note,
        "an IPv6 address",
    ),
    case(
        |f| hosts(f, "me@ryzen"),
        Code::Unknown,
        Note,
        "does not go through ssh",
    ),
    case(|_| (), Code::Hosts, Well, "10.30.5.9:3635/20,lzo"),
    case(
        |f| reached(f, Reached::NameUnknown),
        Code::HostsName,
        Problem,
        "does not know the name",
    ),
    case(
        |f| reached(f, Reached::NotTried(unknown())),
        Code::Unknown,
        Note,
        "whether 10.30.5.9:3635 answers",
    ),
    case(
        |f| reached(f, Reached::Failed(JobError::Connect("refused".to_owned()))),
        Code::HostSilent,
        Problem,
        "nobody answers at 10.30.5.9:3635",
    ),
    case(
        |f| reached(f, Reached::Failed(JobError::Late(Duration::from_secs(20)))),
        Code::HostSilent,
        Problem,
        "within 20 s",
    ),
    case(
        |f| reached(f, Reached::Failed(JobError::Unanswered)),
        Code::HostRefuses,
        Problem,
        "does not answer",
    ),
    case(
        |f| {
            reached(
                f,
                Reached::Failed(JobError::Failed {
                    text: "no room".to_owned(),
                }),
            );
        },
        Code::HostRefuses,
        Problem,
        "a plain job: no room",
    ),
    case(
        |f| {
            f.hosts = vec![answer("10.30.5.9:3636/20")];
            reached(
                f,
                Reached::Compiled(Compiled {
                    object: volunteer_toolchain::objects_of("aarch64-linux-gnu").unwrap(),
                    ..compiled()
                }),
            );
        },
        Code::HostWrongTarget,
        Problem,
        "10.30.5.9:3636 compiles for ELF64 AArch64, and this machine is ELF32 ARM",
    ),
    case(
        |f| {
            reached(
                f,
                Reached::Compiled(Compiled {
                    own_name: Some(JobError::Unanswered),
                    ..compiled()
                }),
            );
        },
        Code::HostRefusesName,
        Problem,
        "not as armv7l-unknown-linux-gnueabihf-gcc",
    ),
    case(
        |f| {
            reached(
                f,
                Reached::Compiled(Compiled {
                    version: Some("12.2.0".to_owned()),
                    ..compiled()
                }),
            );
        },
        Code::CompilerSkew,
        Note,
        "GCC 12.2.0, and this machine has 14.2.0",
    ),
    case(
        |f| {
            reached(
                f,
                Reached::Compiled(Compiled {
                    version: None,
                    ..compiled()
                }),
            );
        },
        Code::Unknown,
        Note,
        "version of 10.30.5.9:3635's compiler",
    ),
    case(|_| (), Code::HostFit, Well, "compiles for ELF32 ARM"),
    case(|_| (), Code::CompilerSame, Well, "as this machine does"),
    case(
        |_| (),
        Code::ProofEqual,
        Well,
        "for 1 of 1 compiles by distcc",
    ),
    case(
        |f| {
            proved(
                f,
                Outcome::Compared(Verdict::SameCode {
                    sections: vec![".comment".to_owned()],
                }),
            );
        },
        Code::ProofEqual,
        Well,
        "differ only in .comment",
    ),
    case(
        |f| proved(f, different(Some("-fno-pie"))),
        Code::ProofDiffers,
        Problem,
        "as if -fno-pie were given",
    ),
    case(
        |f| proved(f, different(None)),
        Code::ProofDiffers,
        Problem,
        "the same version",
    ),
    case(
        |f| {
            proved(f, different(None));
            f.proofs.as_mut().unwrap()[0].there = Some("12.2.0".to_owned());
        },
        Code::ProofDiffers,
        Note,
        "to be expected of GCC 12.2.0",
    ),
    case(
        |f| proved(f, Outcome::FailedThere("error: no".to_owned())),
        Code::ProofFailed,
        Problem,
        "compiles here and not at 10.30.5.9:3635: error: no",
    ),
    case(
        |f| proved(f, Outcome::NotTried(unknown())),
        Code::Unknown,
        Note,
        "words.c with -O2 -g could not be found out",
    ),
    case(
        |f| f.proofs = Err(unknown()),
        Code::Unknown,
        Note,
        "farm's objects",
    ),
];

#[test]
fn each_fault_is_found_and_says_what_helps() {
    SIDE.each_fault_is_found_and_says_what_helps(CASES);
}

#[test]
fn a_healthy_master_has_neither_problems_nor_notes() {
    SIDE.health_is_neither_a_problem_nor_a_note();
}

#[test]
fn every_code_of_a_master_has_a_case() {
    SIDE.every_code_has_a_case(CASES, |code| !code.topic().starts_with("Host"));
}

#[test]
fn the_wrong_port_leads_to_the_right_one() {
    let mut facts = healthy();
    facts.hosts = vec![answer("10.30.5.9:3636/20")];
    reached(
        &mut facts,
        Reached::Compiled(Compiled {
            object: volunteer_toolchain::objects_of("aarch64-linux-gnu").unwrap(),
            ..compiled()
        }),
    );
    let findings = examine(&facts);
    let wrong = findings
        .iter()
        .find(|finding| finding.code == Code::HostWrongTarget)
        .unwrap();
    assert_eq!(
        wrong.hint.as_deref(),
        Some("the usual port of this machine's target: 10.30.5.9:3635 (armv7h)")
    );
}

#[test]
fn the_list_that_is_asked_for_counts_then_the_clients_own_order() {
    let mut facts = healthy();
    assert_eq!(listed(&facts)[0].place, "makepkg.conf");
    assert_eq!(listed(&facts)[0].text, HOST);
    facts.host_files.push(ListSource {
        place: "/etc/distcc/hosts".to_owned(),
        text: "a".to_owned(),
    });
    set(&mut facts, "DISTCC_HOSTS", "b:3635/1");
    let places: Vec<_> = listed(&facts).into_iter().map(|list| list.place).collect();
    assert_eq!(
        places,
        ["DISTCC_HOSTS", "makepkg.conf", "/etc/distcc/hosts"]
    );
    hosts(&mut facts, "c:3635/1");
    assert_eq!(listed(&facts).len(), 1);
}
