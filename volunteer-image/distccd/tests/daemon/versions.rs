//! The right compiler, by what a source tells of its client.

use distcc_wire::{Outcome, Payload, Reply, Request, Version};
use distccd::VersionSkew;

use crate::harness::{Daemon, play, request_with, text};

/// A request of a client whose GCC for `triple` is of `version`.
pub(crate) fn told_by(triple: &str, version: &str, options: &[&str]) -> Request {
    let words = [
        &["gcc", "-fplay=words"],
        options,
        &["-c", "play.c", "-o", "play.o"],
    ]
    .concat();
    let source = format!(
        "# 1 \"play.c\"\n# 1 \"/usr/lib/gcc/{triple}/{version}/include/stddef.h\" 1 3 4\nint play;\n"
    );
    Request {
        payload: Payload::Lzo(source.into_bytes()),
        ..request_with(Version::Lzo, &words)
    }
}

fn compiled(reply: &Reply) -> bool {
    matches!(reply.outcome, Outcome::Compiled { .. })
}

/// The status that says no to a job, and the reason.
fn refused(reply: &Reply) -> String {
    assert!(
        matches!(reply.outcome, Outcome::Failed(failure) if failure.exit_code().is_some_and(|code| code == 200)),
        "{reply:?}"
    );
    text(&reply.stderr)
}

#[tokio::test]
async fn a_source_of_another_architecture_is_refused_with_the_right_port() {
    let daemon = Daemon::start();
    for (triple, port) in [
        ("aarch64-unknown-linux-gnu", "3636 (aarch64)"),
        ("armv7l-unknown-linux-gnueabihf", "3635 (armv7h)"),
        ("armv5tel-unknown-linux-gnueabi", "3633 (armv5)"),
    ] {
        let reason = refused(&daemon.ask(&told_by(triple, "14.2.0", &[])).await);
        let expected = format!(
            "compiler for {triple}, but this volunteer compiles for x86_64; the right port is {port}\n"
        );
        assert!(reason.contains(&expected), "{reason}");
    }
    // What was refused is not remembered.
    assert!(daemon.works().await);
    assert!(compiled(
        &daemon.ask(&told_by("x86_64-redhat-linux", "14", &[])).await
    ));
}

#[tokio::test]
async fn intermediate_code_is_made_by_the_clients_own_version_only() {
    let daemon = Daemon::start();
    let ask = async |version, options: &[&str]| {
        daemon
            .ask(&told_by("x86_64-linux-gnu", version, options))
            .await
    };
    assert!(compiled(&ask("14.2.0", &["-flto"]).await));
    assert!(compiled(&ask("12", &["-flto=auto"]).await));
    let reason = refused(&ask("13.3.0", &["-flto"]).await);
    let expected = "option -flto needs the same compiler version on both machines: yours is GCC 13.3.0, this volunteer would use GCC 14\n";
    assert!(reason.contains(expected), "{reason}");
    assert!(compiled(&ask("13.3.0", &["-flto", "-fno-lto"]).await));
    let unknown = Daemon::start();
    let words = ["gcc", "-flto", "-c", "play.c", "-o", "play.o"];
    let reason = refused(&unknown.ask(&request_with(Version::Lzo, &words)).await);
    assert!(reason.contains("yours is not known"), "{reason}");
    let named = ["gcc-12", "-flto", "-c", "play.c", "-o", "play.o"];
    assert!(compiled(
        &unknown.ask(&request_with(Version::Lzo, &named)).await
    ));
}

#[tokio::test]
async fn the_policy_decides_about_other_versions() {
    for (policy, expected) in [
        (VersionSkew::Warn, true),
        (VersionSkew::Ignore, true),
        (VersionSkew::Refuse, false),
    ] {
        let daemon = Daemon::start_with(play(), |settings| settings.version_skew = policy);
        let reply = daemon
            .ask(&told_by("x86_64-linux-gnu", "16.2.1", &[]))
            .await;
        assert_eq!(compiled(&reply), expected, "{policy:?}");
        if !expected {
            let reason = refused(&reply);
            assert!(
                reason.contains("your GCC 16.2.1 is not on this volunteer"),
                "{reason}"
            );
        }
        assert!(compiled(
            &daemon.ask(&told_by("x86_64-linux-gnu", "12.1", &[])).await
        ));
    }
}
