//! Reads a request: arguments are judged as soon as they are there, the source goes straight to disk.

use std::mem;
use std::num::NonZeroUsize;
use std::time::Duration;

use distcc_wire::{Ending, Event, Phase, RequestDecoder, Version, WireError};
use tokio::io::AsyncReadExt;
use tokio::time::{self, Instant};

use super::record::Record;
use super::stream::Stream;
use crate::accept::Service;
use crate::job::{
    Accepted, Arriving, Incoming, IncomingError, Outcome, Received, Refusal, TreePath, Unable,
};
use crate::settings::Deadlines;

/// What came of reading a request.
pub(super) enum Reception {
    /// A whole job.
    Job(Version, Box<Received>),
    /// An outcome before all was read: the client may still be sending.
    Early(Version, Outcome),
    /// No job, and nobody to answer.
    Nothing(&'static str),
    /// Something else than the distcc protocol, for which there is no reply.
    Foreign(WireError),
}

/// Bytes asked of the socket at once, at first: enough for all the arguments of most jobs.
const FIRST_PIECE_BYTES: usize = 16 * 1024;

/// Bytes asked of the socket at once when the client has sent more than that.
const PIECE_BYTES: usize = 128 * 1024;

/// Reads a request as far as it is worth reading, and notes in `record` what it is about.
pub(super) async fn request(
    service: &Service,
    stream: &mut Stream,
    record: &mut Record,
    crowded: Option<NonZeroUsize>,
) -> Reception {
    let decoder = RequestDecoder::new(service.settings.limits.clone());
    let mut request = Request {
        service,
        record,
        crowded,
        decoder,
        step: Step::Start,
    };
    let reception = tokio::select! {
        reception = request.read(stream) => reception,
        () = service.shutdown.stopping_jobs() => request.early(Outcome::Unable(Unable::Shutdown)),
    };
    request.record.received(request.decoder.offset());
    reception
}

struct Request<'a> {
    service: &'a Service,
    record: &'a mut Record,
    /// The limit of connections that its client exceeds.
    crowded: Option<NonZeroUsize>,
    decoder: RequestDecoder,
    step: Step,
}

/// How far the job behind the request has come.
enum Step {
    Start,
    Accepted(Accepted),
    Incoming(Incoming),
    /// Pump mode: the client's working directory, then its command, then its files.
    Directory(Vec<u8>),
    AcceptedPump(Accepted, TreePath),
    Arriving(Arriving),
    Received(Received),
}

/// Why reading ends before the request does.
enum Halt {
    Outcome(Outcome),
    Wire(WireError),
}

impl Request<'_> {
    async fn read(&mut self, stream: &mut Stream) -> Reception {
        let mut buffer = Vec::with_capacity(FIRST_PIECE_BYTES);
        let mut clock = Clock::start();
        loop {
            let wait = clock.wait(&self.service.settings.deadlines, self.decoder.phase());
            let full = buffer.len() == buffer.capacity();
            buffer.clear();
            if full {
                buffer.reserve(PIECE_BYTES);
            }
            let count = match time::timeout(wait, stream.read_buf(&mut buffer)).await {
                Ok(read) => read.unwrap_or_default(),
                Err(_elapsed) => return self.stalled(),
            };
            if count == 0 {
                return self.left();
            }
            match self.take(&buffer) {
                Ok(()) => {}
                Err(Halt::Outcome(outcome)) => return self.early(outcome),
                Err(Halt::Wire(error)) => return self.malformed(error),
            }
            match mem::replace(&mut self.step, Step::Start) {
                Step::Received(job) => return Reception::Job(self.version(), Box::new(job)),
                step => self.step = step,
            }
        }
    }

    fn take(&mut self, mut input: &[u8]) -> Result<(), Halt> {
        while let Some(event) = self.decoder.next(&mut input).map_err(Halt::Wire)? {
            let settings = &self.service.settings;
            self.step = match (mem::replace(&mut self.step, Step::Start), event) {
                (Step::Start, Event::Arguments(arguments)) => {
                    Step::Accepted(self.judge(&arguments)?)
                }
                (Step::Start, Event::Directory(directory)) => Step::Directory(directory),
                (Step::Directory(directory), Event::Arguments(arguments)) => {
                    let (accepted, directory) = self.judge_pump(&directory, &arguments)?;
                    Step::AcceptedPump(accepted, directory)
                }
                (Step::AcceptedPump(accepted, directory), Event::Entries(_)) => {
                    Step::Arriving(Arriving::open(
                        accepted,
                        &directory,
                        &settings.limits,
                        &settings.workspace,
                        settings.keep_jobs,
                    )?)
                }
                (Step::Arriving(arriving), Event::End) => self.arrived(arriving.finish()?),
                (Step::Arriving(mut arriving), event) => {
                    arriving.take(event)?;
                    Step::Arriving(arriving)
                }
                (Step::Accepted(accepted), Event::Source { length }) => {
                    Step::Incoming(Incoming::open(
                        accepted,
                        length,
                        &settings.limits,
                        &settings.workspace,
                        settings.keep_jobs,
                    )?)
                }
                (Step::Incoming(mut incoming), Event::Chunk(piece)) => {
                    incoming.push(piece)?;
                    Step::Incoming(incoming)
                }
                (Step::Incoming(incoming), Event::BodyEnd) => self.arrived(incoming.finish()?),
                // The decoder keeps the order.
                (step, _) => step,
            };
        }
        Ok(())
    }

    fn judge(&mut self, arguments: &[Vec<u8>]) -> Result<Accepted, Halt> {
        self.admit(arguments)?;
        let accepted = Accepted::judge(self.version(), arguments, &self.service.compilers)?;
        self.record.name(accepted.source_name());
        Ok(accepted)
    }

    fn judge_pump(
        &mut self,
        directory: &[u8],
        arguments: &[Vec<u8>],
    ) -> Result<(Accepted, TreePath), Halt> {
        self.admit(arguments)?;
        let compilers = &self.service.compilers;
        let (accepted, directory) = Accepted::judge_pump(directory, arguments, compilers)?;
        self.record.name(accepted.source_name());
        Ok((accepted, directory))
    }

    fn admit(&mut self, arguments: &[Vec<u8>]) -> Result<(), Halt> {
        self.record.arguments(arguments);
        match self.crowded {
            Some(limit) => Err(Halt::Outcome(Outcome::Unable(Unable::Crowded { limit }))),
            None => Ok(()),
        }
    }

    fn arrived(&mut self, received: Received) -> Step {
        self.record.source(received.source_bytes());
        Step::Received(received)
    }

    fn version(&self) -> Version {
        self.decoder
            .version()
            .expect("the version precedes everything that is asked for here")
    }

    /// The client closed its side, or its machine did.
    fn left(&self) -> Reception {
        match (self.decoder.finish(), self.decoder.version()) {
            (Ok(Ending::Silent), _) => Reception::Nothing("a client connected and left"),
            (Ok(Ending::Abandoned), _) => Reception::Nothing("a client's preprocessor failed"),
            (_, Some(version)) => Reception::Early(version, Outcome::ClientGone),
            (_, None) => Reception::Nothing("a client left within its first packet"),
        }
    }

    fn stalled(&self) -> Reception {
        self.early(Outcome::Unable(Unable::Stalled(self.decoder.phase())))
    }

    fn malformed(&self, error: WireError) -> Reception {
        match self.decoder.version() {
            Some(version) => Reception::Early(version, Outcome::Refused(Refusal::from(error.kind))),
            None => Reception::Foreign(error),
        }
    }

    fn early(&self, outcome: Outcome) -> Reception {
        match self.decoder.version() {
            Some(version) => Reception::Early(version, outcome),
            None => Reception::Nothing("a client sent no whole packet"),
        }
    }
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Outcome(Outcome::Refused(refusal))
    }
}

impl From<IncomingError> for Halt {
    fn from(error: IncomingError) -> Self {
        Self::Outcome(match error {
            IncomingError::Body(kind) => Outcome::Refused(Refusal::from(kind)),
            IncomingError::Entry(entry) => Outcome::Refused(Refusal::from(entry)),
            IncomingError::Store(error) => Outcome::Unable(Unable::Store(error)),
        })
    }
}

/// Keeps the deadlines of a request's stages.
struct Clock {
    stage: Stage,
    entered: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Header,
    Preprocessing,
    Source,
}

impl Clock {
    fn start() -> Self {
        Self {
            stage: Stage::Header,
            entered: Instant::now(),
        }
    }

    /// How long to wait for the next piece, now that the request is in `phase`.
    fn wait(&mut self, deadlines: &Deadlines, phase: Phase) -> Duration {
        let (stage, whole, idle) = match phase {
            Phase::Version | Phase::Directory | Phase::Arguments => {
                (Stage::Header, deadlines.header, deadlines.header)
            }
            Phase::Preprocessing => (
                Stage::Preprocessing,
                deadlines.preprocessing,
                deadlines.preprocessing,
            ),
            Phase::Source | Phase::Files | Phase::Complete => {
                (Stage::Source, deadlines.source, deadlines.idle)
            }
        };
        if stage != self.stage {
            *self = Self {
                stage,
                entered: Instant::now(),
            };
        }
        idle.min(whole.saturating_sub(self.entered.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_stage_has_its_own_deadline_and_the_header_is_one_stage() {
        let second = Duration::from_secs(1);
        let deadlines = Deadlines {
            header: 10 * second,
            preprocessing: 100 * second,
            source: 50 * second,
            idle: 20 * second,
            ..Deadlines::default()
        };
        let mut clock = Clock::start();
        let steps = [
            (0, Phase::Version, 10),
            (4, Phase::Arguments, 6),
            (5, Phase::Arguments, 1),
            (1, Phase::Preprocessing, 100),
            (99, Phase::Preprocessing, 1),
            (1, Phase::Source, 20),
            (19, Phase::Source, 20),
            (19, Phase::Source, 12),
            (19, Phase::Source, 0),
        ];
        for (position, (after, phase, expected)) in steps.into_iter().enumerate() {
            time::advance(after * second).await;
            assert_eq!(
                clock.wait(&deadlines, phase),
                expected * second,
                "step {position}"
            );
        }
    }
}
