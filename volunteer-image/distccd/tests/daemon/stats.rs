//! What the daemon tells about itself.

use std::fs;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Command, Stdio};

use distcc_wire::Version;
use distccd::AllowList;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::compilers::this_machine;
use crate::harness::{Daemon, eventually, play, read_all, request, request_with, text};
use crate::served::{PROGRAM, Program, free_port};

/// What comes back for these bytes.
async fn told(daemon: &Daemon, asked: &[u8]) -> String {
    let mut stream = TcpStream::connect(daemon.statistics)
        .await
        .expect("it accepts");
    stream.write_all(asked).await.expect("it reads");
    text(&read_all(&mut stream).await)
}

/// The body of what is told at `path`, and its status.
pub(crate) async fn get(daemon: &Daemon, path: &str) -> (u16, String) {
    let asked = format!("GET {path} HTTP/1.1\r\nHost: volunteer\r\nConnection: close\r\n\r\n");
    let answer = told(daemon, asked.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("it is HTTP");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.expect("it has a status"), body.to_owned())
}

async fn get_json(daemon: &Daemon, path: &str) -> Value {
    let (status, body) = get(daemon, path).await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).expect("it is JSON")
}

fn value<'a>(body: &'a str, name: &str) -> &'a str {
    let line = body.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("{name} is not in {body}"))
        .trim()
}

fn names(body: &str) -> Vec<&str> {
    body.lines()
        .filter_map(|line| line.split(' ').next())
        .collect()
}

#[tokio::test]
async fn any_request_and_even_none_is_answered_with_the_stock_daemons_text() {
    let daemon = Daemon::start();
    let requests: [&[u8]; 5] = [
        b"",
        b"GET / HTTP/1.1\r\nHost: volunteer\r\n\r\n",
        b"GET /index.html HTTP/1.0\r\n\r\n",
        b"anything\n",
        &[b'x'; 1000],
    ];
    for asked in requests {
        let answer = told(&daemon, asked).await;
        let body =
            answer.strip_prefix("HTTP/1.0 200 OK\nContent-Type: text/plain\nConnection: close\n\n");
        let body = body.unwrap_or_else(|| panic!("{answer}"));
        assert!(
            body.starts_with("argv /distccd\n<distccstats>\ndcc_tcp_accept 0\n"),
            "{body}"
        );
        assert!(body.ends_with(" MB\n</distccstats>\n"), "{body}");
    }
}

#[tokio::test]
async fn fields_are_those_of_the_stock_daemon_in_its_order_and_new_ones_come_last() {
    const STOCK: &str = "/usr/bin/distccd";
    if !Path::new(STOCK).exists() {
        eprintln!("skipped: {STOCK} is not installed");
        return;
    }
    let (port, stats_port) = (free_port().to_string(), free_port());
    let words = [
        "--daemon",
        "--no-detach",
        "--listen",
        "127.0.0.1",
        "--allow",
        "127.0.0.1",
        "--port",
        &port,
        "--stats",
    ];
    let mut stock = Command::new(STOCK)
        .args(words)
        .args([
            "--stats-port",
            &stats_port.to_string(),
            "--log-stderr",
            "--jobs",
            "2",
        ])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut expected = String::new();
    eventually(|| {
        let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", stats_port)) else {
            return false;
        };
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").is_ok()
            && stream.read_to_string(&mut expected).is_ok()
    })
    .await;
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&stock),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    stock.wait().unwrap();
    let own = told(&Daemon::start(), b"GET / HTTP/1.0\r\n\r\n").await;
    let own = names(&own);
    let without_new: Vec<_> = own
        .iter()
        .copied()
        .filter(|name| *name != "dcc_free_mem")
        .collect();
    assert_eq!(without_new, names(&expected));
    assert_eq!(own[own.len() - 2..], ["dcc_free_mem", "</distccstats>"]);
}

#[tokio::test]
async fn jobs_are_counted_by_what_became_of_them() {
    let daemon = Daemon::start();
    for play in ["object", "object", "fail", "no-object", "wrong-machine"] {
        daemon.ask(&request(Version::Lzo, play)).await;
    }
    daemon
        .ask(&request_with(
            Version::Plain,
            &["gcc", "-fplugin=evil.so", "-c", "play.c"],
        ))
        .await;
    daemon.exchange(b"GET / HTTP/1.1\r\n\r\n").await;
    let body = told(&daemon, b"").await;
    for (name, expected) in [
        ("dcc_tcp_accept", "7"),
        ("dcc_rej_bad_req", "1"),
        ("dcc_compile_ok", "2"),
        ("dcc_compile_error", "1"),
        ("dcc_other", "3"),
        ("dcc_longest_job ", "play.c"),
        ("dcc_longest_job_compiler", "gcc"),
        ("dcc_max_kids", "2"),
        ("dcc_num_compiles1", "3"),
    ] {
        assert_eq!(value(&body, name), expected, "{name}");
    }
    let (status, metrics) = get(&daemon, "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "distccd_connections_total 7",
        "distccd_foreign_requests_total 1",
        "distccd_jobs_total{outcome=\"compiled\"} 2",
        "distccd_jobs_total{outcome=\"refused\"} 1",
        "distccd_reasons_total{outcome=\"refused\",reason=\"loads-code\"} 1",
        "distccd_reasons_total{outcome=\"unsound\",reason=\"missing\"} 1",
        "distccd_reasons_total{outcome=\"unsound\",reason=\"wrong-machine\"} 1",
        "distccd_chosen_compilers_total{major=\"14\",why=\"preferred\"} 5",
        "distccd_compile_seconds_count 5",
        "distccd_running_jobs 0",
        "distccd_slots 2",
        "# EOF",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line} is not in {metrics}"
        );
    }
}

#[tokio::test]
async fn another_version_than_the_clients_is_counted_for_the_client() {
    let daemon = Daemon::start();
    let mut asked = request(Version::Plain, "object");
    let source =
        b"# 1 \"/usr/lib/gcc/x86_64-linux-gnu/13/include/stddef.h\" 1 3 4\nint play;\n".to_vec();
    asked.payload = distcc_wire::Payload::Plain(source);
    daemon.ask(&asked).await;
    let (_, metrics) = get(&daemon, "/metrics").await;
    let line = "distccd_version_skew_total{client=\"127.0.0.1\",version=\"GCC 13\"} 1";
    assert!(metrics.lines().any(|found| found == line), "{metrics}");
}

#[tokio::test]
async fn jobs_are_listed_while_they_run_and_wait_and_for_a_while_after() {
    let daemon = Daemon::start_with(play(), |settings| settings.jobs = NonZeroUsize::MIN);
    let (running, waiting) = (
        request(Version::Lzo, "wait"),
        request(Version::Lzo, "object"),
    );
    let look = async {
        let (job, _) = daemon.job_file("pids").await;
        eventually(|| daemon.jobs().len() == 2).await;
        let phases = |told: &Value| -> Vec<String> {
            let jobs = told["jobs"].as_array().expect("a list").iter();
            jobs.map(|job| job["phase"].as_str().expect("a phase").to_owned())
                .collect()
        };
        let mut told = get_json(&daemon, "/jobs").await;
        while phases(&told) != ["compiling", "queued"] {
            told = get_json(&daemon, "/jobs").await;
        }
        let first = &told["jobs"][0];
        assert_eq!(
            (&first["client"], &first["file"]),
            (&"127.0.0.1".into(), &"play.c".into())
        );
        assert_eq!(
            (&first["asked"], &first["gcc"], &first["why"]),
            (&"gcc".into(), &14.into(), &"preferred".into())
        );
        assert!(
            first["compiler"]
                .as_str()
                .expect("a path")
                .ends_with("/play.sh")
        );
        assert!(first["seconds"].as_f64().expect("a time") > 0.0);
        assert!(first["peak_memory_bytes"].as_u64().expect("a size") > 0);
        let (_, metrics) = get(&daemon, "/metrics").await;
        assert!(
            metrics.contains("distccd_queued_jobs 1\n")
                && metrics.contains("distccd_running_jobs 1\n")
        );
        fs::write(job.join("go"), "").unwrap();
    };
    tokio::join!(daemon.ask(&running), daemon.ask(&waiting), look);
    let mut told = get_json(&daemon, "/jobs").await;
    while !told["jobs"].as_array().expect("a list").is_empty() {
        told = get_json(&daemon, "/jobs").await;
    }
    let finished = &told["finished"];
    assert_eq!(finished.as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&finished[0]["outcome"], &finished[0]["phase"]),
        (&"compiled".into(), &"finished".into())
    );
}

#[tokio::test]
async fn the_toolchain_is_told_by_the_compilers_themselves() {
    let Some(toolchain) = this_machine() else {
        return;
    };
    let program = toolchain.compilers[0].gcc.clone();
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    let told = get_json(&daemon, "/toolchain").await;
    let asked = |word: &str| {
        text(&Command::new(&program).arg(word).output().unwrap().stdout)
            .trim()
            .to_owned()
    };
    let compiler = &told["compilers"][0];
    assert_eq!(compiler["version"], asked("-dumpfullversion"));
    assert_eq!(compiler["triple"], asked("-dumpmachine"));
    let programs = compiler["programs"].as_array().expect("a list");
    let paths: Vec<_> = programs
        .iter()
        .map(|program| program["path"].as_str().expect("a path"))
        .collect();
    assert!(paths.iter().any(|path| path.ends_with("/cc1")), "{paths:?}");
    for program in programs {
        assert_eq!(
            program["sha256"].as_str().map(str::len),
            Some(64),
            "{program}"
        );
    }
    let options = compiler["code_generation"].as_array().expect("a list");
    assert!(
        options.iter().any(|option| option == "-march=x86-64"),
        "{options:?}"
    );
    assert_eq!(get_json(&daemon, "/toolchain").await, told);
}

#[test]
fn without_an_image_the_permitted_compilers_are_told() {
    let Some(toolchain) = this_machine() else {
        return;
    };
    let program = &toolchain.compilers[0].gcc;
    let port = free_port();
    let mut command = Command::new(PROGRAM);
    command
        .args(["--enable-tcp-insecure", "--stats", "--stats-port"])
        .arg(port.to_string())
        .env("DISTCCD_PATH", program.parent().unwrap());
    let _running = Program::serve(command, tempfile::tempdir().unwrap(), free_port());
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .write_all(b"GET /toolchain HTTP/1.0\r\n\r\n")
        .unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).unwrap();
    let (_, body) = told.split_once("\r\n\r\n").unwrap();
    let told: Value = serde_json::from_str(body).unwrap();
    let path = told["compilers"][0]["programs"][0]["path"]
        .as_str()
        .unwrap();
    assert_eq!(
        Path::new(path),
        program.with_file_name("gcc").canonicalize().unwrap()
    );
    assert!(told["compilers"][0]["version"].is_string(), "{told}");
}

#[tokio::test]
async fn health_is_told_until_the_end() {
    let daemon = Daemon::start();
    assert_eq!(get(&daemon, "/healthz").await, (200, "ok\n".to_owned()));
    let asked = request(Version::Lzo, "wait");
    let look = async {
        let (job, _) = daemon.job_file("pids").await;
        daemon.shutdown.finish();
        assert_eq!(
            get(&daemon, "/healthz").await,
            (503, "finishing\n".to_owned())
        );
        fs::write(job.join("go"), "").unwrap();
    };
    tokio::join!(daemon.ask(&asked), look);
}

#[tokio::test]
async fn strangers_are_told_nothing() {
    let elsewhere = IpAddr::from([203, 0, 113, 1]).into();
    let daemon = Daemon::start_with(play(), |settings| {
        settings.allow = AllowList::new(vec![elsewhere], false);
    });
    assert_eq!(told(&daemon, b"").await, "");
}

#[tokio::test]
async fn clients_that_say_nothing_do_not_keep_others_from_asking() {
    let daemon = Daemon::start();
    let mut held = Vec::new();
    for _ in 0..100 {
        held.push(TcpStream::connect(daemon.statistics).await.unwrap());
    }
    assert_eq!(get(&daemon, "/healthz").await.0, 200);
    for mut stream in held {
        assert!(text(&read_all(&mut stream).await).ends_with("</distccstats>\n"));
    }
}

#[test]
fn the_program_tells_statistics_only_where_it_was_asked_to() {
    let port = free_port();
    let program = Program::start(
        &play(),
        &[
            "--stats",
            "--stats-port",
            &port.to_string(),
            "--stats-listen",
            "127.0.0.1",
        ],
    );
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).unwrap();
    assert!(told.ends_with("</distccstats>\n"), "{told}");
    drop(program);
}
