//! How lines about a host begin.

use std::fmt;

use crate::cli::Failure;
use crate::farm::{Farm, Host, HostName};

/// A host's name and a colon, where the farm has several hosts; nothing where it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Label(Option<HostName>);

impl Label {
    pub(in crate::cli) fn of(host: &Host, farm: &Farm) -> Self {
        let is_one_of_several = farm.hosts.len() > 1;
        Self(is_one_of_several.then(|| host.name.clone()))
    }

    /// The name, where it has to be said.
    pub(in crate::cli) fn name(&self) -> Option<&HostName> {
        self.0.as_ref()
    }

    /// The failure, saying whose it is.
    pub(in crate::cli) fn failure(&self, failure: Failure) -> Failure {
        match &self.0 {
            Some(name) => failure.of_host(name),
            None => failure,
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(name) => write!(f, "{name}: "),
            None => Ok(()),
        }
    }
}
