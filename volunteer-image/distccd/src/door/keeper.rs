//! The door itself: opens the ports, and gives them to whoever asks.

use std::fs::{self, Permissions};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroU16;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::time::{self, Instant};

use super::handout::Handout;
use super::{is_listening, is_of_this_user, rights, socket_of};
use crate::accept::patiently;
use crate::config::{DoorConfig, Place, Sink};
use crate::exit::Exit;
use crate::pid_file::PidFile;
use crate::run::Fatal;
use crate::shutdown::Signals;
use crate::{detach, listen, start};

/// Volunteers at once; more wait in the kernel's queue.
const VOLUNTEERS: usize = 64;

/// How long to wait for a port that is taken: the volunteers of a door that has just ended let go of it when they notice.
const PORT_PATIENCE: Duration = Duration::from_secs(5);
const PORT_PAUSE: Duration = Duration::from_millis(20);

/// Keeps the door until it is told to end.
pub(crate) fn keep(config: DoorConfig) -> Result<Exit, Fatal> {
    // Before all else: process 1 of a container loses a signal that it has no handler for.
    let mut signals = Signals::catch()?;
    start::settle(&config.process, &config.log, config.remarks.clone())?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            signal = signals.told() => tracing::info!(signal, "ended"),
            failed = open_and_give(config) => return Err(failed),
        }
        Ok(Exit::Done)
    })
}

/// Gives its sockets away until that makes no sense any more.
async fn open_and_give(config: DoorConfig) -> Fatal {
    let (handout, asking, _pid_file) = match open(config).await {
        Ok(open) => open,
        Err(error) => return error,
    };
    give(Arc::new(handout), &asking).await
}

type Open = (Handout<TcpListener>, UnixListener, Option<PidFile>);

async fn open(config: DoorConfig) -> Result<Open, Fatal> {
    let jobs = open_port(config.listen, config.port).await?;
    let statistics = match config.stats {
        Some(at) => Some(open_port(at.listen, at.port).await?),
        None => None,
    };
    let asking =
        ask_at(&config.directory).map_err(|error| cannot_be_asked_at(&config.directory, &error))?;
    let pid_file = config.process.pid_file.map(PidFile::write).transpose();
    let pid_file = pid_file.map_err(Fatal::no_pid_file)?;
    let handout = Handout { jobs, statistics };
    announce(&handout, &config.directory);
    if config.process.place == Place::Detached {
        detach::ready(config.log.sink == Sink::StandardError)?;
    }
    Ok((handout, asking, pid_file))
}

/// Nobody here waits for connections on it, so it is of no interest to the runtime.
async fn open_port(
    address: Option<std::net::IpAddr>,
    port: NonZeroU16,
) -> Result<TcpListener, Fatal> {
    let end = Instant::now() + PORT_PATIENCE;
    loop {
        match listen(address, port.get()) {
            Ok(listener) => return Ok(listener.into_std()?),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < end => {
                time::sleep(PORT_PAUSE).await;
            }
            Err(error) => {
                let message = format!("cannot listen on port {port}: {error}");
                return Err(Fatal::new(Exit::BindFailed, message));
            }
        }
    }
}

/// Opens the socket where the others are asked for, in the place of one that a former door has left.
///
/// It is under its name only when nobody else may connect to it.
fn ask_at(directory: &Path) -> io::Result<UnixListener> {
    let made = tempfile::Builder::new()
        .prefix(".door-")
        .make_in(directory, |path| {
            let listener = std::os::unix::net::UnixListener::bind(path)?;
            fs::set_permissions(path, Permissions::from_mode(0o600))?;
            Ok(listener)
        })?;
    let listener = made.persist(socket_of(directory))?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

fn cannot_be_asked_at(directory: &Path, error: &io::Error) -> Fatal {
    let message = format!("cannot keep a door in {}: {error}", directory.display());
    Fatal::new(Exit::IoError, message)
        .hint("--keep-door takes a directory that is there and that the daemon's user may write to")
}

fn announce(handout: &Handout<TcpListener>, directory: &Path) {
    let address = |listener: &TcpListener| listener.local_addr().ok();
    let shown = |address: Option<SocketAddr>| address.map(tracing::field::display);
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        address = shown(address(&handout.jobs)),
        statistics = shown(handout.statistics.as_ref().and_then(address)),
        directory = %directory.display(),
        "listening"
    );
}

/// Ends when a volunteer has shut down what it was given: nobody can listen on that again, but a door that begins anew can.
async fn give(handout: Arc<Handout<TcpListener>>, asking: &UnixListener) -> Fatal {
    let room = Arc::new(Semaphore::new(VOLUNTEERS));
    loop {
        let permit = Arc::clone(&room).acquire_owned().await;
        let (stream, _unnamed) = patiently(|| asking.accept()).await;
        if !handout.sockets().all(is_listening) {
            let message = "a volunteer has shut the port down".to_owned();
            return Fatal::new(Exit::Failed, message).hint("start the door again");
        }
        let handout = Arc::clone(&handout);
        tokio::spawn(async move {
            serve(&handout, stream).await;
            drop(permit);
        });
    }
}

/// Gives the sockets to one volunteer, and waits until it is gone.
async fn serve(handout: &Handout<TcpListener>, mut stream: UnixStream) {
    match is_of_this_user(&stream) {
        Ok(true) => {}
        Ok(false) => return tracing::warn!("gave nothing to a process of another user"),
        Err(error) => return tracing::warn!(%error, "gave nothing to a process of no known user"),
    }
    let sockets: Vec<_> = handout.sockets().map(AsFd::as_fd).collect();
    if let Err(error) = rights::send(&stream, handout.words().as_bytes(), &sockets).await {
        return tracing::warn!(%error, "cannot give the port to a volunteer");
    }
    tracing::info!("gave the port to a volunteer");
    // A volunteer says nothing; whoever does is none.
    match stream.read(&mut [0]).await {
        Ok(0) | Err(_) => tracing::info!("a volunteer is gone"),
        Ok(_) => tracing::warn!("hung up on a volunteer that spoke"),
    }
}
