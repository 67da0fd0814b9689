//! The source on its way from the socket to the job's directory.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use distcc_wire::{BodyDecoder, Limits, Token, WireErrorKind};

use super::client::Markers;
use super::pump::{BadEntry, TreeError};
use super::workspace::Workspace;
use super::{Accepted, Received};

/// A job whose source is arriving.
#[derive(Debug)]
pub(crate) struct Incoming {
    accepted: Accepted,
    workspace: Workspace,
    file: File,
    body: BodyDecoder,
    markers: Markers,
    /// For what is being decoded.
    scratch: Vec<u8>,
}

/// Why a source cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IncomingError {
    /// The client's fault.
    #[error(transparent)]
    Body(#[from] WireErrorKind),
    /// Also the client's: a file or link of a pump request.
    #[error(transparent)]
    Entry(#[from] BadEntry),
    /// Ours: no room, say.
    #[error("cannot store the source: {0}")]
    Store(#[from] io::Error),
}

impl From<TreeError> for IncomingError {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::Entry(entry) => Self::Entry(entry),
            TreeError::Io(error) => Self::Store(error),
        }
    }
}

impl Incoming {
    /// Makes room in `root`, for good if it is to be kept, for a source of `length` bytes on the wire.
    pub(crate) fn open(
        accepted: Accepted,
        length: u32,
        limits: &Limits,
        root: &Path,
        keep: bool,
    ) -> Result<Self, IncomingError> {
        let mut workspace = Workspace::create(root, keep)?;
        let file = workspace.create_source(accepted.plan.source_name())?;
        let body = BodyDecoder::new(
            accepted.version,
            Token::Doti,
            length,
            limits.decoded_allowance(0),
        );
        Ok(Self {
            accepted,
            workspace,
            file,
            body,
            markers: Markers::default(),
            scratch: Vec::new(),
        })
    }

    /// Takes in one piece.
    ///
    /// Written at once and not handed to another thread: job directories live in memory or in the page cache, so
    /// the hand-over would cost more than the write.
    pub(crate) fn push(&mut self, mut piece: &[u8]) -> Result<(), IncomingError> {
        while !piece.is_empty() {
            let text = self.body.decode(&mut piece, &mut self.scratch)?;
            self.file.write_all(text)?;
            self.markers.push(text);
        }
        Ok(())
    }

    /// The source is complete.
    pub(crate) fn finish(self) -> Result<Received, IncomingError> {
        let source_bytes = self.body.finish()?;
        Ok(Received {
            accepted: self.accepted,
            workspace: self.workspace,
            source_bytes,
            client: self.markers.finish(),
            tree: None,
        })
    }
}
