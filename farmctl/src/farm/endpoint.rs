//! How an engine is reached.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// How a host's engine is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DockerEndpoint {
    /// The engine that this user's `docker` command talks to.
    Local,
    /// The engine of one of the user's docker contexts.
    Context(String),
    /// A socket of this machine.
    Unix(PathBuf),
    /// The engine of another machine, through ssh.
    Ssh(SshEndpoint),
    /// An engine that listens on the network, with certificates on both sides.
    Tls(TlsEndpoint),
}

/// A machine that is reached by ssh, and where its engine's socket is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SshEndpoint {
    /// The user there; `None` leaves that to ssh's own configuration.
    pub user: Option<String>,
    /// A name, an address, or a `Host` of ssh's own configuration.
    pub host: String,
    /// The port of the ssh server; `None` leaves that to ssh's own configuration.
    pub port: Option<u16>,
    /// The engine's socket on that machine; `None` is the usual one.
    pub socket: Option<PathBuf>,
}

/// An engine on the network, and the certificates that prove both sides.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TlsEndpoint {
    /// A name or an address.
    pub host: String,
    /// The engine's port.
    pub port: u16,
    /// What to prove oneself with. A manifest's endpoint has them once its `tls` is read.
    pub certificates: Option<Certificates>,
}

/// Files in PEM format, as Docker's own command takes them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Certificates {
    /// Who may vouch for the engine.
    pub authority: PathBuf,
    /// The user's certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Certificates {
    /// The port of engines that ask for certificates.
    pub const PORT: u16 = 2376;

    /// The files of `folder` under the names that Docker's own command expects there.
    pub fn in_folder(folder: &std::path::Path) -> Self {
        Self {
            authority: folder.join("ca.pem"),
            certificate: folder.join("cert.pem"),
            key: folder.join("key.pem"),
        }
    }

    /// The same files, where relative paths start at `folder`.
    #[must_use]
    pub fn starting_at(&self, folder: &std::path::Path) -> Self {
        Self {
            authority: folder.join(&self.authority),
            certificate: folder.join(&self.certificate),
            key: folder.join(&self.key),
        }
    }
}

impl DockerEndpoint {
    /// Whether the engine's machine is this one, so that its files, ports and processes can be looked at.
    pub fn is_of_this_machine(&self) -> bool {
        match self {
            Self::Local | Self::Unix(_) => true,
            Self::Context(_) | Self::Ssh(_) | Self::Tls(_) => false,
        }
    }
}

/// A text that is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no Docker engine that farmctl can reach")]
pub struct EndpointError(String);

impl EndpointError {
    /// What to write instead.
    pub fn hint(&self) -> String {
        "write local, ssh://user@host, tcp://host:2376 (with `tls`), unix:///path/of/docker.sock or context:NAME".to_owned()
    }
}

impl FromStr for DockerEndpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let refused = || EndpointError(text.to_owned());
        if text == "local" {
            return Ok(Self::Local);
        }
        if let Some(path) = text.strip_prefix("unix://") {
            return if path.starts_with('/') {
                Ok(Self::Unix(PathBuf::from(path)))
            } else {
                Err(refused())
            };
        }
        if let Some(name) = text.strip_prefix("context:") {
            return if is_context(name) {
                Ok(Self::Context(name.to_owned()))
            } else {
                Err(refused())
            };
        }
        if let Some(rest) = text.strip_prefix("ssh://") {
            return ssh(rest).map(Self::Ssh).ok_or_else(refused);
        }
        if let Some(rest) = text.strip_prefix("tcp://") {
            return tls(rest).map(Self::Tls).ok_or_else(refused);
        }
        Err(refused())
    }
}

/// As Docker's own command restricts them.
fn is_context(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-');
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(allowed)
}

/// `[user@]host[:port][/path/of/the/socket]`.
fn ssh(text: &str) -> Option<SshEndpoint> {
    let (place, socket) = match text.find('/') {
        Some(slash) => (&text[..slash], &text[slash..]),
        None => (text, ""),
    };
    let (user, place) = match place.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, place),
    };
    let (host, port) = host_and_port(place)?;
    let is_user =
        |user: &str| !user.is_empty() && !user.starts_with('-') && user.chars().all(is_host_letter);
    // The path is a word of a command for the other machine's shell.
    let is_path_letter = |c: char| is_host_letter(c) || matches!(c, '/' | '+' | '@');
    if user.is_some_and(|user| !is_user(user)) || !socket.chars().all(is_path_letter) {
        return None;
    }
    Some(SshEndpoint {
        user: user.map(str::to_owned),
        host,
        port,
        socket: (socket.len() > 1).then(|| PathBuf::from(socket)),
    })
}

/// `host[:port]`.
fn tls(text: &str) -> Option<TlsEndpoint> {
    let (host, port) = host_and_port(text.trim_end_matches('/'))?;
    Some(TlsEndpoint {
        host,
        port: port.unwrap_or(Certificates::PORT),
        certificates: None,
    })
}

/// An IPv6 address stands in brackets. Nothing that a program could take for an option is a host.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, rest.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let allowed = |c: char| is_host_letter(c) || c == ':';
    if host.is_empty() || host.starts_with('-') || !host.chars().all(allowed) {
        return None;
    }
    let port = port.map(|port| port.parse().ok().filter(|port| *port != 0));
    match port {
        Some(None) => None,
        Some(Some(port)) => Some((host.to_owned(), Some(port))),
        None => Some((host.to_owned(), None)),
    }
}

fn is_host_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

impl fmt::Display for DockerEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Context(name) => write!(f, "context:{name}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Ssh(ssh) => ssh.fmt(f),
            Self::Tls(tls) => write!(f, "tcp://{}:{}", bracketed(&tls.host), tls.port),
        }
    }
}

impl fmt::Display for SshEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ssh://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        write!(f, "{}", bracketed(&self.host))?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        match &self.socket {
            Some(socket) => write!(f, "{}", socket.display()),
            None => Ok(()),
        }
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_read_back_what_they_print() {
        for text in [
            "local",
            "context:nas",
            "unix:///run/user/1000/docker.sock",
            "ssh://nas",
            "ssh://me@nas.lan:2222",
            "ssh://me@[2001:db8::7]:22/run/user/1000/docker.sock",
            "tcp://nas:2376",
            "tcp://[2001:db8::7]:2376",
        ] {
            let endpoint: DockerEndpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), text);
        }
        let without_port: DockerEndpoint = "tcp://nas".parse().unwrap();
        assert_eq!(without_port.to_string(), "tcp://nas:2376");
    }

    #[test]
    fn nothing_that_a_program_could_take_for_an_option_is_a_host() {
        for text in [
            "",
            "nas",
            "ssh://",
            "ssh://-oProxyCommand=x",
            "ssh://-o@nas me",
            "ssh://-lroot@nas",
            "ssh://nas/run/$(reboot)",
            "ssh://nas/run/a;reboot",
            "ssh://nas/run/a b",
            "ssh://nas;reboot",
            "ssh://nas`reboot`",
            "ssh://nas\nnas",
            "ssh://me@",
            "ssh://@nas",
            "ssh://nas:0",
            "ssh://nas:x",
            "ssh://me:secret@nas",
            "tcp://",
            "tcp://nas:70000",
            "tcp://nas/path",
            "unix://docker.sock",
            "context:",
            "context:../x",
            "http://nas",
        ] {
            assert!(text.parse::<DockerEndpoint>().is_err(), "{text}");
        }
    }
}
