//! Takes a `.deb` apart (`deb(5)`): an `ar` archive whose member `data.tar.xz` holds the files.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use lzma_rust2::XzReader;
use tar::{Entry, EntryType};

use super::{ImagePath, Keep, Node, PathError, Tree};

/// Size of a read from the file and so of a step of the decoder's input.
const READ_BYTES: usize = 1 << 16;
/// Room reserved for a file whatever its header says; beyond that it grows as bytes really come.
const MAX_RESERVED_BYTES: u64 = 64 << 20;

/// Reads the files of the package at `deb` that `keep` wants, and no further than it has to.
pub(in crate::image) fn unpack(
    package: &str,
    deb: &Path,
    keep: &Keep,
) -> Result<Tree, UnpackError> {
    read(deb, keep).map_err(|fault| UnpackError {
        package: package.to_owned(),
        fault,
    })
}

fn read(deb: &Path, keep: &Keep) -> Result<Tree, UnpackFault> {
    with_data(deb, |data| files(data, keep))
}

/// Hands the tar archive of the package at `deb`, decompressed, to `use_data`.
///
/// # Errors
///
/// The file is no package, or what `use_data` says.
pub fn with_data<T>(
    deb: &Path,
    use_data: impl FnOnce(&mut dyn Read) -> Result<T, UnpackFault>,
) -> Result<T, UnpackFault> {
    let mut members = ar::Archive::new(BufReader::with_capacity(READ_BYTES, File::open(deb)?));
    while let Some(member) = members.next_entry() {
        let member = member?;
        let name = String::from_utf8_lossy(member.header().identifier()).into_owned();
        if name == "data.tar.xz" {
            let reader = BufReader::with_capacity(READ_BYTES, member);
            return use_data(&mut XzReader::new(reader, true));
        }
        if name.starts_with("data.tar") {
            return Err(UnpackFault::Compression(name));
        }
    }
    Err(UnpackFault::NoData)
}

fn files(data: impl Read, keep: &Keep) -> Result<Tree, UnpackFault> {
    let mut tree = Tree::default();
    for entry in tar::Archive::new(data).entries()? {
        let mut entry = entry?;
        let Some(path) = ImagePath::from_member(&entry.path_bytes())? else {
            continue;
        };
        refuse_devices(&path, entry.header().entry_type())?;
        if keep.keeps(&path)
            && let Some(node) = node(&path, &mut entry, &tree)?
        {
            tree.insert(path, node);
            if keep.is_complete(&tree) {
                break;
            }
        }
    }
    Ok(tree)
}

/// Packages hold files, links and folders; anything else has no place in an image, wanted or not.
fn refuse_devices(path: &ImagePath, kind: EntryType) -> Result<(), UnpackFault> {
    use EntryType::{Directory, Link, Regular, Symlink};
    match kind {
        Regular | Link | Symlink | Directory => Ok(()),
        _ => Err(UnpackFault::Special(path.to_string())),
    }
}

/// What is at `path`; `None` for folders, which come by themselves.
fn node<R: Read>(
    path: &ImagePath,
    entry: &mut Entry<'_, R>,
    tree: &Tree,
) -> Result<Option<Node>, UnpackFault> {
    let header = entry.header();
    match header.entry_type() {
        EntryType::Directory => Ok(None),
        EntryType::Symlink => {
            let target = link_text(entry)?;
            path.link_target(&target)?;
            Ok(Some(Node::Link { target }))
        }
        EntryType::Link => {
            let target = link_text(entry)?;
            let linked = ImagePath::from_member(target.as_bytes())?;
            match linked.and_then(|linked| tree.node(&linked)) {
                Some(node) => Ok(Some(node.clone())),
                None => Err(UnpackFault::HardLink {
                    path: path.to_string(),
                    target,
                }),
            }
        }
        _ => {
            let executable = header.mode()? & 0o111 != 0;
            let reserve = entry.size().min(MAX_RESERVED_BYTES);
            let mut content = Vec::with_capacity(usize::try_from(reserve).unwrap_or_default());
            entry.read_to_end(&mut content)?;
            Ok(Some(Node::File {
                content: content.into(),
                executable,
            }))
        }
    }
}

fn link_text<R: Read>(entry: &Entry<'_, R>) -> Result<String, UnpackFault> {
    let target = entry.link_name_bytes().unwrap_or_default();
    String::from_utf8(target.into_owned()).map_err(|bad| {
        PathError::NotText(String::from_utf8_lossy(bad.as_bytes()).into_owned()).into()
    })
}

/// A package that cannot be taken apart.
#[derive(Debug, thiserror::Error)]
#[error("cannot unpack package {package}: {fault}")]
pub struct UnpackError {
    /// The package.
    pub package: String,
    /// What is wrong with it.
    #[source]
    pub fault: UnpackFault,
}

/// What is wrong with a package.
#[derive(Debug, thiserror::Error)]
pub enum UnpackFault {
    /// It cannot be read, or not be decompressed.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// No `data.tar` in it.
    #[error("it holds no files")]
    NoData,
    /// Debian uses xz.
    #[error("{0} is compressed in a way this program does not know")]
    Compression(String),
    /// A path that has no place in an image.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A device, a socket or the like.
    #[error("{0} is neither file, link nor folder")]
    Special(String),
    /// A hard link to something that is not kept.
    #[error("{path} is a hard link to {target}, which is not among the files kept")]
    HardLink {
        /// The link.
        path: String,
        /// What it links to.
        target: String,
    },
}
