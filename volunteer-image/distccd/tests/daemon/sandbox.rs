//! What a compiler that was taken over can reach.

use std::fs;
use std::path::Path;
use std::time::Duration;

use distcc_wire::{Outcome, Version};
use distccd::{CompilerLimits, Layer, Layers, Settings};
use tokio::io::AsyncWriteExt;

use crate::harness::{Daemon, play, request, text};

/// Starts a daemon whose jobs have a neighbour with a secret.
fn start(change: impl FnOnce(&mut Settings)) -> Daemon {
    Daemon::start_with(play(), |settings| {
        let neighbour = settings.workspace.join("neighbour");
        fs::create_dir(&neighbour).expect("the directory can be made");
        fs::write(neighbour.join("secret"), "secret").expect("the directory can be written");
        change(settings);
    })
}

/// What the compiler could do of what it tried.
async fn reached(daemon: &Daemon) -> String {
    let reply = daemon.ask(&request(Version::Lzo, "reach")).await;
    assert!(
        matches!(reply.outcome, Outcome::Compiled { .. }),
        "{}",
        text(&reply.stderr)
    );
    text(&reply.stdout)
}

#[tokio::test]
async fn a_compiler_reaches_its_own_directory_and_nothing_else() {
    let daemon = start(|_settings| {});
    assert_eq!(reached(&daemon).await, "wrote to its directory\n");
    // The attempts are real: without the layer every one of them succeeds.
    let open = start(|settings| settings.sandbox = Layers::ALL.without(Layer::Landlock));
    let expected = "\
read /etc/passwd
read its environment
read the directory of another job
wrote to the directory of another job
wrote outside its directory
ran a program from its directory
wrote to its directory
";
    assert_eq!(reached(&open).await, expected);
}

#[tokio::test]
async fn no_file_grows_over_the_limit() {
    let limits = CompilerLimits {
        file_bytes: 200_000_000,
        ..CompilerLimits::default()
    };
    let daemon = start(|settings| settings.compiler_limits = limits);
    let reply = daemon.ask(&request(Version::Lzo, "huge")).await;
    assert!(
        matches!(reply.outcome, Outcome::Failed(failure) if failure.exit_code().is_some_and(|code| code == 3)),
        "{reply:?}"
    );
    let open = start(|settings| {
        settings.compiler_limits = limits;
        settings.sandbox = Layers::ALL.without(Layer::Rlimits);
    });
    let reply = open.ask(&request(Version::Lzo, "huge")).await;
    assert!(
        matches!(reply.outcome, Outcome::Compiled { .. }),
        "{reply:?}"
    );
}

#[tokio::test]
async fn every_process_of_a_compiler_has_the_limits() {
    let limits = CompilerLimits {
        address_space_bytes: 1 << 40,
        file_bytes: 1 << 41,
        processes: 54_321,
        cpu: Duration::from_secs(12_345),
    };
    let daemon = start(|settings| settings.compiler_limits = limits);
    let mut stream = daemon.connect().await;
    let hang = request(Version::Lzo, "hang").encode().unwrap();
    stream.write_all(&hang).await.unwrap();
    let (_, pids) = daemon.job_file("pids").await;
    for pid in pids.split_whitespace() {
        let told = fs::read_to_string(Path::new("/proc").join(pid).join("limits")).unwrap();
        for (name, expected) in [
            ("Max address space", limits.address_space_bytes),
            ("Max file size", limits.file_bytes),
            ("Max processes", limits.processes),
            ("Max cpu time", limits.cpu.as_secs()),
            ("Max core file size", 0),
        ] {
            let line = told
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap();
            let values: Vec<_> = line.split_whitespace().take(2).collect();
            let expected = expected.to_string();
            assert_eq!(values, [&expected, &expected], "{name} of {pid}");
        }
    }
}
