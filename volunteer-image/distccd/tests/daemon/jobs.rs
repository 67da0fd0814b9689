//! Whole jobs over loopback, with a compiler that does what the test says.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::Duration;

use crate::harness::{
    Daemon, PATIENCE, eventually, is_gone, play, read_all, request, request_with, text,
};
use distcc_wire::{Failure, Outcome, Version};
use distccd::AllowList;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time;

const BOTH: [Version; 2] = [Version::Plain, Version::Lzo];

fn failed(outcome: &Outcome) -> Option<Failure> {
    match outcome {
        Outcome::Failed(failure) => Some(*failure),
        Outcome::Compiled { .. } => None,
    }
}

#[tokio::test]
async fn a_job_comes_back_as_an_object() {
    let daemon = Daemon::start();
    for version in BOTH {
        let reply = daemon.ask(&request(version, "object")).await;
        let Outcome::Compiled { object, .. } = reply.outcome else {
            panic!("{}", text(&reply.stderr))
        };
        assert!(object.starts_with(b"\x7fELF"));
        assert!(reply.stdout.is_empty() && reply.stderr.is_empty());
    }
    eventually(|| daemon.jobs().is_empty()).await;
}

#[tokio::test]
async fn the_compiler_sees_fixed_names_a_private_directory_and_nothing_else() {
    let daemon = Daemon::start();
    let words = [
        "/opt/x86_64-linux-gnu-gcc-12",
        "-fplay=words",
        "-DX",
        "-c",
        "/home/me/play.c",
        "-o",
        "/home/me/play.o",
    ];
    let reply = daemon.ask(&request_with(Version::Lzo, &words)).await;
    let seen: Vec<_> = text(&reply.stdout).lines().map(str::to_owned).collect();
    assert_eq!(
        seen,
        [
            "-fdefault",
            "-fplay=words",
            "-c",
            "-x",
            "cpp-output",
            ".preprocessed/play.c",
            "-o",
            "object.o"
        ]
    );
    let mut environment: Vec<_> = text(&reply.stderr)
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0.to_owned()))
        .collect();
    environment.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(&name.as_str()));
    environment.sort();
    assert_eq!(environment, ["LC_ALL", "PATH", "TMPDIR"]);
}

#[tokio::test]
async fn the_source_arrives_as_it_was_sent() {
    let daemon = Daemon::start();
    for version in BOTH {
        let words = ["gcc", "-fplay=source", "-c", "-o", "play.o", "play.c"];
        let reply = daemon.ask(&request_with(version, &words)).await;
        assert_eq!(text(&reply.stdout), "# 1 \"play.c\"\nint play;\n");
    }
}

#[tokio::test]
async fn the_compilers_own_end_is_told_as_it_is() {
    let daemon = Daemon::start();
    let cases = [
        ("fail", "exit code 1", "play.c:1: error: as told\n"),
        ("crash", "signal 11", ""),
        (
            "killed",
            "signal 9",
            "distccd (x86_64): error: the compiler was killed, most likely because memory ran out (signal 9)\n\
             distccd (x86_64): hint: give the volunteer more memory, or fewer jobs at once\n",
        ),
    ];
    for version in BOTH {
        for (play, status, stderr) in cases {
            let reply = daemon.ask(&request(version, play)).await;
            assert_eq!(
                failed(&reply.outcome).unwrap().to_string(),
                status,
                "{play}"
            );
            assert_eq!(text(&reply.stderr), stderr, "{play}");
        }
    }
}

#[tokio::test]
async fn an_unsound_object_never_leaves() {
    let daemon = Daemon::start();
    let cases = [
        (
            "wrong-machine",
            "distccd (x86_64): error: wrong object: object is ELF64 AArch64 where ELF64 x86-64 is expected\n",
        ),
        (
            "empty-object",
            "distccd (x86_64): error: wrong object: not an ELF object\n",
        ),
        (
            "no-object",
            "distccd (x86_64): error: the compiler ended well but made no object file\n",
        ),
    ];
    for (play, reason) in cases {
        let reply = daemon.ask(&request(Version::Lzo, play)).await;
        assert_eq!(failed(&reply.outcome), Some(Failure::REFUSED), "{play}");
        assert_eq!(text(&reply.stderr), reason, "{play}");
    }
}

#[tokio::test]
async fn a_flood_of_messages_is_cut_and_the_object_still_comes() {
    const LIMIT: usize = 10_000;
    let daemon = Daemon::start_with(play(), |settings| settings.printed_bytes = LIMIT);
    let reply = daemon.ask(&request(Version::Lzo, "flood")).await;
    assert!(matches!(reply.outcome, Outcome::Compiled { .. }));
    let note = "\ndistccd (x86_64): note: the compiler printed more than is sent\n";
    assert_eq!(reply.stderr.len(), LIMIT + note.len());
    assert!(text(&reply.stderr).ends_with(note));
}

#[tokio::test]
async fn a_compiler_that_hangs_is_stopped_at_its_deadline() {
    let daemon = Daemon::start_with(play(), |settings| {
        settings.deadlines.job = Some(Duration::from_millis(300));
    });
    let asked = request(Version::Plain, "hang");
    let (reply, (_, pids)) = tokio::join!(daemon.ask(&asked), daemon.job_file("pids"));
    assert_eq!(failed(&reply.outcome).unwrap().to_string(), "signal 15");
    assert!(
        text(&reply.stderr).ends_with("the compiler ran too long and was stopped (signal 15)\n")
    );
    for pid in pids.split_whitespace() {
        eventually(|| is_gone(pid)).await;
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_takes_its_whole_compiler_group_along() {
    let daemon = Daemon::start();
    for version in BOTH {
        let mut stream = daemon.connect().await;
        stream
            .write_all(&request(version, "hang").encode().unwrap())
            .await
            .unwrap();
        let (_, pids) = daemon.job_file("pids").await;
        drop(stream);
        for pid in pids.split_whitespace() {
            eventually(|| is_gone(pid)).await;
        }
        eventually(|| daemon.jobs().is_empty()).await;
    }
    assert!(daemon.works().await);
}

#[tokio::test]
async fn a_client_that_waits_for_a_slot_and_hangs_up_never_starts_a_compiler() {
    let daemon = Daemon::start_with(play(), |settings| {
        settings.jobs = std::num::NonZeroUsize::MIN;
    });
    let first = request(Version::Lzo, "wait");
    let waiting = async {
        let (job, _) = daemon.job_file("pids").await;
        let mut second = daemon.connect().await;
        second
            .write_all(&request(Version::Lzo, "hang").encode().unwrap())
            .await
            .unwrap();
        eventually(|| daemon.jobs().len() == 2).await;
        drop(second);
        eventually(|| daemon.jobs().len() == 1).await;
        std::fs::write(job.join("go"), "").unwrap();
    };
    let (reply, ()) = tokio::join!(daemon.ask(&first), waiting);
    assert!(matches!(reply.outcome, Outcome::Compiled { .. }));
}

#[tokio::test]
async fn no_more_compilers_run_than_there_are_slots() {
    let daemon = Daemon::start_with(play(), |settings| {
        settings.jobs = std::num::NonZeroUsize::MIN;
    });
    let running = |daemon: &Daemon| {
        daemon
            .jobs()
            .iter()
            .filter(|job| job.join("pids").exists())
            .count()
    };
    let asked = request(Version::Lzo, "wait");
    let release = async {
        for _ in 0..2 {
            eventually(|| running(&daemon) == 1).await;
            let (job, _) = daemon.job_file("pids").await;
            assert_eq!(running(&daemon), 1);
            std::fs::write(job.join("go"), "").unwrap();
            eventually(|| !job.exists()).await;
        }
    };
    let (first, second, ()) = tokio::join!(daemon.ask(&asked), daemon.ask(&asked), release);
    for reply in [first, second] {
        assert!(matches!(reply.outcome, Outcome::Compiled { .. }));
    }
}

#[tokio::test]
async fn told_to_finish_it_accepts_nothing_new_and_finishes_what_it_has() {
    let daemon = Daemon::start();
    let asked = request(Version::Lzo, "wait");
    let finish = async {
        let (job, _) = daemon.job_file("pids").await;
        daemon.shutdown.finish();
        let refused = async {
            while TcpStream::connect(daemon.address).await.is_ok() {
                time::sleep(Duration::from_millis(5)).await;
            }
        };
        time::timeout(PATIENCE, refused).await.unwrap();
        std::fs::write(job.join("go"), "").unwrap();
    };
    let (reply, ()) = tokio::join!(daemon.ask(&asked), finish);
    assert!(matches!(reply.outcome, Outcome::Compiled { .. }));
    time::timeout(PATIENCE, daemon.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn when_the_grace_is_over_jobs_are_stopped_and_their_clients_told_nothing() {
    let daemon = Daemon::start_with(play(), |settings| {
        settings.deadlines.shutdown = Duration::from_millis(50);
    });
    let mut stream = daemon.connect().await;
    stream
        .write_all(&request(Version::Lzo, "hang").encode().unwrap())
        .await
        .unwrap();
    let (_, pids) = daemon.job_file("pids").await;
    daemon.shutdown.finish();
    assert_eq!(read_all(&mut stream).await, b"");
    for pid in pids.split_whitespace() {
        eventually(|| is_gone(pid)).await;
    }
    time::timeout(PATIENCE, daemon.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stranger_is_turned_away() {
    let elsewhere = IpAddr::from([203, 0, 113, 1]).into();
    let daemon = Daemon::start_with(play(), |settings| {
        settings.allow = AllowList::new(vec![elsewhere], false);
    });
    let mut stream = daemon.connect().await;
    // The daemon may be quicker than this write.
    if let Err(error) = stream
        .write_all(&request(Version::Lzo, "object").encode().unwrap())
        .await
    {
        assert!(
            matches!(
                error.kind(),
                ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
            ),
            "{error}"
        );
    }
    assert_eq!(read_all(&mut stream).await, b"");
    assert!(daemon.jobs().is_empty());
}

#[tokio::test]
async fn a_compiler_that_does_not_start_closes_the_connection_so_that_another_server_is_tried() {
    let mut toolchain = play();
    toolchain.compilers[0].gcc = "/nonexistent/gcc".into();
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    assert_eq!(
        daemon
            .exchange(&request(Version::Lzo, "object").encode().unwrap())
            .await,
        b""
    );
    let words = ["gcc-12", "-c", "play.c"];
    assert!(matches!(
        daemon
            .ask(&request_with(Version::Lzo, &words))
            .await
            .outcome,
        Outcome::Compiled { .. }
    ));
}

#[tokio::test]
async fn no_room_for_a_job_closes_the_connection_so_that_another_server_is_tried() {
    let daemon = Daemon::start_with(play(), |settings| {
        settings.workspace = "/nonexistent".into();
    });
    assert_eq!(
        daemon
            .exchange(&request(Version::Plain, "object").encode().unwrap())
            .await,
        b""
    );
}
