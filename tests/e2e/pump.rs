//! Pump mode: a volunteer with the library's headers compiles what others refuse with the reason.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use distcc_wire::{Entry, Limits, Outcome, Payload, Reply, Request, Version};
use farm_tests::{BOARDS, Board, Scenario, TestFarm};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use volunteer_toolchain::Strictness;

/// A connection that is neither answered nor closed within this has hung.
const PATIENCE: Duration = Duration::from_mins(1);

const HEADER: &str = "#define ANSWER 42\n";
const C: &str = "#include <stdio.h>\n#include \"answer.h\"\nint answer(void) { return printf(\"%d\", ANSWER); }\n";
const CXX: &str = "#include <vector>\n#include \"answer.h\"\n\
    int answer() { return std::vector<int>(ANSWER).at(1); }\n";

/// Two targets in one farm, one of them with headers.
pub(crate) async fn headers_of_the_system_come_with_the_image_if_asked_for(
    scenario: Scenario,
) -> Result<()> {
    let farm = scenario
        .farm(
            "pump",
            "targets: { aarch64: { headers: true }, armv7h: {} }\n",
        )
        .await?;
    farm.run(&["up"]).await?.success()?;
    let (without, with) = (BOARDS[3], BOARDS[4]);
    for (compiler, file, source) in [("gcc", "answer.c", C), ("g++", "answer.cc", CXX)] {
        let reply = ask(&farm, &with, &request(compiler, file, source)).await?;
        let Outcome::Compiled {
            object,
            dependencies,
        } = reply.outcome
        else {
            bail!("{}", String::from_utf8_lossy(&reply.stderr));
        };
        with.object().check(&object, Strictness::Exact)?;
        let dependencies = String::from_utf8_lossy(&dependencies).into_owned();
        ensure!(
            dependencies.contains("inc/answer.h") && !dependencies.contains("distccd"),
            "{dependencies}"
        );
    }
    let refused = ask(&farm, &without, &request("gcc", "answer.c", C)).await?;
    let Outcome::Failed(failure) = refused.outcome else {
        bail!("compiled without headers");
    };
    // No status that would switch pump mode off for the rest of a build.
    assert_eq!(failure.exit_code(), Some(200));
    let reason = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(reason.contains("headers"), "{reason}");
    Ok(())
}

/// As a stock client sends it: the project's own files and nothing of the system's.
fn request(compiler: &str, file: &str, source: &str) -> Request {
    let words = [
        compiler, "-O1", "-Iinc", "-MMD", "-c", file, "-o", "answer.o",
    ];
    let entry = |name: &str, contents: &str| Entry::File {
        name: format!("/w/p/{name}").into_bytes(),
        contents: contents.as_bytes().to_vec(),
    };
    Request {
        arguments: words.map(|word| word.as_bytes().to_vec()).to_vec(),
        payload: Payload::Pump {
            directory: b"/w/p".to_vec(),
            entries: vec![entry(file, source), entry("inc/answer.h", HEADER)],
        },
    }
}

async fn ask(farm: &TestFarm, board: &Board, request: &Request) -> Result<Reply> {
    let address = SocketAddr::new(farm.address(), board.port);
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(&request.encode()?).await?;
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .context("no reply in time")??;
    Ok(Reply::decode(Version::Pump, &answer, &Limits::default())?)
}
