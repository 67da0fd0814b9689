//! What the network throws at a volunteer: it answers or hangs up, and goes on compiling.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use farm_tests::{BOARDS, Board, Scenario, TestFarm};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A connection that is neither answered nor closed within this has hung.
const PATIENCE: Duration = Duration::from_mins(1);

/// A packet of the distcc protocol: a token of four letters, a number of eight hexadecimal digits, a body.
fn packet(token: &str, number: usize, body: &[u8]) -> Vec<u8> {
    let mut packet = format!("{token}{number:08x}").into_bytes();
    packet.extend_from_slice(body);
    packet
}

fn text(token: &str, body: &str) -> Vec<u8> {
    packet(token, body.len(), body.as_bytes())
}

/// A job of protocol version 1 that compiles.
fn good_job() -> Vec<u8> {
    let arguments = ["cc", "-O1", "-c", "answer.c", "-o", "answer.o"];
    let mut job = packet("DIST", 1, b"");
    job.extend(packet("ARGC", arguments.len(), b""));
    job.extend(arguments.iter().flat_map(|argument| text("ARGV", argument)));
    job.extend(text("DOTI", "int answer(void) { return 42; }\n"));
    job
}

/// Bytes that are no request.
pub(crate) async fn garbage_is_turned_away(scenario: Scenario) -> Result<()> {
    let noise: Vec<u8> = (0..=u16::MAX)
        .map(|n| (n.wrapping_mul(40503) >> 8) as u8)
        .collect();
    attack(
        &scenario,
        vec![
            noise,
            b"GET / HTTP/1.1\r\nHost: volunteer\r\n\r\n".to_vec(),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
            vec![0; 100_000],
            b"DIST0000000g".to_vec(),
            b"DIST-0000001".to_vec(),
            packet("DIST", 0, b""),
            packet("DIST", 4, b""),
            packet("DONE", 1, b""),
        ],
    )
    .await
}

/// Lengths that nobody has memory for.
pub(crate) async fn huge_lengths_are_turned_away(scenario: Scenario) -> Result<()> {
    const HUGE: usize = 0xffff_ffff;
    let begun = |rest: &[Vec<u8>]| [packet("DIST", 1, b""), rest.concat()].concat();
    attack(
        &scenario,
        vec![
            begun(&[packet("ARGC", HUGE, b"")]),
            begun(&[packet("ARGC", 0, b"")]),
            begun(&[packet("ARGC", 1, b""), packet("ARGV", HUGE, b"cc")]),
            begun(&[
                packet("ARGC", 2, b""),
                text("ARGV", "cc"),
                text("ARGV", "-c"),
                packet("DOTI", HUGE, b"int"),
            ]),
            [
                packet("DIST", 2, b""),
                packet("ARGC", 1, b""),
                text("ARGV", "cc"),
                packet("DOTI", 16, &[0; 16]),
            ]
            .concat(),
        ],
    )
    .await
}

/// A client that goes away, wherever it was.
pub(crate) async fn clients_may_hang_up_at_any_byte(scenario: Scenario) -> Result<()> {
    let job = good_job();
    let farm = scenario.shared_farm().await?;
    let board = BOARDS[2];
    let before = life(&scenario, &farm, &board).await?;
    for end in 0..job.len() {
        let mut stream = TcpStream::connect(address(&farm, &board)).await?;
        stream.write_all(&job[..end]).await?;
        drop(stream);
    }
    still_compiles(&scenario, &farm, &board, &before).await
}

/// Sends each of `inputs` on a connection of its own; every connection ends.
async fn attack(scenario: &Scenario, inputs: Vec<Vec<u8>>) -> Result<()> {
    let farm = scenario.shared_farm().await?;
    let board = BOARDS[2];
    let before = life(scenario, &farm, &board).await?;
    for input in inputs {
        let mut stream = TcpStream::connect(address(&farm, &board)).await?;
        // The volunteer may close before it has read everything.
        let _closed_early = stream.write_all(&input).await;
        let _closed_early = stream.shutdown().await;
        let mut reply = Vec::new();
        let ended = timeout(PATIENCE, stream.read_to_end(&mut reply)).await;
        let shown = String::from_utf8_lossy(&input[..input.len().min(40)]).into_owned();
        ensure!(ended.is_ok(), "the connection hangs after {shown:?}");
        ensure!(!says_success(&reply), "success was replied to {shown:?}");
    }
    still_compiles(scenario, &farm, &board, &before).await
}

fn says_success(reply: &[u8]) -> bool {
    reply.windows(12).any(|window| window == b"STAT00000000")
}

fn address(farm: &TestFarm, board: &Board) -> SocketAddr {
    SocketAddr::new(farm.address(), board.port)
}

/// Process id, time of the start and number of restarts.
async fn life(scenario: &Scenario, farm: &TestFarm, board: &Board) -> Result<(i64, String, i64)> {
    let volunteer = farm.volunteer(scenario.docker(), board).inspect().await?;
    let state = volunteer.state.context("no state")?;
    Ok((
        state.pid.context("no process")?,
        state.started_at.context("not started")?,
        volunteer.restart_count.unwrap_or_default(),
    ))
}

/// The very same daemon, and its next object is as good as its first.
async fn still_compiles(
    scenario: &Scenario,
    farm: &TestFarm,
    board: &Board,
    before: &(i64, String, i64),
) -> Result<()> {
    let mut stream = TcpStream::connect(address(farm, board)).await?;
    stream.write_all(&good_job()).await?;
    let mut reply = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut reply))
        .await
        .context("no reply in time")??;
    ensure!(
        says_success(&reply),
        "no success: {}",
        String::from_utf8_lossy(&reply)
    );
    let object = reply
        .windows(4)
        .position(|window| window == b"\x7fELF")
        .context("no object")?;
    board
        .object()
        .check(&reply[object..], volunteer_toolchain::Strictness::Exact)?;
    assert_eq!(
        &life(scenario, farm, board).await?,
        before,
        "the daemon was restarted"
    );
    Ok(())
}
