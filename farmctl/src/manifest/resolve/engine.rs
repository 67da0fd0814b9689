//! How a host's engine is reached, with the certificates that belong to it.

use std::path::Path;

use crate::farm::{Certificates, DockerEndpoint};
use crate::manifest::error::Findings;
use crate::manifest::problem::Problem;
use crate::manifest::source::Located;

/// The engine that is written as `docker` and `tls` in a manifest that lies in `folder`.
pub(super) fn engine(
    docker: Option<Located<DockerEndpoint>>,
    tls: Option<Located<Certificates>>,
    folder: &Path,
    findings: &mut Findings,
) -> DockerEndpoint {
    let spot = docker.as_ref().map(|docker| docker.spot.clone());
    let mut endpoint = docker.map_or(DockerEndpoint::Local, |docker| docker.value);
    match (&mut endpoint, tls, spot) {
        (DockerEndpoint::Tls(engine), Some(tls), _) => {
            engine.certificates = Some(tls.value.starting_at(folder));
        }
        (DockerEndpoint::Tls(_), None, Some(spot)) => {
            findings.at(Problem::NoCertificates(endpoint.to_string()), &spot);
        }
        (other, Some(tls), _) => {
            findings.at(Problem::UselessCertificates(other.to_string()), &tls.spot);
        }
        (_, None, _) => {}
    }
    endpoint
}
