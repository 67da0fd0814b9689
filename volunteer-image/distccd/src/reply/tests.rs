use std::io;
use std::num::NonZeroU8;

use distcc_wire::Limits;

use super::*;
use crate::job::{BadArtifact, Refusal, Unable};
use crate::testing::toolchain;

fn printed(text: &str) -> Printed {
    Printed {
        bytes: text.as_bytes().to_vec(),
        cut: false,
    }
}

/// The answer in one line: status, standard output, standard error.
fn told(version: Version, outcome: Outcome) -> String {
    match answer(
        version,
        outcome,
        printed("o"),
        printed("e;"),
        &toolchain().into(),
    ) {
        Answer::Silence => "silence".to_owned(),
        Answer::Reply {
            outcome,
            stdout,
            stderr,
        } => {
            format!(
                "{} {} {}",
                outcome.status(),
                String::from_utf8(stdout).unwrap(),
                String::from_utf8(stderr).unwrap()
            )
        }
    }
}

#[test]
fn every_outcome_is_told_as_the_table_says() {
    type Make = fn() -> Outcome;
    let exit = |code| Failure::exit(NonZeroU8::new(code).unwrap());
    let killed = "signal 9 o e;distccd (x86_64): error: the compiler was killed because the volunteer ran out of memory (signal 9)\n\
        distccd (x86_64): hint: give the volunteer more memory, or fewer jobs at once\n";
    let cases: [(Make, &str, &str); 7] = [
        (
            || Outcome::Compiled {
                object: Vec::new(),
                dependencies: Vec::new(),
            },
            "success o e;",
            "success o e;",
        ),
        (
            || Outcome::Overtime(Failure::signal(15).unwrap()),
            "signal 15 o e;distccd (x86_64): error: the compiler ran too long and was stopped (signal 15)\n",
            "signal 15 o e;distccd (x86_64): error: the compiler ran too long and was stopped (signal 15)\n",
        ),
        (
            || Outcome::Killed {
                out_of_memory: true,
            },
            killed,
            killed,
        ),
        (
            || Outcome::Unsound(BadArtifact::Missing),
            "exit code 200 o e;distccd (x86_64): error: the compiler ended well but made no object file\n",
            "exit code 200 o e;distccd (x86_64): error: the compiler ended well but made no object file\n",
        ),
        (
            || Outcome::Refused(Refusal::NoArguments),
            "exit code 200 o e;distccd (x86_64): error: the request has no arguments\n",
            "exit code 200 o e;distccd (x86_64): error: the request has no arguments\n",
        ),
        (
            || Outcome::Unable(Unable::Store(io::Error::other("disk full"))),
            "silence",
            "exit code 200 o e;distccd (x86_64): error: cannot store the source: disk full\n",
        ),
        (|| Outcome::ClientGone, "silence", "silence"),
    ];
    for (outcome, without_files, with_files) in cases {
        assert_eq!(told(Version::Plain, outcome()), without_files);
        assert_eq!(told(Version::Lzo, outcome()), without_files);
        assert_eq!(told(Version::Pump, outcome()), with_files);
    }
    for code in [1, 4, 127, 255] {
        assert_eq!(
            told(Version::Lzo, Outcome::Failed(exit(code))),
            format!("exit code {code} o e;")
        );
    }
}

#[test]
fn a_refusal_brings_its_hint() {
    let text = told(Version::Pump, Outcome::Refused(Refusal::Pump));
    let expected = "exit code 200 o e;distccd (x86_64): error: pump mode is not served by this volunteer: it has no C and C++ headers\n\
        distccd (x86_64): hint: take ',cpp' out of DISTCC_HOSTS and leave ',lzo', or give the target 'headers: true' in farm.yaml\n";
    assert_eq!(text, expected);
}

#[test]
fn text_that_was_cut_says_so() {
    let stderr = Printed {
        bytes: b"flood".to_vec(),
        cut: true,
    };
    let Answer::Reply { stderr, .. } = answer(
        Version::Lzo,
        Outcome::Failed(Failure::REFUSED),
        Printed::default(),
        stderr,
        &toolchain().into(),
    ) else {
        panic!("a failure is told");
    };
    assert_eq!(
        stderr,
        b"flood\ndistccd (x86_64): note: the compiler printed more than is sent\n"
    );
}

#[test]
fn what_is_encoded_in_parts_decodes_as_one_reply() {
    for version in [Version::Plain, Version::Lzo] {
        let object = b"object".repeat(100);
        let outcome = WireOutcome::Compiled {
            object,
            dependencies: Vec::new(),
        };
        let parts = encode(version, outcome.clone(), b"out".to_vec(), b"err".to_vec()).unwrap();
        let reply = Reply::decode(version, &parts.concat(), &Limits::default()).unwrap();
        assert_eq!(
            reply,
            Reply {
                version,
                outcome,
                stdout: b"out".to_vec(),
                stderr: b"err".to_vec()
            }
        );
    }
}
