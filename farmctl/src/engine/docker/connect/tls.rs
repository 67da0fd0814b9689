//! Certificates: ours for the engine to judge, and our judgement of the engine's.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::engine::TlsProblem;
use crate::farm::Certificates;

/// What we prove ourselves with, and whom we trust.
#[derive(Debug)]
pub(super) struct Certified {
    configuration: Arc<ClientConfig>,
    files: Certificates,
}

impl Certified {
    /// Reads the files. Only those count that the user named, none of the machine's own.
    pub(super) fn read(files: &Certificates) -> Result<Self, TlsProblem> {
        let mut trusted = RootCertStore::empty();
        for certificate in certificates(&files.authority)? {
            trusted
                .add(certificate)
                .map_err(|error| useless(&files.authority, &error))?;
        }
        let own = certificates(&files.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?)
            .map_err(|_no_pem| no_pem(&files.key, "no private key"))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let configuration = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| broken(&error))?
            .with_root_certificates(trusted)
            .with_client_auth_cert(own, key)
            .map_err(|error| useless(&files.key, &error))?;
        Ok(Self {
            configuration: Arc::new(configuration),
            files: files.clone(),
        })
    }

    /// Both sides prove who they are. With TLS 1.3 the engine's judgement of us comes only with its first answer.
    pub(super) async fn greet(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, TlsProblem> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| broken(&error))?;
        let connector = TlsConnector::from(Arc::clone(&self.configuration));
        let greeted = connector.connect(name, stream).await;
        greeted.map_err(|error| match spoken(&error) {
            Some(spoken) => self.problem(host, spoken),
            None => broken(&error),
        })
    }

    /// What the engine said on a connection that was greeted, if that is what `error` is about.
    pub(super) fn judgement(
        &self,
        host: &str,
        error: &(dyn Error + 'static),
    ) -> Option<TlsProblem> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            let io = error.downcast_ref::<io::Error>();
            if let Some(spoken) = io.and_then(spoken) {
                return Some(self.problem(host, spoken));
            }
            cause = error.source();
        }
        None
    }

    /// The engine does not take our certificate.
    pub(super) fn refused(&self, reason: &str) -> TlsProblem {
        TlsProblem::Refused {
            certificate: self.files.certificate.clone(),
            reason: reason.to_owned(),
        }
    }

    fn problem(&self, host: &str, error: &rustls::Error) -> TlsProblem {
        match error {
            rustls::Error::InvalidCertificate(judgement) => self.of_engine(host, judgement),
            rustls::Error::AlertReceived(alert) => self.refused(&format!("it says {alert:?}")),
            rustls::Error::InvalidMessage(_) => TlsProblem::NotTls,
            other => broken(other),
        }
    }

    fn of_engine(&self, host: &str, judgement: &CertificateError) -> TlsProblem {
        match judgement {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                TlsProblem::Stranger {
                    authority: self.files.authority.clone(),
                }
            }
            CertificateError::NotValidForName => TlsProblem::WrongName {
                host: host.to_owned(),
                names: Vec::new(),
            },
            CertificateError::NotValidForNameContext { presented, .. } => TlsProblem::WrongName {
                host: host.to_owned(),
                names: presented.iter().map(|name| plain(name)).collect(),
            },
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                TlsProblem::Expired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                TlsProblem::NotYetValid
            }
            other => TlsProblem::Broken {
                reason: format!("the engine's certificate is unusable ({other})"),
            },
        }
    }
}

/// A name as a person writes it: `DnsName("nas")` is the library's way.
fn plain(name: &str) -> String {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"').to_owned()
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsProblem> {
    let text = read(file)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(no_pem(file, "no certificate")),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, TlsProblem> {
    std::fs::read(file).map_err(|error| TlsProblem::Unreadable {
        file: file.to_owned(),
        reason: error.to_string(),
    })
}

fn no_pem(file: &Path, what: &str) -> TlsProblem {
    TlsProblem::Useless {
        file: PathBuf::from(file),
        reason: format!("holds {what} in PEM format"),
    }
}

fn useless(file: &Path, error: &rustls::Error) -> TlsProblem {
    let reason = match error {
        rustls::Error::InconsistentKeys(_) => {
            "does not belong to the certificate beside it".to_owned()
        }
        other => format!("cannot be used: {other}"),
    };
    TlsProblem::Useless {
        file: PathBuf::from(file),
        reason,
    }
}

fn broken(error: &dyn Error) -> TlsProblem {
    TlsProblem::Broken {
        reason: error.to_string(),
    }
}

/// The TLS library's words inside the system's.
fn spoken(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
