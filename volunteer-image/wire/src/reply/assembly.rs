//! Bytes in, a whole reply out.

use super::{Outcome, Reply, ReplyDecoder, ReplyEvent};
use crate::error::{WireError, WireErrorKind};
use crate::limits::Limits;
use crate::status::WaitStatus;
use crate::version::Version;

impl Reply {
    /// Decodes a whole reply to a request in version `asked`; nothing may follow it.
    pub fn decode(asked: Version, mut bytes: &[u8], limits: &Limits) -> Result<Self, WireError> {
        let mut decoder = ReplyDecoder::new(asked, limits.clone());
        let mut assembly = Assembly::default();
        while let Some(event) = decoder.next(&mut bytes)? {
            assembly.add(event);
        }
        decoder.finish()?;
        if !bytes.is_empty() {
            return Err(WireErrorKind::TrailingBytes.at(decoder.offset()));
        }
        Ok(assembly.finish(asked))
    }
}

/// The parts that have come so far.
#[derive(Default)]
struct Assembly {
    status: Option<WaitStatus>,
    stderr: Vec<u8>,
    stdout: Vec<u8>,
    object: Vec<u8>,
    dependencies: Vec<u8>,
}

impl Assembly {
    fn add(&mut self, event: ReplyEvent) {
        match event {
            ReplyEvent::Status(status) => self.status = Some(status),
            ReplyEvent::Stderr(text) => self.stderr = text,
            ReplyEvent::Stdout(text) => self.stdout = text,
            ReplyEvent::Object(object) => self.object = object,
            ReplyEvent::Dependencies(dependencies) => self.dependencies = dependencies,
            ReplyEvent::Version(_) | ReplyEvent::End => {}
        }
    }

    fn finish(self, version: Version) -> Reply {
        let Self {
            status,
            stderr,
            stdout,
            object,
            dependencies,
        } = self;
        let outcome = match status {
            Some(WaitStatus::Failure(failure)) => Outcome::Failed(failure),
            Some(WaitStatus::Success) | None => Outcome::Compiled {
                object,
                dependencies,
            },
        };
        Reply {
            version,
            outcome,
            stderr,
            stdout,
        }
    }
}
