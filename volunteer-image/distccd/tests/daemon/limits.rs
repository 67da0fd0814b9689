//! What clients may ask for, how many of them, and for how long.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use distcc_wire::{Entry, Limits, Outcome, Payload, Reply, Request, Version};
use distccd::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time;

use crate::harness::{Daemon, PATIENCE, eventually, play, read_all, request, request_with, text};
use crate::stats::get;

/// What a failed job's client is told.
fn told(reply: &Reply) -> String {
    let Outcome::Failed(failure) = reply.outcome else {
        panic!("it was compiled");
    };
    format!("{failure}: {}", text(&reply.stderr))
}

fn count(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).expect("it is not zero")
}

/// Connects and sends a whole request.
async fn sent(daemon: &Daemon, request: &Request) -> TcpStream {
    let mut stream = daemon.connect().await;
    let bytes = request.encode().expect("the request can be encoded");
    stream.write_all(&bytes).await.expect("the daemon reads");
    stream
}

async fn reply(stream: &mut TcpStream) -> Option<Reply> {
    let answer = read_all(stream).await;
    Reply::decode(Version::Lzo, &answer, &Limits::default()).ok()
}

fn with_source(version: Version, source: Vec<u8>) -> Request {
    let mut request = request(version, "object");
    request.payload = match version {
        Version::Plain => Payload::Plain(source),
        _ => Payload::Lzo(source),
    };
    request
}

#[tokio::test]
async fn every_size_and_count_of_a_request_has_its_limit() {
    type Change = fn(&mut Settings);
    let noise: Vec<u8> = (0..20_000_u32)
        .flat_map(|number| number.wrapping_mul(0x9e37_79b9).to_le_bytes())
        .collect();
    let words =
        |words: &[&str]| request_with(Version::Lzo, &[&["gcc", "-c", "play.c"], words].concat());
    let cases: [(Change, Request, &str); 8] = [
        (
            |settings| settings.limits.path_bytes = 1,
            request(Version::Pump, "object"),
            "CDIR of 2 bytes, more than 1",
        ),
        (
            |settings| settings.limits.argument_count = 4,
            words(&["-O2", "-g"]),
            "5 arguments, more than 4",
        ),
        (
            |settings| settings.limits.argument_bytes = 9,
            words(&["-DABCDEFGH"]),
            "an argument of 10 bytes, more than 9",
        ),
        (
            |settings| settings.limits.arguments_bytes = 13,
            words(&["-O2"]),
            "more than 13 bytes of arguments",
        ),
        (
            |settings| settings.limits.body_bytes = 1000,
            with_source(Version::Plain, vec![b' '; 1001]),
            "DOTI of 1001 bytes, more than 1000",
        ),
        (
            |settings| settings.limits.decoded_body_bytes = 100_000,
            with_source(Version::Lzo, vec![b' '; 100_001]),
            "the body of DOTI expands to more than 100000 bytes",
        ),
        (
            |settings| settings.limits.decoded_total_bytes = 100_000,
            with_source(Version::Lzo, vec![b' '; 100_001]),
            "the body of DOTI expands to more than 100000 bytes",
        ),
        (
            |settings| settings.limits.total_bytes = 10_000,
            with_source(Version::Plain, noise),
            "more than 10000 bytes in all",
        ),
    ];
    for (change, asked, expected) in cases {
        let daemon = Daemon::start_with(play(), change);
        let expected =
            format!("exit code 200: distccd (x86_64): error: request over a limit: {expected}\n");
        assert_eq!(told(&daemon.ask(&asked).await), expected);
        assert!(daemon.jobs().is_empty());
    }
}

#[tokio::test]
async fn a_request_in_pump_mode_has_so_many_files_at_most() {
    let mut toolchain = play();
    toolchain.headers = true;
    let daemon = Daemon::start_with(toolchain, |settings| settings.limits.entry_count = 3);
    let mut asked = request(Version::Pump, "object");
    let file = |number| Entry::File {
        name: format!("/w/{number}.c").into_bytes(),
        contents: b"int i;".to_vec(),
    };
    asked.payload = Payload::Pump {
        directory: b"/w".to_vec(),
        entries: (0..4).map(file).collect(),
    };
    assert_eq!(
        told(&daemon.ask(&asked).await),
        "exit code 200: distccd (x86_64): error: request over a limit: 4 files, more than 3\n"
    );
    assert!(daemon.jobs().is_empty());
}

#[tokio::test]
async fn an_object_that_is_too_large_does_not_leave() {
    let daemon = Daemon::start_with(play(), |settings| settings.object_bytes = 10);
    let reply = daemon.ask(&request(Version::Lzo, "object")).await;
    assert_eq!(
        told(&reply),
        "exit code 200: distccd (x86_64): error: the object has 64 bytes, more than the 10 that may be sent\n"
    );
}

#[tokio::test]
async fn a_client_that_drips_is_let_go_at_the_deadline_of_its_stage() {
    let short = Duration::from_millis(400);
    let daemon = Daemon::start_with(play(), |settings| {
        settings.deadlines.header = short;
        settings.deadlines.source = short;
    });
    let whole = request(Version::Plain, "object").encode().unwrap();
    let source = whole
        .windows(4)
        .position(|window| window == b"DOTI")
        .unwrap();
    for begin in [0, source + 12] {
        let mut stream = daemon.connect().await;
        stream.set_nodelay(true).unwrap();
        stream.write_all(&whole[..begin]).await.unwrap();
        // Never silent for long, and never done: only a deadline for the whole stage ends this.
        let drip = async {
            for byte in whole[begin..].iter().chain(std::iter::repeat(&b' ')) {
                time::sleep(Duration::from_millis(20)).await;
                if stream.write_all(&[*byte]).await.is_err() {
                    return;
                }
            }
        };
        time::timeout(PATIENCE, drip)
            .await
            .expect("the daemon closes");
    }
    eventually(|| daemon.jobs().is_empty()).await;
    assert!(daemon.works().await);
}

#[tokio::test]
async fn one_client_has_its_share_of_the_connections_and_is_told_so() {
    let daemon = Daemon::start_with(play(), |settings| settings.client_connections = count(2));
    let held = [daemon.connect().await, daemon.connect().await];
    for version in [Version::Plain, Version::Lzo] {
        let bytes = request(version, "object").encode().unwrap();
        assert_eq!(daemon.exchange(&bytes).await, b"");
    }
    let reply = daemon.ask(&request(Version::Pump, "object")).await;
    assert_eq!(
        told(&reply),
        "exit code 200: distccd (x86_64): error: more than 2 connections of one client\n"
    );
    drop(held);
    let works = async { while reply_of_object(&daemon).await.is_none() {} };
    time::timeout(PATIENCE, works)
        .await
        .expect("it is let in again");
}

async fn reply_of_object(daemon: &Daemon) -> Option<Reply> {
    let mut stream = daemon.connect().await;
    let bytes = request(Version::Lzo, "object")
        .encode()
        .expect("the request can be encoded");
    stream.write_all(&bytes).await.ok()?;
    reply(&mut stream).await
}

#[tokio::test]
async fn a_client_with_far_too_many_connections_is_not_listened_to() {
    let daemon = Daemon::start_with(play(), |settings| settings.client_connections = count(1));
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(daemon.connect().await);
    }
    // The last ones are closed at once.
    for stream in held.iter_mut().rev().take(5) {
        assert_eq!(read_all(stream).await, b"");
    }
}

#[tokio::test]
async fn connections_above_the_limit_wait_until_others_end() {
    let daemon = Daemon::start_with(play(), |settings| {
        settings.connections = count(1);
        settings.client_connections = count(10);
    });
    let held = daemon.connect().await;
    let mut waiting = sent(&daemon, &request(Version::Lzo, "object")).await;
    let early = time::timeout(Duration::from_millis(200), waiting.read_u8()).await;
    assert!(early.is_err(), "it is not served yet");
    drop(held);
    let reply = reply(&mut waiting).await.expect("it is served");
    assert!(matches!(reply.outcome, Outcome::Compiled { .. }));
}

#[tokio::test]
async fn a_queue_is_no_longer_than_allowed() {
    let daemon = Daemon::start_with(play(), |settings| {
        settings.jobs = count(1);
        settings.queue = count(1);
    });
    let mut running = sent(&daemon, &request(Version::Lzo, "wait")).await;
    let (job, _) = daemon.job_file("pids").await;
    let mut waiting = sent(&daemon, &request(Version::Lzo, "object")).await;
    queue_has(&daemon, 1).await;
    // Another server may have room: versions 1 and 2 are not answered.
    let mut refused = sent(&daemon, &request(Version::Lzo, "object")).await;
    assert_eq!(read_all(&mut refused).await, b"");
    std::fs::write(job.join("go"), "").unwrap();
    for stream in [&mut running, &mut waiting] {
        let reply = reply(stream).await.expect("it is answered");
        assert!(matches!(reply.outcome, Outcome::Compiled { .. }));
    }
}

/// Sends a request of another client: loopback has many addresses.
async fn sent_from(daemon: &Daemon, client: [u8; 4], request: &Request) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("sockets can be made");
    let own = SocketAddr::from((client, 0));
    socket.bind(own).expect("loopback has the address");
    let mut stream = socket.connect(daemon.address).await.expect("it accepts");
    let bytes = request.encode().expect("the request can be encoded");
    stream.write_all(&bytes).await.expect("the daemon reads");
    stream
}

/// Waits until one job runs and so many wait.
async fn queue_has(daemon: &Daemon, jobs: usize) {
    let waiting = format!("distccd_queued_jobs {jobs}\n");
    let holds = async {
        loop {
            let (_, metrics) = get(daemon, "/metrics").await;
            if metrics.contains("distccd_running_jobs 1\n") && metrics.contains(&waiting) {
                return;
            }
        }
    };
    time::timeout(PATIENCE, holds).await.expect("they wait");
}

#[tokio::test]
async fn a_client_with_one_job_does_not_wait_for_all_jobs_of_another() {
    let daemon = Daemon::start_with(play(), |settings| settings.jobs = count(1));
    let asked = request(Version::Lzo, "wait");
    let mut greedy = Vec::new();
    for queued in 0..3 {
        greedy.push(sent_from(&daemon, [127, 0, 0, 2], &asked).await);
        queue_has(&daemon, queued).await;
    }
    let mut modest = sent_from(&daemon, [127, 0, 0, 3], &asked).await;
    queue_has(&daemon, 3).await;
    for _ in 0..3 {
        let (job, _) = daemon.job_file("pids").await;
        std::fs::write(job.join("go"), "").unwrap();
        eventually(|| !job.exists()).await;
    }
    // Of four jobs three are done, and the modest client's is one of them.
    let reply = reply(&mut modest).await.expect("it is answered");
    assert!(matches!(reply.outcome, Outcome::Compiled { .. }));
    assert_eq!(daemon.jobs().len(), 1);
}

#[tokio::test]
async fn nobody_waits_in_the_queue_for_longer_than_allowed() {
    let daemon = Daemon::start_with(play(), |settings| {
        settings.jobs = count(1);
        settings.deadlines.queue = Duration::from_millis(100);
    });
    let mut running = sent(&daemon, &request(Version::Lzo, "wait")).await;
    let (job, _) = daemon.job_file("pids").await;
    let mut waiting = sent(&daemon, &request(Version::Lzo, "object")).await;
    assert_eq!(read_all(&mut waiting).await, b"");
    std::fs::write(job.join("go"), "").unwrap();
    assert!(reply(&mut running).await.is_some());
}

#[tokio::test]
async fn who_waits_for_long_hears_the_beginning_of_the_reply_byte_by_byte() {
    let daemon = Daemon::start_with(play(), |settings| {
        settings.deadlines.sign_of_life = Duration::from_millis(10);
    });
    for (end, stat) in [("go", &b"STAT00000000"[..]), ("stop", b"STAT00000100")] {
        let mut stream = sent(&daemon, &request(Version::Lzo, "wait")).await;
        let (job, _) = daemon.job_file("pids").await;
        let mut early = [0; 10];
        let reading = stream.read_exact(&mut early);
        time::timeout(PATIENCE, reading)
            .await
            .expect("it says something")
            .unwrap();
        assert_eq!(&early, b"DONE000000");
        std::fs::write(job.join(end), "").unwrap();
        let whole = [&early[..], &read_all(&mut stream).await].concat();
        assert_eq!(&whole[..12], b"DONE00000002");
        assert_eq!(&whole[12..24], stat);
        assert!(Reply::decode(Version::Lzo, &whole, &Limits::default()).is_ok());
        eventually(|| !job.exists()).await;
    }
}

#[tokio::test]
async fn a_stock_client_with_little_patience_waits_for_a_long_job() {
    const CLIENT: &str = "/usr/bin/distcc";
    if !Path::new(CLIENT).exists() {
        eprintln!("skipped: {CLIENT} is not installed");
        return;
    }
    let daemon = Daemon::start();
    let folder = tempfile::tempdir().unwrap();
    let preprocessor = folder.path().join("gcc");
    std::fs::write(&preprocessor, "#!/bin/sh\nexec cat play.c\n").unwrap();
    std::fs::set_permissions(&preprocessor, Permissions::from_mode(0o755)).unwrap();
    std::fs::write(folder.path().join("play.c"), "int play;\n").unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let mut client = Command::new(CLIENT)
        .args(["gcc", "-fplay=wait", "-c", "play.c", "-o", "play.o"])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", path)
        .env("DISTCC_DIR", folder.path())
        .env(
            "DISTCC_HOSTS",
            format!("127.0.0.1:{},lzo", daemon.address.port()),
        )
        .env("DISTCC_FALLBACK", "0")
        .env("DISTCC_NO_REWRITE_CROSS", "1")
        .env("DISTCC_IO_TIMEOUT", "2")
        .spawn()
        .unwrap();
    let (job, _) = daemon.job_file("pids").await;
    // More than twice its patience.
    time::sleep(Duration::from_secs(5)).await;
    std::fs::write(job.join("go"), "").unwrap();
    let mut status = None;
    eventually(|| {
        status = client.try_wait().unwrap();
        status.is_some()
    })
    .await;
    assert_eq!(status.and_then(|status| status.code()), Some(0));
    let object = std::fs::read(folder.path().join("play.o")).unwrap();
    assert!(object.starts_with(b"\x7fELF"));
}
