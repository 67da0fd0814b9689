use std::future;
use std::os::unix::process::ExitStatusExt;

use super::*;
use crate::sandbox::Sandbox;
use std::sync::Arc;
use std::time::Duration;

fn shell(script: &str) -> Command {
    Command {
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into()],
        directory: "/".into(),
        room: "/".into(),
        environment: vec![("PATH", "/usr/bin:/bin".into())],
    }
}

const ALLOWANCE: Allowance = Allowance {
    wall: None,
    grace: Duration::from_mins(1),
    printed_bytes: 1000,
};

async fn run(script: &str, allowance: Allowance) -> Ended {
    let children = Arc::new(Children::default());
    let group = children.spawn(&shell(script), &Sandbox::none(), allowance);
    group.wait(future::pending()).await.unwrap()
}

#[tokio::test]
async fn tells_how_a_process_ended_and_what_it_printed() {
    let ended = run("echo out; echo err >&2; exit 3", ALLOWANCE).await;
    assert_eq!(ended.status.code(), Some(3));
    assert_eq!(ended.stdout.bytes, b"out\n");
    assert_eq!(ended.stderr.bytes, b"err\n");
    assert_eq!(ended.stop, None);
    assert!(ended.usage.max_rss_bytes > 0);
}

#[tokio::test]
async fn starts_with_an_empty_environment_and_no_descriptor_of_ours() {
    let ours = tempfile::NamedTempFile::new().unwrap();
    let script = "env | cut -d= -f1 | xargs; ls -l /proc/self/fd; echo end; wc -c; cut -d' ' -f5 /proc/$$/stat; echo $$";
    let ended = run(
        script,
        Allowance {
            printed_bytes: 100_000,
            ..ALLOWANCE
        },
    )
    .await;
    let text = String::from_utf8(ended.stdout.bytes).unwrap();
    let (environment, rest) = text.split_once('\n').unwrap();
    // The shell adds some of its own.
    let known = ["PATH", "PWD", "OLDPWD", "SHLVL", "_"];
    assert!(
        environment.split(' ').all(|name| known.contains(&name)),
        "{text}"
    );
    let (descriptors, rest) = rest.split_once("end\n").unwrap();
    assert!(descriptors.contains(" 0 -> /dev/null"), "{text}");
    assert!(
        !descriptors.contains(ours.path().to_str().unwrap()),
        "{text}"
    );
    let lines: Vec<_> = rest.lines().collect();
    assert_eq!(lines[0], "0", "standard input is empty");
    assert_eq!(lines[1], lines[2], "it leads its own group");
}

#[tokio::test]
async fn keeps_a_bounded_part_of_a_flood() {
    let ended = run("yes | head -c 3000000; yes | head -c 1000 >&2", ALLOWANCE).await;
    assert!(ended.status.success());
    assert_eq!((ended.stdout.bytes.len(), ended.stdout.cut), (1000, true));
    assert_eq!((ended.stderr.bytes.len(), ended.stderr.cut), (1000, false));
}

#[tokio::test]
async fn overtime_ends_with_the_signal_that_was_sent() {
    let wall = Some(Duration::from_millis(20));
    let ended = run("sleep 1000", Allowance { wall, ..ALLOWANCE }).await;
    assert_eq!(ended.stop, Some(Stop::Overtime));
    assert_eq!(ended.status.signal(), Some(15));
}

#[tokio::test]
async fn who_ignores_the_first_signal_gets_the_second() {
    let allowance = Allowance {
        wall: Some(Duration::from_millis(200)),
        grace: Duration::from_millis(20),
        ..ALLOWANCE
    };
    let ended = run("trap '' TERM; while :; do sleep 1000; done", allowance).await;
    assert_eq!(ended.stop, Some(Stop::Overtime));
    assert_eq!(ended.status.signal(), Some(9));
}

#[tokio::test]
async fn interrupted_the_whole_group_is_killed() {
    let group = Arc::new(Children::default()).spawn(
        &shell("sleep 1000 & sleep 1000 & echo $!; wait"),
        &Sandbox::none(),
        ALLOWANCE,
    );
    let ended = group.wait(async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Stop::ClientGone
    });
    let ended = ended.await.unwrap();
    assert_eq!(ended.stop, Some(Stop::ClientGone));
    assert_eq!(ended.status.signal(), Some(9));
    let grandchild = String::from_utf8(ended.stdout.bytes)
        .unwrap()
        .trim()
        .to_owned();
    eventually(|| is_gone(&grandchild)).await;
}

#[tokio::test]
async fn what_a_process_leaves_running_is_killed_and_does_not_hold_up_the_result() {
    let ended = run("sleep 1000 & echo $!", ALLOWANCE).await;
    assert!(ended.status.success());
    let left = String::from_utf8(ended.stdout.bytes)
        .unwrap()
        .trim()
        .to_owned();
    eventually(|| is_gone(&left)).await;
}

#[tokio::test]
async fn dropped_the_whole_group_is_killed() {
    let children = Arc::new(Children::default());
    let group = children.spawn(&shell("sleep 1000 & wait"), &Sandbox::none(), ALLOWANCE);
    eventually(|| !children.known().is_empty()).await;
    let leader = children.known().iter().next().copied().unwrap().to_string();
    drop(group);
    eventually(|| is_gone(&leader) && children.known().is_empty()).await;
}

#[tokio::test]
async fn dropped_before_its_start_it_ends_all_the_same() {
    let children = Arc::new(Children::default());
    let before = children.known();
    drop(children.spawn(&shell("sleep 1000"), &Sandbox::none(), ALLOWANCE));
    drop(before);
    children.first_collected.notified().await;
    assert!(children.known().is_empty());
}

#[tokio::test]
async fn a_program_that_cannot_start_is_an_error() {
    let children = Arc::new(Children::default());
    let missing = Command {
        program: "/nonexistent/compiler".into(),
        ..shell("")
    };
    let group = children.spawn(&missing, &Sandbox::none(), ALLOWANCE);
    let broken = group.wait(future::pending()).await;
    assert!(
        matches!(broken, Err(Broken::Start(error)) if error.kind() == std::io::ErrorKind::NotFound)
    );
    assert!(children.known().is_empty());
}

/// Whether the process has ended, waited for or not.
fn is_gone(pid: &str) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat
            .rsplit(')')
            .next()
            .unwrap()
            .trim_start()
            .starts_with(['Z', 'X']),
        Err(_) => true,
    }
}

async fn eventually(mut condition: impl FnMut() -> bool) {
    let holds = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), holds)
        .await
        .expect("the condition holds in the end");
}
