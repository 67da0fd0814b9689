//! Reading a bundle.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::header::{BLOCK, BLOCK_BYTES, END, Name, padding, size};
use super::index::{FileEntry, ImageEntry, Index, LONGEST, NAME, ProgramEntry, SEAL, seal_text};
use super::layer::{Checked, PackedLayer};
use super::section::Section;
use super::{BundleError, Watch, pass};
use crate::farm::Architecture;
use crate::image::{Hashing, Image, Layer, LayerContent, Program, Sha256, restore};

/// A bundle whose index and headers are as they must be.
#[derive(Debug)]
pub struct Bundle {
    /// What it holds.
    pub index: Index,
    path: PathBuf,
    files: Vec<Section>,
    programs: Vec<Section>,
    layers: Vec<PackedLayer>,
    /// Everything that the last member speaks for, and what it says.
    sealed: (Section, Section),
}

impl Bundle {
    /// Reads the index and every header.
    ///
    /// # Errors
    ///
    /// It is no bundle, or one of another format; it is cut off, or something else stands where a member must be.
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let mut walk = Walk::begin(path)?;
        let index = walk.index()?;
        let mut files = Vec::new();
        for file in &index.files {
            files.push(walk.member(&Name::of_data(&file.path), Some(file.bytes))?);
        }
        let mut programs = Vec::new();
        for ProgramEntry { file, .. } in &index.programs {
            programs.push(walk.member(&Name::of_program(&file.path), Some(file.bytes))?);
        }
        let mut layers = Vec::new();
        for layer in &index.layers {
            layers.push(PackedLayer {
                packed: walk.member(&Name::of_data(&layer.path()), None)?,
                bytes: layer.bytes,
                sha256: layer.sha256,
            });
        }
        let before = walk.so_far();
        let seal = seal_text(Sha256::of(b"")).len() as u64;
        let seal = walk.member(&Name::of_data(SEAL), Some(seal))?;
        walk.end()?;
        Ok(Self {
            index,
            path: path.to_owned(),
            files,
            programs,
            layers,
            sealed: (before, seal),
        })
    }

    /// Reads everything, on all processors, and compares it with the index. `watch` hears of every byte that is
    /// unpacked.
    ///
    /// # Errors
    ///
    /// Something is not what the index says.
    pub fn verify(&self, watch: Watch<'_>) -> Result<(), BundleError> {
        let files = self.index.files.iter().zip(&self.files);
        let programs = self.index.programs.iter().map(|program| &program.file);
        for (entry, section) in files.chain(programs.zip(&self.programs)) {
            let content = Checked::new(section.clone(), entry.bytes, entry.sha256);
            self.drain(&entry.path, content, watch)?;
        }
        let next = AtomicUsize::new(0);
        let failed = Mutex::new(None);
        let work = || {
            while let Some(layer) = self.layers.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(error) = self.verify_layer(layer, watch) {
                    next.store(self.layers.len(), Ordering::Relaxed);
                    let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                    failed.get_or_insert(error);
                }
            }
        };
        let seal = thread::scope(|scope| {
            for _processor in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
            self.verify_seal()
        });
        // A damaged layer is worth more to know than that something is damaged.
        let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        failed.map_or(seal, Err)
    }

    /// The text of a file.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is not what the index says.
    pub fn text(&self, entry: &FileEntry) -> Result<String, BundleError> {
        let section = self.index.files.iter().position(|file| file == entry);
        let section = section.and_then(|number| self.files.get(number));
        let section = section.ok_or_else(|| BundleError::damaged(&entry.path, "is not there"))?;
        let mut text = String::new();
        Checked::new(section.clone(), entry.bytes, entry.sha256)
            .read_to_string(&mut text)
            .map_err(|error| self.failed(&entry.path, error))?;
        Ok(text)
    }

    /// The bytes of each program, from the first to the last.
    pub fn programs(&self) -> impl Iterator<Item = (&ProgramEntry, impl Read + use<>)> {
        let sections = self.index.programs.iter().zip(&self.programs);
        sections.map(|(program, section)| {
            let file = &program.file;
            (
                program,
                Checked::new(section.clone(), file.bytes, file.sha256),
            )
        })
    }

    /// What images for hosts of one kind are named by, if there is a program for them. The file is not on the disk.
    pub fn named_program(&self, host: Architecture) -> Option<Program> {
        let mut programs = self.index.programs.iter();
        let program = programs.find(|program| program.host == host.as_str())?;
        let path = self.path.join(&program.file.path);
        Some(Program::known(&path, program.file.sha256))
    }

    /// The images; their layers are unpacked and checked again when they are read.
    ///
    /// # Errors
    ///
    /// The parts of an image do not belong together.
    pub fn images(&self) -> Result<Vec<Image>, BundleError> {
        let layers: BTreeMap<Sha256, &PackedLayer> = self
            .layers
            .iter()
            .map(|layer| (layer.sha256, layer))
            .collect();
        let images = self.index.images.iter();
        images.map(|image| Self::image(image, &layers)).collect()
    }

    fn image(
        entry: &ImageEntry,
        all: &BTreeMap<Sha256, &PackedLayer>,
    ) -> Result<Image, BundleError> {
        let mut layers = Vec::new();
        for stacked in &entry.layers {
            let packed = all.get(&stacked.sha256).copied();
            let packed = packed.ok_or_else(|| BundleError::damaged(NAME, "lacks a layer"))?;
            let content = Arc::new(packed.clone());
            let (sha256, bytes) = (packed.sha256, packed.bytes);
            layers.push(Layer::elsewhere(&stacked.holds, sha256, bytes, content));
        }
        let host = entry.host.parse();
        let host =
            host.map_err(|_unknown| BundleError::damaged(NAME, "names hosts of no known kind"))?;
        let image = restore(&entry.target, host, &entry.reference, &entry.config, layers);
        image.map_err(|reason| BundleError::Image {
            reference: entry.reference.clone(),
            reason,
        })
    }

    fn verify_seal(&self) -> Result<(), BundleError> {
        let (before, mut seal) = self.sealed.clone();
        let mut before = BufReader::with_capacity(1 << 20, before);
        let mut hashed = Hashing::new(io::sink());
        let mut text = String::new();
        io::copy(&mut before, &mut hashed)
            .and_then(|_bytes| seal.read_to_string(&mut text))
            .map_err(|error| self.failed(SEAL, error))?;
        if text == seal_text(hashed.digest()) {
            return Ok(());
        }
        Err(BundleError::damaged(
            SEAL,
            "is not the digest of what it seals",
        ))
    }

    fn verify_layer(&self, layer: &PackedLayer, watch: Watch<'_>) -> Result<(), BundleError> {
        let name = format!("layer {}", layer.sha256);
        let content = layer.open().map_err(|error| self.failed(&name, error))?;
        self.drain(&name, content, watch)
    }

    fn drain(
        &self,
        name: &str,
        mut content: impl Read,
        watch: Watch<'_>,
    ) -> Result<(), BundleError> {
        let mut buffer = vec![0; 1 << 18];
        loop {
            match content.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => pass(watch, read as u64)?,
                Err(error) => return Err(self.failed(name, error)),
            }
        }
    }

    /// What the disk says is told from what the content says.
    fn failed(&self, name: &str, error: io::Error) -> BundleError {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match error.kind() {
            InvalidData | InvalidInput | UnexpectedEof => {
                BundleError::damaged(name, error.to_string())
            }
            _ => BundleError::read(&self.path, error),
        }
    }
}

/// The way through a bundle, from header to header.
struct Walk<'a> {
    path: &'a Path,
    file: Arc<File>,
    length: u64,
    offset: u64,
}

impl<'a> Walk<'a> {
    fn begin(path: &'a Path) -> Result<Self, BundleError> {
        let unreadable = |error| BundleError::read(path, error);
        // A pipe would keep whoever opens it waiting.
        let found = std::fs::metadata(path).map_err(unreadable)?;
        if !found.is_file() {
            return Err(BundleError::NoFile {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            path,
            file: Arc::new(File::open(path).map_err(unreadable)?),
            length: found.len(),
            offset: 0,
        })
    }

    fn index(&mut self) -> Result<Index, BundleError> {
        let foreign = || BundleError::Foreign {
            path: self.path.to_owned(),
        };
        let mut start = [0; NAME.len()];
        if self.length < BLOCK
            || self.file.read_exact_at(&mut start, 0).is_err()
            || start != NAME.as_bytes()
        {
            return Err(foreign());
        }
        let mut section = self.member(&Name::of_data(NAME), None)?;
        let mut text = Vec::new();
        let read = section.by_ref().take(LONGEST + 1).read_to_end(&mut text);
        read.map_err(|error| BundleError::read(self.path, error))?;
        if text.len() as u64 > LONGEST {
            return Err(BundleError::damaged(NAME, "is too long"));
        }
        Index::read(&text)
    }

    /// The member that must come next, of this size if that is known.
    fn member(&mut self, name: &Name, bytes: Option<u64>) -> Result<Section, BundleError> {
        let mut header = [0; BLOCK_BYTES];
        self.read(&mut header)?;
        let expected = bytes.or_else(|| size(&header)).and_then(|bytes| {
            let header = name.header(bytes).ok()?;
            Some((bytes, header))
        });
        let Some((bytes, _)) = expected.filter(|(_, expected)| *expected == header) else {
            return Err(BundleError::damaged(
                &name.path,
                "is not where it should be",
            ));
        };
        let section = Section::new(&self.file, self.offset, bytes);
        self.skip(bytes)?;
        let mut zeros = vec![0; usize::try_from(padding(bytes)).unwrap_or_default()];
        self.read(&mut zeros)?;
        if zeros.iter().any(|byte| *byte != 0) {
            return Err(BundleError::damaged(
                &name.path,
                "is not filled up with zeros",
            ));
        }
        Ok(section)
    }

    fn so_far(&self) -> Section {
        Section::new(&self.file, 0, self.offset)
    }

    fn end(mut self) -> Result<(), BundleError> {
        let mut end = [1; END.len()];
        self.read(&mut end)?;
        if end != END || self.offset != self.length {
            return Err(BundleError::damaged("the end", "has something after it"));
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<(), BundleError> {
        let offset = self.offset;
        self.skip(buffer.len() as u64)?;
        self.file
            .read_exact_at(buffer, offset)
            .map_err(|error| BundleError::read(self.path, error))
    }

    fn skip(&mut self, bytes: u64) -> Result<(), BundleError> {
        let end = self.offset.saturating_add(bytes);
        if end > self.length {
            return Err(BundleError::Truncated {
                path: self.path.to_owned(),
            });
        }
        self.offset = end;
        Ok(())
    }
}
