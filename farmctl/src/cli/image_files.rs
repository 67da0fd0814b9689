//! Images as files, for those who bring them to an engine in another way.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use futures_util::TryStreamExt as _;
use tokio::io::AsyncWriteExt as _;

use super::context::Context;
use super::images::{ImageOrigin, Images, TargetImage};
use super::{Exit, Failure};
use crate::converge::ImageSource as _;
use crate::farm::ImageTag;
use crate::image::write_folders;

/// Where images are written to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// One file that `docker load` reads.
    Archive(&'a Path),
    /// A new folder with a folder for each layer of one image.
    Folders(&'a Path),
}

impl Place<'_> {
    fn path(&self) -> &Path {
        match self {
            Self::Archive(path) | Self::Folders(path) => path,
        }
    }
}

/// Assembles those of `chosen` that are assembled and writes them; tells which.
pub(super) async fn write<'i>(
    place: Place<'_>,
    chosen: Vec<&'i TargetImage>,
    images: &Images,
    context: &Context,
) -> Result<Vec<&'i TargetImage>, Failure> {
    let chosen = assembled(place, chosen)?;
    let tags: Vec<_> = chosen.iter().map(|image| image.tag.clone()).collect();
    images.save_lock()?;
    let interrupt = context.interrupt();
    let written = async {
        match place {
            Place::Archive(path) => archive(path, &tags, images).await,
            Place::Folders(path) => folders(path, &tags, images).await,
        }
    };
    tokio::select! {
        () = interrupt.cancelled() => return Err(Failure::interrupted()),
        written = written => written?,
    }
    let path = place.path().display();
    context.report.note(&format!("{path} is written"));
    Ok(chosen)
}

/// Those that farmctl makes itself; one of them where only one fits.
fn assembled<'i>(
    place: Place<'_>,
    mut images: Vec<&'i TargetImage>,
) -> Result<Vec<&'i TargetImage>, Failure> {
    images.retain(|image| image.origin == ImageOrigin::Assembled);
    let problem = match (place, images.as_slice()) {
        (_, []) => "none of these images is assembled",
        (Place::Folders(_), [_, _, ..]) => "--layers takes the image of one target",
        _ => return Ok(images),
    };
    let hint = "name the target, as in: farmctl build armv7h --layers image";
    let error = anyhow::anyhow!("{problem}");
    Err(Failure::new(Exit::Usage, error, Some(hint.to_owned())))
}

/// Writes beside and renames, so that there is the whole file or none.
async fn archive(path: &Path, tags: &[ImageTag], images: &Images) -> Result<(), Failure> {
    let mut archive = images.archive(tags).await?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let written = async {
        let (file, place) = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)?
            .into_parts();
        let mut file = tokio::fs::File::from_std(file);
        while let Some(piece) = archive.try_next().await? {
            file.write_all(&piece).await?;
        }
        file.flush().await?;
        place.persist(path).map_err(|error| error.error)
    };
    written.await.map_err(|error| unwritable(path, error))
}

async fn folders(path: &Path, tags: &[ImageTag], images: &Images) -> Result<(), Failure> {
    for image in images.assemble(tags).await? {
        let folder = path.to_owned();
        let written = tokio::task::spawn_blocking(move || write_folders(&image, &folder)).await;
        written
            .map_err(|error| unwritable(path, error.into()))?
            .map_err(|error| unwritable(path, error))?;
    }
    Ok(())
}

fn unwritable(path: &Path, error: std::io::Error) -> Failure {
    let error = anyhow::Error::from(error).context(format!("cannot write {}", path.display()));
    Failure::new(Exit::Failed, error, None)
}
