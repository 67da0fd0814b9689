//! Which program has a port. The engine only says that it is taken.

use std::fmt;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};

use crate::farm::{DoorSpec, TargetName};

/// A port that a volunteer needs and something else has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("port {port} for target {target} is taken by {holder}")]
pub struct PortTaken {
    /// The port.
    pub port: u16,
    /// The target that needs it.
    pub target: TargetName,
    /// Who has it.
    pub holder: Listener,
}

/// Who listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listener {
    /// A process of this machine.
    Process {
        /// Its id.
        pid: u32,
        /// Its command name.
        name: String,
    },
    /// A process that this user may not look at.
    Hidden,
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { pid, name } => write!(f, "process {name} (pid {pid})"),
            Self::Hidden => f.write_str("a process of another user"),
        }
    }
}

impl PortTaken {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match &self.holder {
            Listener::Process { name, .. } if name == "distccd" => {
                "stop the stock daemon (sudo systemctl disable --now distcc) and run this again"
                    .to_owned()
            }
            Listener::Process { pid, .. } => format!("stop it (kill {pid}) and run this again"),
            Listener::Hidden => {
                format!(
                    "find it with: sudo ss -ltnp 'sport = :{}', stop it and run this again",
                    self.port
                )
            }
        }
    }
}

/// Tries every port by listening on it for a moment.
///
/// # Errors
/// All the ports that are taken, with who has them.
pub fn check<'a>(doors: impl Iterator<Item = &'a DoorSpec>) -> Result<(), Vec<PortTaken>> {
    let taken: Vec<_> = doors
        .flat_map(|door| {
            door.addresses()
                .into_iter()
                .map(move |address| (door, address))
        })
        .filter(|(_, address)| is_taken(*address))
        .map(|(door, address)| PortTaken {
            port: address.port(),
            target: door.target.clone(),
            holder: listener(address).unwrap_or(Listener::Hidden),
        })
        .collect();
    if taken.is_empty() { Ok(()) } else { Err(taken) }
}

/// Who listens at `address`, if somebody does.
pub fn holder(address: SocketAddr) -> Option<Listener> {
    is_taken(address).then(|| listener(address).unwrap_or(Listener::Hidden))
}

/// Other failures (an address that is not this machine's, say) are the engine's to report.
fn is_taken(address: SocketAddr) -> bool {
    matches!(TcpListener::bind(address), Err(error) if error.kind() == io::ErrorKind::AddrInUse)
}

fn listener(address: SocketAddr) -> Option<Listener> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening_inodes(&table, address))
        .collect();
    let processes = fs::read_dir("/proc").ok()?;
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .find(|pid| inodes.iter().any(|inode| has_socket(*pid, inode)))
        .map(|pid| Listener::Process {
            pid,
            name: command_name(pid),
        })
}

/// Rows of a kernel socket table (proc(5)): `sl local_address rem_address st … uid timeout inode`, state 0A listens.
/// Those count that leave no room for a listener at `wanted`: another address's same port is somebody else's.
fn listening_inodes(table: &str, wanted: SocketAddr) -> Vec<String> {
    const LISTEN: &str = "0A";
    let row = |line: &str| {
        let mut fields = line.split_whitespace();
        let local = local_address(fields.nth(1)?)?;
        let state = fields.nth(1)?;
        let inode = fields.nth(5)?;
        let same_address = local.ip() == wanted.ip()
            || local.ip().is_unspecified()
            || wanted.ip().is_unspecified();
        let in_the_way = same_address && local.port() == wanted.port() && state == LISTEN;
        in_the_way.then(|| inode.to_owned())
    };
    table.lines().skip(1).filter_map(row).collect()
}

/// `ADDRESS:PORT` in hexadecimal: the address as words of 32 bits, each in the machine's own order of bytes.
fn local_address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let mut bytes = Vec::new();
    for word in hex::decode(address).ok()?.chunks_exact(4) {
        let word = u32::from_be_bytes(word.try_into().ok()?);
        bytes.extend(word.to_ne_bytes());
    }
    let ip = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(v4) => IpAddr::from(v4),
        Err(_longer) => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?).to_canonical(),
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

fn has_socket(pid: u32, inode: &str) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    let wanted = format!("socket:[{inode}]");
    descriptors.flatten().any(|entry| {
        fs::read_link(entry.path()).is_ok_and(|link| link.as_os_str() == wanted.as_str())
    })
}

fn command_name(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn finds_the_process_that_listens() {
        let listening = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listening.local_addr().unwrap();
        assert!(is_taken(address));
        match listener(address) {
            Some(Listener::Process { pid, .. }) => assert_eq!(pid, std::process::id()),
            other => panic!("{other:?}"),
        }
        drop(listening);
        assert!(!is_taken(address));
    }

    #[test]
    fn reads_only_listening_rows_of_the_address() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                     0: 0100007F:0E33 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1\n\
                     1: 0100007F:0E33 0100007F:A000 01 00000000:00000000 00:00000000 00000000     0        0 222 1\n\
                     2: 0100007F:0E34 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1\n\
                     3: 01001FAC:0E33 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 444 1\n\
                     4: 00000000:0E33 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 555 1\n";
        let inodes = |address: &str| listening_inodes(table, address.parse().unwrap());
        assert_eq!(inodes("127.0.0.1:3635"), ["111", "555"]);
        assert_eq!(inodes("172.31.0.1:3635"), ["444", "555"]);
        assert_eq!(inodes("0.0.0.0:3636"), ["333"]);
    }

    #[test]
    fn addresses_of_both_families_are_read() {
        for (text, expected) in [
            ("0100007F:0E33", "127.0.0.1:3635"),
            ("00000000000000000000000000000000:0050", "[::]:80"),
            ("00000000000000000000000001000000:0050", "[::1]:80"),
            ("0000000000000000FFFF00000100007F:0050", "127.0.0.1:80"),
        ] {
            if cfg!(target_endian = "little") {
                assert_eq!(local_address(text), expected.parse().ok(), "{text}");
            }
        }
        for bad in ["", "0100007F", "01:0050", "0100007F:XX", "zz00007F:0050"] {
            assert_eq!(local_address(bad), None, "{bad}");
        }
    }
}
