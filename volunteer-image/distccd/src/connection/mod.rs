//! One connection: a request in, a compile, a reply out.
//!
//! [`receive`] reads the request as far as it is worth reading; the job runs while [`hang_up`] watches the client;
//! [`send`] writes the reply and, where the client is still sending, reads on until it has seen it. Whatever happens
//! ends in one log line ([`record`]).

mod choose;
mod hang_up;
mod peer;
mod promise;
mod receive;
mod record;
mod send;
mod stream;
mod summary;

use std::future::{self, Future};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::time::Duration;

use distcc_wire::Version;

use crate::accept::Service;
use crate::admission::Slot;
use crate::job::{Finished, Outcome, Prepared, Received, Refusal, Unable};
use crate::reply::{self, Answer};
use crate::stats::Phase;
use crate::supervise::{Allowance, Printed, Stop};
use promise::Promise;
use receive::Reception;
use record::Record;

pub(crate) use choose::report_skew;
pub(crate) use peer::Peer;
pub(crate) use stream::{Input, Output, Stream};

/// What came of serving a client; of use only to whoever serves just one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Served {
    /// It got an answer, be it a refusal.
    Answered,
    /// It left before its request was complete.
    Truncated,
    /// It does not speak the protocol.
    Malformed,
    /// It is not on the allow list.
    Denied,
}

/// Serves one client to the end.
pub(crate) async fn serve(service: &Service, mut stream: Stream, peer: Peer) -> Served {
    let client = peer.ip();
    if !service.settings.allow.allows(client) {
        service.statistics.denied();
        tracing::warn!(%client, "refused a client that is not on the allow list");
        return Served::Denied;
    }
    let Some(place) = service.clients.enter(client) else {
        tracing::warn!(%client, "closed a connection of a client that has far too many");
        return Served::Denied;
    };
    let mut record = Record::new(service.statistics.job(client), peer);
    match receive::request(service, &mut stream, &mut record, place.exceeds()).await {
        Reception::Job(version, job) => {
            let mut promise = Promise::new(version);
            let pause = service.settings.deadlines.sign_of_life;
            let end = tokio::select! {
                end = run(service, &stream, client, *job, &mut record) => end,
                never = keep(&mut promise, &stream, pause) => match never {},
            };
            let said = promise.said();
            respond(service, &mut stream, (version, said), end, &mut record).await;
            record.finish();
            Served::Answered
        }
        Reception::Early(version, outcome) => {
            let served = served_early(&outcome);
            let end = End::without_compiler(outcome);
            let told = respond(service, &mut stream, (version, 0), end, &mut record).await;
            record.finish();
            if told {
                send::drain(service, &mut stream).await;
            }
            served
        }
        Reception::Nothing(why) => {
            tracing::debug!(client = %peer, "{why}");
            Served::Truncated
        }
        Reception::Foreign(error) => {
            service.statistics.foreign();
            tracing::info!(client = %peer, %error, "not a request");
            Served::Malformed
        }
    }
}

fn served_early(outcome: &Outcome) -> Served {
    match outcome {
        Outcome::ClientGone => Served::Truncated,
        Outcome::Refused(Refusal::Malformed(_)) => Served::Malformed,
        _ => Served::Answered,
    }
}

enum Never {}

async fn keep(promise: &mut Promise, stream: &Stream, pause: Duration) -> Never {
    promise.say(stream, pause).await;
    future::pending().await
}

/// How a job ended, and what its compiler printed.
struct End {
    outcome: Outcome,
    stdout: Printed,
    stderr: Printed,
}

impl End {
    fn without_compiler(outcome: Outcome) -> Self {
        Self {
            outcome,
            stdout: Printed::default(),
            stderr: Printed::default(),
        }
    }
}

async fn run(
    service: &Service,
    stream: &Stream,
    client: IpAddr,
    job: Received,
    record: &mut Record,
) -> End {
    let name = job.source_name().to_string();
    let mut interrupt = pin!(interrupt(service, stream));
    let chosen = tokio::select! {
        chosen = choose::command(service, client, job, record) => chosen,
        stop = &mut interrupt => return End::without_compiler(Outcome::stopped(stop)),
    };
    let job = match chosen {
        Ok(job) => job,
        Err(refusal) => return End::without_compiler(Outcome::Refused(refusal)),
    };
    record.enter(Phase::Queued);
    let slot = tokio::select! {
        slot = service.slots.compiler(client, &name) => slot,
        stop = &mut interrupt => return End::without_compiler(Outcome::stopped(stop)),
    };
    let end = match slot {
        Ok(slot) => compile(service, job, &slot, interrupt, record).await,
        Err(overload) => Err(overload.into()),
    };
    end.unwrap_or_else(|unable| End::without_compiler(Outcome::Unable(unable)))
}

async fn compile(
    service: &Service,
    mut job: Prepared,
    slot: &Slot,
    mut interrupt: Pin<&mut impl Future<Output = Stop>>,
    record: &mut Record,
) -> Result<End, Unable> {
    let settings = &service.settings;
    let allowance = Allowance {
        wall: settings.deadlines.job,
        grace: settings.deadlines.job_grace,
        printed_bytes: settings.printed_bytes,
    };
    let (children, sandbox) = (&service.children, &service.sandbox);
    tokio::select! {
        linked = job.link_system(&service.search, children, sandbox) => linked?,
        stop = &mut interrupt => return Ok(End::without_compiler(Outcome::stopped(stop))),
    }
    let running = job.start(children, sandbox, allowance);
    record.compiling(running.leader());
    let Finished {
        mut outcome,
        stdout,
        stderr,
        usage,
    } = running.finish(settings.object_bytes, interrupt).await?;
    record.usage(usage);
    let mut peak_bytes = usage.max_rss_bytes;
    if let Outcome::Killed { out_of_memory } = &mut outcome {
        *out_of_memory = service.slots.has_killed();
        // It was still growing.
        peak_bytes = peak_bytes.saturating_mul(2);
    }
    slot.learn(peak_bytes, usage.wall);
    Ok(End {
        outcome,
        stdout,
        stderr,
    })
}

/// Waits for a reason to stop a job that has not ended.
async fn interrupt(service: &Service, stream: &Stream) -> Stop {
    tokio::select! {
        () = hang_up::watch(stream) => Stop::ClientGone,
        () = service.shutdown.stopping_jobs() => Stop::Shutdown,
    }
}

/// Tells the client how its job ended, without the first `said` bytes of the reply, which it has.
///
/// Returns whether it was told anything.
async fn respond(
    service: &Service,
    stream: &mut Stream,
    (version, said): (Version, usize),
    end: End,
    record: &mut Record,
) -> bool {
    record.outcome(&end.outcome);
    record.enter(Phase::Replying);
    let Answer::Reply {
        outcome,
        stdout,
        stderr,
    } = reply::answer(
        version,
        end.outcome,
        end.stdout,
        end.stderr,
        &service.compilers,
    )
    else {
        return false;
    };
    match reply::encode(version, outcome, stdout, stderr) {
        Ok(parts) => record.sent(send::reply(service, stream, &parts, said).await),
        Err(error) => tracing::error!(%error, "a reply cannot be encoded"),
    }
    true
}
