//! What can be wrong with volunteers that are asked.

use super::*;

pub(super) const CASES: &[Case<MasterFacts>] = &[
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
];
