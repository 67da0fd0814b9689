//! A folder of this machine as pieces of a tar archive.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::Stream;
use tar::Builder;
use tokio::sync::mpsc;

use super::rootfs;

/// Pieces read ahead of the engine: a piece is a file, and some are large.
const AHEAD: usize = 4;

/// Everything below `from`, for below `to`, without the archive's end.
pub(super) fn entries(from: PathBuf, to: String) -> impl Stream<Item = io::Result<Bytes>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = walk(&from, Path::new(&to), &sender) {
            drop(sender.blocking_send(Err(error)));
        }
    });
    futures_util::stream::unfold(receiver, async |mut receiver| {
        Some((receiver.recv().await?, receiver))
    })
}

fn walk(from: &Path, to: &Path, out: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    let mut archive = Builder::new(Vec::new());
    // Engines do not know the extension for files with holes.
    archive.sparse(false);
    archive.follow_symlinks(false);
    archive.append_path_with_name(from, to)?;
    let piece = Bytes::from(rootfs::open_ended(archive)?);
    if out.blocking_send(Ok(piece)).is_err() {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    if fs::symlink_metadata(from)?.is_dir() {
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            walk(&from.join(&name), &to.join(&name), out)?;
        }
    }
    Ok(())
}
