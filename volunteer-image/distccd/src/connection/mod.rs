//! One connection: a request in, a compile, a reply out.
//!
//! [`receive`] reads the request as far as it is worth reading; the job runs while [`hang_up`] watches the client;
//! [`send`] writes the reply and, where the client is still sending, reads on until it has seen it. Whatever happens
//! ends in one log line ([`record`]).

mod choose;
mod hang_up;
mod receive;
mod record;
mod send;

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;

use distcc_wire::Version;
use tokio::net::TcpStream;

use crate::accept::Service;
use crate::job::{Finished, Outcome, Prepared, Received, Unable};
use crate::reply::{self, Answer};
use crate::supervise::{Allowance, Printed, Stop};
use receive::Reception;
use record::Record;

pub(crate) use choose::report_skew;

/// Serves one client to the end.
pub(crate) async fn serve(service: &Service, mut stream: TcpStream, peer: SocketAddr) {
    if !service.settings.allow.allows(peer.ip()) {
        tracing::warn!(client = %peer.ip().to_canonical(), "refused a client that is not on the allow list");
        return;
    }
    // Replies are written in few large pieces; waiting for more would only delay them.
    drop(stream.set_nodelay(true));
    let mut record = Record::new(peer);
    match receive::request(service, &mut stream, &mut record).await {
        Reception::Job(version, job) => {
            let client = peer.ip().to_canonical();
            let finished = run(service, &stream, client, job, &mut record).await;
            respond(service, &mut stream, version, finished, &mut record).await;
            record.log();
        }
        Reception::Early(version, outcome) => {
            let told = respond(
                service,
                &mut stream,
                version,
                End::without_compiler(outcome),
                &mut record,
            )
            .await;
            record.log();
            if told {
                send::drain(service, &mut stream).await;
            }
        }
        Reception::Nothing(why) => tracing::debug!(client = %peer, "{why}"),
        Reception::Foreign(error) => tracing::info!(client = %peer, %error, "not a request"),
    }
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
    stream: &TcpStream,
    client: IpAddr,
    job: Received,
    record: &mut Record,
) -> End {
    let job = match choose::command(service, client, job, record) {
        Ok(job) => job,
        Err(refusal) => return End::without_compiler(Outcome::Refused(refusal)),
    };
    let mut interrupt = pin!(interrupt(service, stream));
    let slot = tokio::select! {
        slot = service.slots.compiler() => slot,
        stop = &mut interrupt => return End::without_compiler(Outcome::stopped(stop)),
    };
    let end = compile(service, job, interrupt, record).await;
    drop(slot);
    end.unwrap_or_else(|unable| End::without_compiler(Outcome::Unable(unable)))
}

async fn compile(
    service: &Service,
    job: Prepared,
    interrupt: impl Future<Output = Stop>,
    record: &mut Record,
) -> Result<End, Unable> {
    let settings = &service.settings;
    let allowance = Allowance {
        wall: settings.deadlines.job,
        grace: settings.deadlines.job_grace,
        printed_bytes: settings.printed_bytes,
    };
    let running = job.start(&service.children, &service.sandbox)?;
    let limit_bytes = u64::from(settings.limits.body_bytes);
    let Finished {
        outcome,
        stdout,
        stderr,
        usage,
    } = running
        .finish(&service.toolchain, allowance, limit_bytes, interrupt)
        .await?;
    record.usage(usage);
    Ok(End {
        outcome,
        stdout,
        stderr,
    })
}

/// Waits for a reason to stop a job that has not ended.
async fn interrupt(service: &Service, stream: &TcpStream) -> Stop {
    tokio::select! {
        () = hang_up::watch(stream) => Stop::ClientGone,
        () = service.shutdown.stopping_jobs() => Stop::Shutdown,
    }
}

/// Whether the client was told anything.
async fn respond(
    service: &Service,
    stream: &mut TcpStream,
    version: Version,
    end: End,
    record: &mut Record,
) -> bool {
    record.outcome(&end.outcome);
    let Answer::Reply {
        outcome,
        stdout,
        stderr,
    } = reply::answer(
        version,
        end.outcome,
        end.stdout,
        end.stderr,
        &service.toolchain,
    )
    else {
        return false;
    };
    match reply::encode(version, outcome, stdout, stderr) {
        Ok(parts) => record.sent(send::reply(service, stream, &parts).await),
        Err(error) => tracing::error!(%error, "a reply cannot be encoded"),
    }
    true
}
