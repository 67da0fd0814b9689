//! What can be wrong with objects that are compared.

use super::*;

pub(super) const CASES: &[Case<MasterFacts>] = &[
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
