//! The volunteer's side: it proves itself, and then accepts from its door's sockets for as long as there is a door.

use std::future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;
use tokio::time;
use volunteer_toolchain::ObjectFacts;

use super::handout::{Handout, NotUnderstood};
use super::{is_listening, is_of_this_user, rights, socket_of};
use crate::listeners::Adopted;
use crate::probe::{PROBE_DEADLINE, probe};
use crate::shutdown::Shutdown;

/// A volunteer on its way to its door, and behind it.
#[derive(Debug)]
pub(crate) struct Adoption {
    directory: PathBuf,
    /// Where it can be tried.
    own: SocketAddr,
    /// What its objects must be.
    expected: ObjectFacts,
    jobs: watch::Sender<Option<Arc<TcpListener>>>,
    statistics: watch::Sender<Option<Arc<TcpListener>>>,
}

/// Why there is no door to accept from.
#[derive(Debug, thiserror::Error)]
enum NoDoor {
    #[error("nobody is at {place}: {source}", place = .place.display())]
    Absent { place: PathBuf, source: io::Error },
    #[error("the door is another user's")]
    OtherUser,
    #[error("the door said nothing within {} s", DOOR_DEADLINE.as_secs())]
    Silent,
    #[error("cannot take the door's sockets: {0}")]
    Broken(#[from] io::Error),
    #[error(transparent)]
    NotUnderstood(#[from] NotUnderstood),
    #[error("what the door gives is no TCP socket that listens")]
    NotListening,
}

/// A door answers at once, unless the machine is very busy.
const DOOR_DEADLINE: Duration = Duration::from_secs(30);

impl Adoption {
    /// Of the door in `directory`, by the daemon that listens on `own`.
    pub(crate) fn new(directory: PathBuf, own: SocketAddr, expected: ObjectFacts) -> Self {
        Self {
            directory,
            own: on_this_machine(own),
            expected,
            jobs: watch::Sender::new(None),
            statistics: watch::Sender::new(None),
        }
    }

    /// Where the daemon is tried, before it serves the door.
    pub(crate) fn tried_at(&self) -> SocketAddr {
        self.own
    }

    /// The door's listener for jobs, whenever there is one.
    pub(crate) fn jobs(&self) -> Adopted {
        self.jobs.subscribe()
    }

    /// Its listener for statistics, whenever there is one.
    pub(crate) fn statistics(&self) -> Adopted {
        self.statistics.subscribe()
    }

    /// Adopts the sockets of one door after the other until `shutdown` says to accept nothing more. Never ends.
    pub(crate) async fn run(self, shutdown: Shutdown) {
        tokio::select! {
            () = shutdown.finishing() => {}
            never = self.adopt() => match never {},
        }
        // What nobody has accepted is for others; a door that begins anew needs the port.
        self.let_go();
        future::pending::<()>().await;
    }

    async fn adopt(&self) -> Never {
        self.prove().await;
        let mut pause = Pause::between(Duration::from_millis(20), Duration::from_secs(2));
        let mut last = String::new();
        loop {
            match self.meet().await {
                Ok(door) => {
                    tracing::info!(directory = %self.directory.display(), "serving the door");
                    wait_for_end(door).await;
                    self.let_go();
                    tracing::warn!("the door is gone, waiting for another one");
                    pause.restart();
                }
                Err(error) => {
                    let why = error.to_string();
                    if why != last {
                        tracing::warn!(why, "no door to serve, trying again until there is one");
                        last = why;
                    }
                }
            }
            pause.wait().await;
        }
    }

    /// Waits until the daemon has compiled, and the objects are right.
    async fn prove(&self) {
        let mut pause = Pause::between(Duration::from_millis(250), Duration::from_secs(30));
        let mut last = String::new();
        loop {
            match probe(self.own, &self.expected, PROBE_DEADLINE).await {
                Ok(report) => {
                    let ms = report.elapsed.as_millis();
                    return tracing::info!(object = %report.object, ms, "this volunteer compiles");
                }
                Err(error) => {
                    let why = error.to_string();
                    if why != last {
                        tracing::error!(why, "serving no door before this volunteer compiles");
                        last = why;
                    }
                }
            }
            pause.wait().await;
        }
    }

    /// Takes the sockets of a door, and returns the connection to it.
    async fn meet(&self) -> Result<UnixStream, NoDoor> {
        let place = socket_of(&self.directory);
        let connected = UnixStream::connect(&place).await;
        let door = connected.map_err(|source| NoDoor::Absent { place, source })?;
        if !is_of_this_user(&door)? {
            return Err(NoDoor::OtherUser);
        }
        let received = time::timeout(DOOR_DEADLINE, rights::receive(&door)).await;
        let (words, sockets) = received.map_err(|_elapsed| NoDoor::Silent)??;
        let handout = Handout::understand(&words, sockets)?;
        let jobs = listener(handout.jobs)?;
        let statistics = handout.statistics.map(listener).transpose()?;
        self.jobs.send_replace(Some(Arc::new(jobs)));
        self.statistics.send_replace(statistics.map(Arc::new));
        Ok(door)
    }

    fn let_go(&self) {
        self.jobs.send_replace(None);
        self.statistics.send_replace(None);
    }
}

enum Never {}

/// The address of this machine that leads to a listener at `own`.
fn on_this_machine(own: SocketAddr) -> SocketAddr {
    let ip = match own.ip() {
        ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, own.port())
}

/// Makes sure that `socket` is what a door has to give, whoever has sent it.
fn listener(socket: OwnedFd) -> Result<TcpListener, NoDoor> {
    if !is_listening(&socket) {
        return Err(NoDoor::NotListening);
    }
    let listener = std::net::TcpListener::from(socket);
    listener.set_nonblocking(true)?;
    Ok(TcpListener::from_std(listener)?)
}

/// A door says nothing after its first words; one that does is as good as gone.
async fn wait_for_end(mut door: UnixStream) {
    drop(door.read(&mut [0]).await);
}

/// A pause that grows from try to try.
#[derive(Debug)]
struct Pause {
    next: Duration,
    least: Duration,
    most: Duration,
}

impl Pause {
    fn between(least: Duration, most: Duration) -> Self {
        Self {
            next: least,
            least,
            most,
        }
    }

    fn restart(&mut self) {
        self.next = self.least;
    }

    async fn wait(&mut self) {
        time::sleep(self.next).await;
        self.next = (self.next * 2).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::net::{TcpStream, UdpSocket};
    use std::os::unix::net::UnixListener;

    use rustix::fs::{OFlags, fcntl_getfl};

    use super::*;

    #[tokio::test]
    async fn only_a_tcp_socket_that_listens_is_taken() {
        let listening = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let others: [OwnedFd; 4] = [
            TcpStream::connect(listening.local_addr().unwrap())
                .unwrap()
                .into(),
            UdpSocket::bind("127.0.0.1:0").unwrap().into(),
            UnixListener::bind(folder.path().join("unix"))
                .unwrap()
                .into(),
            File::open("/dev/null").unwrap().into(),
        ];
        for other in others {
            assert!(matches!(listener(other), Err(NoDoor::NotListening)));
        }
        let address = listening.local_addr().unwrap();
        let taken = listener(listening.into()).unwrap();
        assert_eq!(taken.local_addr().unwrap(), address);
        assert!(fcntl_getfl(&taken).unwrap().contains(OFlags::NONBLOCK));
    }

    #[test]
    fn a_daemon_that_listens_everywhere_is_tried_on_this_machine() {
        for (own, expected) in [
            ("0.0.0.0:3632", "127.0.0.1:3632"),
            ("[::]:3632", "127.0.0.1:3632"),
            ("[::1]:3632", "[::1]:3632"),
            ("10.1.1.1:3632", "10.1.1.1:3632"),
        ] {
            assert_eq!(
                on_this_machine(own.parse().unwrap()),
                expected.parse().unwrap()
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_a_bound_and_begin_anew() {
        let mut pause = Pause::between(Duration::from_secs(1), Duration::from_secs(3));
        let mut lengths = Vec::new();
        for round in 0..5 {
            if round == 4 {
                pause.restart();
            }
            let begun = time::Instant::now();
            pause.wait().await;
            lengths.push(begun.elapsed().as_secs());
        }
        assert_eq!(lengths, [1, 2, 3, 3, 1]);
    }
}
