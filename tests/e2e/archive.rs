//! A toolchain from one archive, laid out as crosstool-NG and Arch Linux ARM do: a whole compiler that was moved.

use std::fs;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use farm_tests::{BOARDS, Board, Command, Files, Finished, Scenario, TestFarm, debian};
use farmctl::image::{Sha256, UnpackFault, with_data};
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use volunteer_toolchain::Strictness;

const DIRECTORY: &str = "x-tools7h/arm-unknown-linux-gnueabihf";
const NAME: &str = "x-tools7h.tar.gz";
/// Debian's name of the same triple.
const TRIPLE: &str = "arm-linux-gnueabihf";
const GCC: u32 = 14;
/// What its programs load. The library of the assembler is in a package with the assembler, which stays out.
const LIBRARIES: &str = "[libc6, libgmp10, libmpfr6, libmpc3, libisl23, zlib1g, libzstd1, binutils-arm-linux-gnueabihf]";

/// The stock client gets objects of the board's kind from compilers that are in no package.
pub(crate) async fn a_farm_compiles_with_a_toolchain_from_an_archive(
    scenario: Scenario,
) -> Result<()> {
    let archive = x_tools().await?;
    let sha256 = Sha256::of(&archive).to_string();
    let upstream = Upstream::start(archive).await?;
    let board = BOARDS[3];
    let keys = format!(
        "targets: {{ {}: {{ toolchain: {{ url: '{}', sha256: {sha256}, directory: {DIRECTORY}, gcc: {GCC}, \
         libraries: {LIBRARIES} }} }} }}\n",
        board.target,
        upstream.url(),
    );
    let farm = scenario.farm("archive", &keys).await?;
    up(&farm).await?;
    let lock = fs::read_to_string(farm.folder().join("farm.lock"))?;
    ensure!(
        lock.contains(&sha256) && !lock.contains("://"),
        "the lock should hold the sum and no address: {lock}"
    );

    for (compiler, input) in [("gcc", "answer.i"), ("g++", "answer.ii")] {
        let compiler = format!("{}-{compiler}", board.triple);
        let object = compile(&scenario, &farm, &board, &compiler, input).await?;
        board
            .object()
            .check(&object, Strictness::Exact)
            .with_context(|| compiler.clone())?;
    }

    drop(upstream);
    let kept = farm.folder().join("cache/farmctl/archive").join(&sha256);
    fs::remove_file(&kept).context("the archive is not in the cache")?;
    let again = up(&farm).await?;
    ensure!(again.stderr_text()?.contains("nothing to do"), "{again}");
    Ok(())
}

/// `up` with a cache of the farm's own: in the user's a former run may have left the layers that are to be made here.
async fn up(farm: &TestFarm) -> Result<Finished> {
    let cache = farm.folder().join("cache");
    let up = farm.run_with(&["up"], |command| {
        command.env("XDG_CACHE_HOME", cache);
    });
    up.await?.success()
}

/// Sends a preprocessed source, so that the master needs no such compiler.
async fn compile(
    scenario: &Scenario,
    farm: &TestFarm,
    board: &Board,
    compiler: &str,
    input: &str,
) -> Result<Vec<u8>> {
    let master = scenario.master().await?;
    let mut files = Files::new();
    files.insert(input, "int answer(void) { return 42; }\n");
    let folder = format!("/work/archive/{compiler}");
    master.copy_in(&folder, &files).await?;
    let command = Command::new(["distcc", compiler, "-O1", "-c", input, "-o", "answer.o"])
        .folder(&folder)
        .env("DISTCC_HOSTS", farm.hosts_of(board).await?)
        .env("DISTCC_FALLBACK", "0")
        .env("DISTCC_DIR", &folder);
    master.run(&command).await?.success()?;
    let made = master.copy_out(&folder).await?;
    Ok(made.read("answer.o")?.to_vec())
}

/// Debian's cross compiler, moved to where crosstool-NG would have put it.
async fn x_tools() -> Result<Vec<u8>> {
    let archive = debian::archive()?;
    let package = format!("g++-{GCC}-{TRIPLE}");
    let leave_out = ["*-cross", "*-dev", "*-base"];
    let packages = archive.close("stable", &[&package], &leave_out).await?;
    let mut debs = Vec::new();
    for package in packages
        .iter()
        .filter(|package| package.name.contains(TRIPLE))
    {
        let file = archive.file(&package.path, package.size, package.sha256);
        debs.push(file.await?);
    }
    let packed = tokio::task::spawn_blocking(move || pack(&debs)).await?;
    Ok(packed?)
}

fn pack(debs: &[PathBuf]) -> Result<Vec<u8>, UnpackFault> {
    let out = GzEncoder::new(Vec::new(), Compression::fast());
    let mut packed = Builder::new(out);
    for deb in debs {
        with_data(deb, |data| move_programs(data, &mut packed))?;
    }
    Ok(packed.into_inner()?.finish()?)
}

/// Programs only: what else there is makes the archive large and its trial slow.
fn move_programs(
    data: &mut dyn Read,
    packed: &mut Builder<impl io::Write>,
) -> Result<(), UnpackFault> {
    for entry in tar::Archive::new(data).entries()? {
        let mut entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some(path) = path.strip_prefix("./usr/").and_then(moved) else {
            continue;
        };
        let mut header = Header::new_gnu();
        header.set_mode(0o755);
        let kind = entry.header().entry_type();
        header.set_entry_type(kind);
        match (kind, entry.link_name()?) {
            (EntryType::Symlink, Some(target)) => {
                header.set_size(0);
                packed.append_link(&mut header, path, target)?;
            }
            (EntryType::Regular, _) => {
                header.set_size(entry.size());
                packed.append_data(&mut header, path, &mut entry)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Where a file below `/usr` goes, if it is a program that is not too large to come along.
fn moved(path: &str) -> Option<String> {
    let drivers = ["gcc", "g++"].map(|driver| {
        (
            format!("bin/{TRIPLE}-{driver}-{GCC}"),
            format!("{DIRECTORY}/bin/arm-unknown-linux-gnueabihf-{driver}"),
        )
    });
    if let Some((_from, to)) = drivers.into_iter().find(|(from, _to)| from == path) {
        return Some(to);
    }
    let is_program = ["bin/", "libexec/", &format!("{TRIPLE}/bin/")]
        .iter()
        .any(|folder| path.starts_with(folder));
    (is_program && !path.contains("lto")).then(|| format!("{DIRECTORY}/{path}"))
}

/// A server that has one file.
struct Upstream {
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Upstream {
    async fn start(file: Vec<u8>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move {
            while let Ok((mut stream, _peer)) = listener.accept().await {
                let mut request = Vec::new();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    file.len()
                );
                // A client that goes away is its own business.
                let _sent = async {
                    while !request.ends_with(b"\r\n\r\n")
                        && stream.read_buf(&mut request).await? > 0
                    {}
                    stream.write_all(head.as_bytes()).await?;
                    stream.write_all(&file).await?;
                    stream.shutdown().await
                }
                .await;
            }
        });
        Ok(Self { address, server })
    }

    fn url(&self) -> String {
        format!("http://{}/{NAME}", self.address)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}
