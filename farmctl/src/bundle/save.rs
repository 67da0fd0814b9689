//! Writing a bundle: beside its place, then renamed, so that there is the whole file or none.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bytes::Bytes;

use super::header::{BLOCK, END, Name, padding};
use super::index::{
    FORMAT, FileEntry, ImageEntry, Index, LayerEntry, NAME, ProgramEntry, SEAL, StackedLayer,
    program_path, seal_text,
};
use super::layer::Checked;
use super::{BundleError, LOCK, MANIFEST, Watch, gzip, index, pass};
use crate::farm::Architecture;
use crate::image::{Hashing, Image, Layer, Program, Sha256};

/// What goes into a bundle.
#[derive(Debug)]
pub struct Contents<'a> {
    /// The farm's name.
    pub farm: &'a str,
    /// The lock's text.
    pub lock: String,
    /// The manifest's text, if the farm has one.
    pub manifest: Option<String>,
    /// Other files, by their paths beside the manifest.
    pub toolchains: Vec<NamedFile>,
    /// The programs that the images hold, by the hosts that they run on; first the one for this machine.
    pub programs: Vec<(Architecture, &'a Program)>,
    /// The images.
    pub images: &'a [Image],
}

/// A text and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// Its path, beside the manifest.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// A bundle that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved {
    /// Its size.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Sha256,
}

/// Writes a bundle to `path`; one that is there is replaced. `watch` hears of every byte that is packed.
///
/// # Errors
///
/// Something cannot be read, the disk is full, or what is there is no bundle. Then no file is left behind, and what was
/// there still is.
pub fn save(path: &Path, contents: Contents<'_>, watch: Watch<'_>) -> Result<Saved, BundleError> {
    check_place(path)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let unwritable = |error| BundleError::write(path, error);
    let mut file = tempfile::Builder::new()
        .prefix(".farmctl-bundle-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(unwritable)?;
    let saved = write(contents, path, file.as_file_mut(), watch)?;
    file.as_file().sync_all().map_err(unwritable)?;
    file.persist(path)
        .map_err(|error| unwritable(error.error))?;
    Ok(saved)
}

/// Whoever mistypes must not lose a file.
fn check_place(path: &Path) -> Result<(), BundleError> {
    let unreadable = |error| BundleError::read(path, error);
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut start = [0; NAME.len()];
    let is_bundle = found.is_file()
        && File::open(path)
            .and_then(|mut file| file.read_exact(&mut start))
            .is_ok_and(|()| start == NAME.as_bytes());
    if is_bundle {
        return Ok(());
    }
    Err(BundleError::InTheWay {
        path: path.to_owned(),
    })
}

/// Writes everything to an empty file, which will be at `path`.
pub(super) fn write<W: Read + Write + Seek>(
    contents: Contents<'_>,
    path: &Path,
    out: W,
    watch: Watch<'_>,
) -> Result<Saved, BundleError> {
    let programs = programs(&contents.programs)?;
    let layers = distinct_layers(contents.images);
    let mut files = vec![(LOCK.to_owned(), contents.lock)];
    files.extend(contents.manifest.map(|text| (MANIFEST.to_owned(), text)));
    files.extend(contents.toolchains.into_iter().map(|f| (f.path, f.text)));
    let index = Index {
        farmctl_bundle: FORMAT,
        farm: contents.farm.to_owned(),
        farmctl: env!("CARGO_PKG_VERSION").to_owned(),
        files: files
            .iter()
            .map(|(path, text)| file_entry(path, text.as_bytes()))
            .collect(),
        programs: programs.iter().map(|(entry, _)| entry.clone()).collect(),
        images: contents.images.iter().map(image_entry).collect(),
        layers: layers
            .values()
            .map(|layer| LayerEntry {
                sha256: layer.diff_id,
                bytes: layer.bytes,
            })
            .collect(),
    };
    let mut writer = Writer { path, out, watch };
    writer.append(&Name::of_data(NAME), &index.text()?)?;
    for (path, text) in &files {
        writer.append(&Name::of_data(path), text.as_bytes())?;
        pass(watch, text.len() as u64)?;
    }
    for (entry, content) in programs {
        writer.append(&Name::of_program(&entry.file.path), &content)?;
        pass(watch, entry.file.bytes)?;
    }
    for (entry, layer) in index.layers.iter().zip(layers.values()) {
        writer.append_layer(entry, layer)?;
    }
    writer.seal()
}

impl Index {
    /// As it stands in a bundle, if a reader would take it.
    fn text(&self) -> Result<Vec<u8>, BundleError> {
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|error| BundleError::damaged(NAME, error.to_string()))?;
        text.push(b'\n');
        Self::read(&text)?;
        if text.len() as u64 > index::LONGEST {
            return Err(BundleError::damaged(NAME, "would be too long"));
        }
        Ok(text)
    }
}

fn programs(
    programs: &[(Architecture, &Program)],
) -> Result<Vec<(ProgramEntry, Bytes)>, BundleError> {
    let mut read = Vec::new();
    for (number, (host, program)) in programs.iter().enumerate() {
        let path = program_path(*host, number == 0);
        let content = program.content().map_err(|error| BundleError::Content {
            what: path.clone(),
            reason: io::Error::other(error),
        })?;
        let (host, file) = (host.to_string(), file_entry(&path, &content));
        read.push((ProgramEntry { host, file }, content));
    }
    Ok(read)
}

fn file_entry(path: &str, content: &[u8]) -> FileEntry {
    FileEntry {
        path: path.to_owned(),
        bytes: content.len() as u64,
        sha256: Sha256::of(content),
    }
}

fn image_entry(image: &Image) -> ImageEntry {
    let layers = image.blobs().iter();
    ImageEntry {
        target: image.target.clone(),
        host: image.architecture.to_string(),
        reference: image.reference.clone(),
        config: String::from_utf8_lossy(image.config()).into_owned(),
        layers: layers
            .map(|layer| StackedLayer {
                holds: layer.name.clone(),
                sha256: layer.diff_id,
            })
            .collect(),
    }
}

fn distinct_layers(images: &[Image]) -> BTreeMap<Sha256, &Layer> {
    let layers = images.iter().flat_map(Image::blobs);
    layers.map(|layer| (layer.diff_id, layer)).collect()
}

/// Writes members.
struct Writer<'a, W> {
    path: &'a Path,
    out: W,
    watch: Watch<'a>,
}

impl<W: Read + Write + Seek> Writer<'_, W> {
    fn append(&mut self, name: &Name, content: &[u8]) -> Result<(), BundleError> {
        let bytes = content.len() as u64;
        self.io(|out| {
            out.write_all(&name.header(bytes)?)?;
            out.write_all(content)?;
            pad(bytes, out)
        })
    }

    /// How long it will be is known when it is packed; the header is written then.
    fn append_layer(&mut self, entry: &LayerEntry, layer: &Layer) -> Result<(), BundleError> {
        let start = self.io(Seek::stream_position)?;
        self.io(|out| out.seek(SeekFrom::Start(start + BLOCK)))?;
        self.pack(layer)?;
        self.io(|out| {
            let bytes = out.stream_position()? - start - BLOCK;
            pad(bytes, out)?;
            let end = out.stream_position()?;
            out.seek(SeekFrom::Start(start))?;
            out.write_all(&Name::of_data(&entry.path()).header(bytes)?)?;
            out.seek(SeekFrom::Start(end)).map(drop)
        })
    }

    /// Packs a layer, which must be what its image says: the cache may be damaged.
    fn pack(&mut self, layer: &Layer) -> Result<(), BundleError> {
        let unreadable = |reason| BundleError::Content {
            what: format!("the layer of {}", layer.name),
            reason,
        };
        let content = layer.open().map_err(unreadable)?;
        let mut content = Checked::new(content, layer.bytes, layer.diff_id);
        let watch = self.watch;
        let next = || {
            let mut block = Vec::new();
            let mut part = content.by_ref().take(gzip::BLOCK_BYTES);
            part.read_to_end(&mut block).map_err(unreadable)?;
            pass(watch, block.len() as u64)?;
            Ok((!block.is_empty()).then_some(block))
        };
        gzip::pack(next, |packed| self.io(|out| out.write_all(&packed?)))
    }

    /// The digest of everything so far, and the end.
    fn seal(&mut self) -> Result<Saved, BundleError> {
        self.io(|out| {
            let mut hashed = Hashing::new(io::sink());
            out.seek(SeekFrom::Start(0))?;
            let mut before = BufReader::with_capacity(1 << 20, &mut *out);
            io::copy(&mut before, &mut hashed)?;
            let text = seal_text(hashed.digest());
            let mut end = Name::of_data(SEAL).header(text.len() as u64)?.to_vec();
            end.extend(text.as_bytes());
            pad(text.len() as u64, &mut end)?;
            end.extend(END);
            hashed.absorb(&end);
            out.seek(SeekFrom::End(0))?;
            out.write_all(&end)?;
            Ok(Saved {
                bytes: hashed.bytes(),
                sha256: hashed.digest(),
            })
        })
    }

    fn io<T>(&mut self, work: impl FnOnce(&mut W) -> io::Result<T>) -> Result<T, BundleError> {
        work(&mut self.out).map_err(|error| BundleError::write(self.path, error))
    }
}

fn pad(bytes: u64, out: &mut impl Write) -> io::Result<()> {
    io::copy(&mut io::repeat(0).take(padding(bytes)), out).map(drop)
}
