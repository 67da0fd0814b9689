//! Hosts with which a command goes on, and hosts that were lost on the way.

use futures_util::stream::{self, StreamExt};

use super::Member;
use crate::cli::context::Context;
use crate::cli::{Exit, Failure};
use crate::farm::HostName;

/// The hosts of a fleet, each with what is known of it so far.
#[derive(Debug)]
pub(in crate::cli) struct Hosts<T> {
    pub(in crate::cli) present: Vec<(Member, T)>,
    lost: Vec<Lost>,
}

/// A host with which the command does not go on.
#[derive(Debug)]
struct Lost {
    host: HostName,
    exit: Exit,
    /// Why, unless the user was told already.
    failure: Option<Failure>,
}

impl Lost {
    fn of(member: &Member, failure: Failure) -> Self {
        Self {
            host: member.host.name.clone(),
            exit: failure.exit(),
            failure: Some(member.label.failure(failure)),
        }
    }
}

/// More engines than this are not talked to at once: each one may need a process and a few sockets of this machine.
const AT_ONCE: usize = 64;

impl Hosts<()> {
    /// All of them, with nothing known yet.
    pub(in crate::cli) fn of(members: &[Member]) -> Self {
        Self {
            present: members.iter().map(|member| (member.clone(), ())).collect(),
            lost: Vec::new(),
        }
    }
}

impl<T> Hosts<T> {
    /// Does `work` for all of them at once; the order stays. Those for which it fails are lost.
    pub(in crate::cli) async fn each<U>(
        self,
        work: impl AsyncFn(&Member, T) -> Result<U, Failure>,
    ) -> Hosts<U> {
        let Self { present, mut lost } = self;
        let works = present.into_iter().map(async |(member, known)| {
            let result = Box::pin(work(&member, known)).await;
            (member, result)
        });
        let results: Vec<_> = stream::iter(works).buffered(AT_ONCE).collect().await;
        let mut present = Vec::new();
        for (member, result) in results {
            match result {
                Ok(known) => present.push((member, known)),
                Err(failure) => lost.push(Lost::of(&member, failure)),
            }
        }
        Hosts { present, lost }
    }

    /// Tells which hosts were lost, if there are others to go on with; if there are none that is the end.
    pub(in crate::cli) fn go_on(mut self, context: &Context) -> Result<Self, Failure> {
        if self.present.is_empty() && !self.lost.is_empty() {
            return Err(self
                .end(Exit::Done)
                .err()
                .unwrap_or_else(Failure::interrupted));
        }
        for failure in self.lost.iter_mut().filter_map(|lost| lost.failure.take()) {
            failure.print(&context.report);
        }
        Ok(self)
    }

    /// The same without those that are `broken`.
    pub(in crate::cli) fn without<E: Into<Failure>>(mut self, broken: Vec<(HostName, E)>) -> Self {
        for (host, why) in broken {
            let mut present = self.present.iter();
            if let Some(at) = present.position(|(member, _)| member.host.name == host) {
                let (member, _known) = self.present.remove(at);
                self.lost.push(Lost::of(&member, why.into()));
            }
        }
        self
    }

    /// Whether `host` was lost.
    pub(in crate::cli) fn has_lost(&self, host: &HostName) -> bool {
        self.lost.iter().any(|lost| lost.host == *host)
    }

    /// How the command ends: as `exit` says if no host was lost, else with why they were.
    pub(in crate::cli) fn end(self, exit: Exit) -> Result<Exit, Failure> {
        if self.lost.is_empty() {
            return Ok(exit);
        }
        let code = self.exit();
        let summary = self.summary(code);
        let untold = self.lost.into_iter().filter_map(|lost| lost.failure);
        Err(Failure::all(untold.chain(summary)).with_exit(code))
    }

    /// What all of them ended with, if they did so in the same way; otherwise some of the work failed.
    fn exit(&self) -> Exit {
        let all = |exit| self.lost.iter().all(|lost| lost.exit == exit);
        let any = |exit| self.lost.iter().any(|lost| lost.exit == exit);
        if any(Exit::Interrupted) {
            Exit::Interrupted
        } else if all(Exit::Unhealthy) {
            Exit::Unhealthy
        } else {
            let first = self.lost.first().map_or(Exit::Failed, |lost| lost.exit);
            if self.present.is_empty() && all(first) {
                first
            } else {
                Exit::Failed
            }
        }
    }

    /// Which hosts it was, for whoever reads only the end.
    fn summary(&self, code: Exit) -> Option<Failure> {
        if self.present.is_empty() || code == Exit::Interrupted {
            return None;
        }
        let names: Vec<_> = self.lost.iter().map(|lost| lost.host.as_str()).collect();
        let all = self.present.len() + self.lost.len();
        let error = anyhow::anyhow!(
            "{} of {all} hosts failed: {}",
            names.len(),
            names.join(", ")
        );
        Some(Failure::new(code, error, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fleet::every_member;
    use crate::manifest;

    const TWO: &str = "hosts: { box: {}, nas: { docker: ssh://nas } }";

    fn members(manifest: &str) -> Vec<Member> {
        every_member(&manifest::parse(manifest, "farm.yaml").unwrap())
    }

    /// What a command ends with whose hosts fail with these codes; `None` is a host that does not.
    async fn ends(manifest: &str, exits: &[Option<Exit>]) -> (Exit, usize) {
        let members = members(manifest);
        let fails = async |member: &Member, ()| {
            let at = members
                .iter()
                .position(|one| one.host.name == member.host.name);
            match exits[at.unwrap()] {
                Some(Exit::Interrupted) => Err(Failure::interrupted()),
                Some(exit) => Err(Failure::new(exit, anyhow::anyhow!("no"), None)),
                None => Ok(()),
            }
        };
        let hosts = Hosts::of(&members).each(fails).await;
        let present = hosts.present.len();
        let exit = hosts
            .end(Exit::Done)
            .unwrap_or_else(|failure| failure.exit());
        (exit, present)
    }

    #[tokio::test]
    async fn a_farm_of_one_host_ends_as_that_host_does() {
        for exit in [Exit::EngineUnreachable, Exit::Failed, Exit::Unhealthy] {
            assert_eq!(ends("", &[Some(exit)]).await, (exit, 0));
        }
        assert_eq!(ends("", &[None]).await, (Exit::Done, 1));
    }

    #[tokio::test]
    async fn several_hosts_end_with_what_they_have_in_common() {
        use Exit::{Done, EngineUnreachable, Failed, Interrupted, Unhealthy};
        for (exits, end) in [
            ([None, None], Done),
            ([Some(EngineUnreachable), None], Failed),
            (
                [Some(EngineUnreachable), Some(EngineUnreachable)],
                EngineUnreachable,
            ),
            ([Some(EngineUnreachable), Some(Failed)], Failed),
            ([None, Some(Unhealthy)], Unhealthy),
            ([Some(Unhealthy), Some(Unhealthy)], Unhealthy),
            ([Some(Failed), Some(Unhealthy)], Failed),
            ([Some(Failed), Some(Interrupted)], Interrupted),
        ] {
            assert_eq!(ends(TWO, &exits).await.0, end, "{exits:?}");
        }
    }

    #[tokio::test]
    async fn a_failure_says_at_which_host() {
        let fails = async |_: &Member, ()| -> Result<(), Failure> {
            Err(Failure::new(Exit::Failed, anyhow::anyhow!("no room"), None))
        };
        for (manifest, told) in [
            ("", "no room"),
            (TWO, "host box: no room; host nas: no room"),
        ] {
            let hosts = Hosts::of(&members(manifest)).each(fails).await;
            assert_eq!(hosts.end(Exit::Done).unwrap_err().on_one_line(), told);
        }
    }
}
