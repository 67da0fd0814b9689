//! Images as one stream for `docker load`.
//!
//! The layout is that of `docker save` (Docker image specification, version 1.2): a tar archive of blobs named by
//! digest and a `manifest.json` that says which make up which image. A layer of several images is there once.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use serde::Serialize;
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc;

use super::digest::Sha256;
use super::image::Image;
use super::layer::Layer;

/// Size of the pieces of the stream.
const CHUNK_BYTES: usize = 1 << 18;
/// Pieces read ahead of the engine.
const CHUNKS_AHEAD: usize = 8;

/// The stream of `images`, made as it is read. An error ends it.
pub fn load_stream(images: &[Image]) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let images = images.to_vec();
    let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
    tokio::task::spawn_blocking(move || {
        let mut out = Chunks {
            sender: sender.clone(),
            buffer: BytesMut::new(),
        };
        let written = write(&images, &mut out).and_then(|()| out.flush());
        match written {
            // The reader went away: nobody is left to be told.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) => drop(sender.blocking_send(Err(error))),
            Ok(()) => {}
        }
    });
    futures_util::stream::unfold(receiver, async |mut receiver| {
        Some((receiver.recv().await?, receiver))
    })
}

/// How many bytes of layers the stream of `images` carries; headers are not counted.
pub fn load_bytes(images: &[Image]) -> u64 {
    distinct_layers(images)
        .values()
        .map(|layer| layer.bytes)
        .sum()
}

/// An entry of `manifest.json`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ManifestEntry<'a> {
    config: String,
    repo_tags: [&'a str; 1],
    layers: Vec<String>,
}

fn write(images: &[Image], out: impl Write) -> io::Result<()> {
    let mut archive = Builder::new(out);
    for layer in distinct_layers(images).values() {
        append(
            &mut archive,
            &blob_path(&layer.diff_id),
            layer.bytes,
            layer.open()?,
        )?;
    }
    for image in images {
        let config = image.config();
        append(
            &mut archive,
            &config_path(image),
            config.len() as u64,
            config.as_ref(),
        )?;
    }
    let manifest = serde_json::to_vec(&images.iter().map(manifest_entry).collect::<Vec<_>>())?;
    append(
        &mut archive,
        "manifest.json",
        manifest.len() as u64,
        manifest.as_slice(),
    )?;
    archive.finish()
}

fn manifest_entry(image: &Image) -> ManifestEntry<'_> {
    ManifestEntry {
        config: config_path(image),
        repo_tags: [&image.reference],
        layers: image
            .blobs()
            .iter()
            .map(|layer| blob_path(&layer.diff_id))
            .collect(),
    }
}

fn distinct_layers(images: &[Image]) -> BTreeMap<Sha256, &Layer> {
    images
        .iter()
        .flat_map(Image::blobs)
        .map(|layer| (layer.diff_id, layer))
        .collect()
}

fn blob_path(digest: &Sha256) -> String {
    format!("{digest}/layer.tar")
}

fn config_path(image: &Image) -> String {
    format!("{}.json", image.config_digest())
}

fn append(
    archive: &mut Builder<impl Write>,
    path: &str,
    bytes: u64,
    content: impl Read,
) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_size(bytes);
    header.set_mtime(0);
    archive.append_data(&mut header, path, content.take(bytes))
}

/// Sends what is written in pieces, waiting while the reader is busy.
struct Chunks {
    sender: mpsc::Sender<io::Result<Bytes>>,
    buffer: BytesMut,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let chunk = self.buffer.split().freeze();
        if chunk.is_empty() {
            return Ok(());
        }
        self.sender
            .blocking_send(Ok(chunk))
            .map_err(|_gone| io::ErrorKind::BrokenPipe.into())
    }
}
