//! A line to an engine, and what its failures mean.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use super::tls::Certified;
use super::wire::DialError;
use crate::engine::ssh::{Tunnel, examine};
use crate::engine::{EngineErrorKind, SshFailure, SshProblem, TlsProblem};
use crate::farm::SshEndpoint;

/// What is known of a line besides the client that uses it.
#[derive(Debug, Clone)]
pub(in crate::engine::docker) struct Line {
    /// Where it leads, for people.
    pub(in crate::engine::docker) endpoint: Arc<str>,
    pub(super) kind: Kind,
}

/// What there is between us and the engine.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Nothing but this machine's kernel.
    Socket,
    /// A network that everybody is on.
    Open,
    /// A network, and certificates.
    Tls {
        host: String,
        certified: Arc<Certified>,
    },
    /// An ssh process.
    Ssh(Arc<Tunnel>),
}

impl Line {
    /// What a failure means that comes from the line and not from the engine.
    pub(in crate::engine::docker) fn explain(
        &self,
        error: &(dyn Error + 'static),
    ) -> Option<EngineErrorKind> {
        match &self.kind {
            Kind::Socket => return None,
            Kind::Ssh(tunnel) => {
                if let Some(problem) = tunnel.lost() {
                    return Some(ssh(tunnel.endpoint(), problem));
                }
            }
            Kind::Open | Kind::Tls { .. } => {}
        }
        if let Some(undialled) = find::<DialError>(error) {
            return Some(match undialled {
                DialError::Tls(problem) => self.tls(problem.clone()),
                other => self.unreachable(other.to_string()),
            });
        }
        if let Some(problem) = self.judgement(error) {
            return Some(self.tls(problem));
        }
        is_cut(error).then(|| EngineErrorKind::Lost {
            endpoint: self.endpoint.to_string(),
        })
    }

    /// The same before the engine has said anything: one that hangs up then does not like whom it talks to.
    pub(super) async fn explain_silence(
        &self,
        error: &(dyn Error + 'static),
    ) -> Option<EngineErrorKind> {
        match (&self.kind, self.explain(error)?) {
            (Kind::Tls { certified, .. }, EngineErrorKind::Lost { .. }) => {
                Some(self.tls(certified.refused("it hangs up")))
            }
            (Kind::Ssh(tunnel), EngineErrorKind::Lost { .. }) => {
                let endpoint = tunnel.endpoint();
                Some(ssh(endpoint, examine(endpoint).await))
            }
            (_, other) => Some(other),
        }
    }

    fn judgement(&self, error: &(dyn Error + 'static)) -> Option<TlsProblem> {
        match &self.kind {
            Kind::Tls { host, certified } => certified.judgement(host, error),
            Kind::Socket | Kind::Open | Kind::Ssh(_) => None,
        }
    }

    fn tls(&self, problem: TlsProblem) -> EngineErrorKind {
        EngineErrorKind::Tls {
            endpoint: self.endpoint.to_string(),
            problem,
        }
    }

    fn unreachable(&self, reason: String) -> EngineErrorKind {
        EngineErrorKind::Unreachable {
            endpoint: self.endpoint.to_string(),
            reason,
        }
    }
}

pub(super) fn ssh(endpoint: &SshEndpoint, problem: SshProblem) -> EngineErrorKind {
    EngineErrorKind::Ssh(Box::new(SshFailure {
        endpoint: endpoint.clone(),
        problem,
    }))
}

type Cause<'e> = &'e (dyn Error + 'static);

fn causes(error: Cause<'_>) -> impl Iterator<Item = Cause<'_>> {
    fn below<'e>(error: &Cause<'e>) -> Option<Cause<'e>> {
        (**error).source()
    }
    std::iter::successors(Some(error), below)
}

fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// Whether the other end is gone in the middle of a conversation.
fn is_cut(error: &(dyn Error + 'static)) -> bool {
    let is_io = |error: &io::Error| {
        matches!(
            error.kind(),
            ErrorKind::BrokenPipe
                | ErrorKind::ConnectionAborted
                | ErrorKind::ConnectionReset
                | ErrorKind::HostUnreachable
                | ErrorKind::NetworkUnreachable
                | ErrorKind::TimedOut
                | ErrorKind::UnexpectedEof
        )
    };
    let http = || causes(error).filter_map(|cause| cause.downcast_ref::<hyper::Error>());
    // What we failed to produce ourselves is nothing that the line did.
    !http().any(hyper::Error::is_user)
        && (http().any(|http| http.is_incomplete_message() || http.is_closed())
            || causes(error).any(|cause| cause.downcast_ref().is_some_and(is_io)))
}
