//! The files of a pump job on their way from the socket to the job's tree.

use std::io::Write;
use std::path::Path;

use distcc_wire::{BodyDecoder, Event, Limits, Token, Version};

use super::TreePath;
use super::tree::{Place, Tree};
use crate::job::client::ClientCompiler;
use crate::job::workspace::Workspace;
use crate::job::{Accepted, IncomingError, Received};

/// A pump job whose files are arriving.
#[derive(Debug)]
pub(crate) struct Arriving {
    accepted: Accepted,
    workspace: Workspace,
    tree: Tree,
    limits: Limits,
    file: Option<IncomingFile>,
    /// Decoded and not yet written; empty between pieces.
    decoded: Vec<u8>,
    decoded_bytes: u64,
}

#[derive(Debug)]
struct IncomingFile {
    body: BodyDecoder,
    place: Place,
}

impl Arriving {
    /// Makes room in `root`, for good if it is to be kept, for the files of a job whose client works in `directory`.
    pub(crate) fn open(
        accepted: Accepted,
        directory: &TreePath,
        limits: &Limits,
        root: &Path,
        keep: bool,
    ) -> Result<Self, IncomingError> {
        let workspace = Workspace::create(root, keep)?;
        let tree = Tree::create(workspace.path(), directory)?;
        Ok(Self {
            accepted,
            workspace,
            tree,
            limits: limits.clone(),
            file: None,
            decoded: Vec::new(),
            decoded_bytes: 0,
        })
    }

    /// Takes in what the decoder found next.
    pub(crate) fn take(&mut self, event: Event<'_>) -> Result<(), IncomingError> {
        match event {
            Event::File { name, length } => self.begin(&name, length),
            Event::Chunk(piece) => self.push(piece),
            Event::BodyEnd => self.end(),
            Event::Link { name, target } => Ok(self.tree.link(&name, &target)?),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, name: &[u8], length: u32) -> Result<(), IncomingError> {
        let place = self.tree.file(name)?;
        let cap = self.limits.decoded_allowance(self.decoded_bytes);
        let body = BodyDecoder::new(Version::Pump, Token::File, length, cap);
        self.file = Some(IncomingFile { body, place });
        Ok(())
    }

    fn push(&mut self, mut piece: &[u8]) -> Result<(), IncomingError> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        while !piece.is_empty() {
            file.body.push(&mut piece, &mut self.decoded)?;
            if let Place::File(file) = &mut file.place {
                file.write_all(&self.decoded)?;
            }
            self.decoded.clear();
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), IncomingError> {
        if let Some(file) = self.file.take() {
            self.decoded_bytes += file.body.finish()?;
        }
        Ok(())
    }

    /// All files are here.
    pub(crate) fn finish(mut self) -> Result<Received, IncomingError> {
        self.tree.furnish(self.accepted.plan.search_directories())?;
        let mut system = self.tree.system().iter();
        let client = system.find_map(|path| ClientCompiler::from_directory(&path.to_bytes()));
        Ok(Received {
            accepted: self.accepted,
            workspace: self.workspace,
            source_bytes: self.decoded_bytes,
            client,
            tree: Some(Box::new(self.tree)),
        })
    }
}
