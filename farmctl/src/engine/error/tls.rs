//! What goes wrong with certificates.

use std::fmt;
use std::path::PathBuf;

/// Why an engine that asks for certificates cannot be talked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsProblem {
    /// A file of ours cannot be read.
    Unreadable {
        /// Which.
        file: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// A file of ours holds something else.
    Useless {
        /// Which.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The engine's certificate comes from somebody else.
    Stranger {
        /// Whom we trust.
        authority: PathBuf,
    },
    /// The engine's certificate is for another name.
    WrongName {
        /// What we call the engine.
        host: String,
        /// What its certificate calls it.
        names: Vec<String>,
    },
    /// The engine's certificate is too old.
    Expired,
    /// The engine's certificate is for later.
    NotYetValid,
    /// The engine does not take our certificate.
    Refused {
        /// Ours.
        certificate: PathBuf,
        /// What it says.
        reason: String,
    },
    /// It does not speak TLS.
    NotTls,
    /// It speaks TLS only.
    OnlyTls,
    /// Anything else.
    Broken {
        /// The TLS library's words.
        reason: String,
    },
}

impl fmt::Display for TlsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, reason } => {
                write!(f, "cannot read {}: {reason}", file.display())
            }
            Self::Useless { file, reason } => write!(f, "{} {reason}", file.display()),
            Self::Stranger { authority } => write!(
                f,
                "nobody in {} vouches for the engine's certificate",
                authority.display()
            ),
            Self::WrongName { host, names } if names.is_empty() => {
                write!(f, "the engine's certificate is not for {host}")
            }
            Self::WrongName { host, names } => write!(
                f,
                "the engine's certificate is for {} and not for {host}",
                names.join(", ")
            ),
            Self::Expired => f.write_str("the engine's certificate has expired"),
            Self::NotYetValid => f.write_str("the engine's certificate is not valid yet"),
            Self::Refused {
                certificate,
                reason,
            } => write!(
                f,
                "the engine does not accept {} ({reason})",
                certificate.display()
            ),
            Self::NotTls => f.write_str("what answers there does not speak TLS"),
            Self::OnlyTls => f.write_str("the engine there wants certificates"),
            Self::Broken { reason } => write!(f, "no TLS connection comes about: {reason}"),
        }
    }
}

impl std::error::Error for TlsProblem {}

impl TlsProblem {
    /// What to do about it, where that is known.
    pub(super) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unreadable { .. } => {
                "a folder of certificates holds ca.pem, cert.pem and key.pem; `tls: { ca: …, cert: …, key: … }` names \
                 other files"
            }
            Self::Useless { .. } => "put the file there that docker's own command would take",
            Self::Stranger { .. } => {
                "get the ca.pem that the engine's certificate was made with; if nobody made it a new one, something \
                 else answers in the engine's place"
            }
            Self::WrongName { .. } => {
                "write the engine as it is called there, or make it a certificate with this name among its \
                 subjectAltName entries"
            }
            Self::Expired => {
                "make the engine a new certificate; check the clock of this machine too (date)"
            }
            Self::NotYetValid => {
                "check the clock of this machine and the one that made the certificate (date)"
            }
            Self::Refused { .. } => {
                "it must come from the authority that the engine was started with (dockerd --tlscacert), be for \
                 clients, and not be too old"
            }
            Self::NotTls => {
                "start its dockerd with --tlsverify (the usual port is 2376), or reach it by ssh://user@host"
            }
            Self::OnlyTls => {
                "set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or write it with `tls:` into the manifest"
            }
            Self::Broken { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
