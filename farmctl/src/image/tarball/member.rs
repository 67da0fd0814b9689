//! Goes through the members of a tar archive that nobody vouches for.
//!
//! Records about the next member (long names) are read here and not by the tar crate, which takes them into memory
//! whatever their size.

use std::io::Read;

use tar::{Archive, Entry, EntryType, PaxExtensions};

use super::{Limits, TarballFault};

/// The kernel's own limit on paths.
const MAX_NAME_BYTES: usize = 4096;
/// Long names, and what else some programs write about a member.
const MAX_EXTENSION_BYTES: u64 = 1 << 16;

/// Something in an archive.
pub(super) struct Member<'a> {
    /// Its path, segment by segment.
    pub(super) path: Vec<String>,
    pub(super) kind: Kind,
    pub(super) data: &'a mut dyn Read,
}

pub(super) enum Kind {
    File { executable: bool },
    Symlink { target: String },
    HardLink { target: Vec<String> },
    Folder,
}

/// Hands every member to `each`. A member whose path is no text is passed over: nobody can ask for it.
pub(super) fn read(
    data: impl Read,
    limits: &Limits,
    mut each: impl FnMut(Member<'_>) -> Result<(), TarballFault>,
) -> Result<(), TarballFault> {
    let mut archive = Archive::new(data);
    let mut about_next = AboutNext::default();
    let mut members = 0;
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        members += 1;
        if members > limits.members {
            return Err(TarballFault::Members(limits.members));
        }
        match entry.header().entry_type() {
            EntryType::GNULongName => about_next.path = Some(long_name(&mut entry)?),
            EntryType::GNULongLink => about_next.link = Some(long_name(&mut entry)?),
            EntryType::XHeader => about_next.read(&extension(&mut entry)?)?,
            EntryType::XGlobalHeader => {}
            _ => visit(&mut entry, std::mem::take(&mut about_next), &mut each)?,
        }
    }
    Ok(())
}

fn visit<R: Read>(
    entry: &mut Entry<'_, R>,
    about: AboutNext,
    each: &mut impl FnMut(Member<'_>) -> Result<(), TarballFault>,
) -> Result<(), TarballFault> {
    let name = about
        .path
        .unwrap_or_else(|| entry.path_bytes().into_owned());
    let link = about
        .link
        .or_else(|| entry.link_name_bytes().map(std::borrow::Cow::into_owned));
    let Some(path) = parse(&name)? else {
        return Ok(());
    };
    let link = link.unwrap_or_default();
    let kind = match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => Kind::File {
            executable: entry.header().mode()? & 0o111 != 0,
        },
        EntryType::Directory => Kind::Folder,
        EntryType::Symlink => Kind::Symlink {
            target: String::from_utf8_lossy(&link).into_owned(),
        },
        EntryType::Link => match parse(&link)? {
            Some(target) => Kind::HardLink { target },
            None => return Ok(()),
        },
        _ => return Err(TarballFault::Special(path.join("/"))),
    };
    each(Member {
        path,
        kind,
        data: entry,
    })
}

/// A member's path; `None` for one that is no text.
fn parse(name: &[u8]) -> Result<Option<Vec<String>>, TarballFault> {
    let shown = || String::from_utf8_lossy(name).into_owned();
    if name.starts_with(b"/") {
        return Err(TarballFault::Absolute(shown()));
    }
    if name
        .split(|byte| *byte == b'/')
        .any(|segment| segment == b"..")
    {
        return Err(TarballFault::Escapes(shown()));
    }
    if name.contains(&0) {
        return Err(TarballFault::Extension(
            "it has a member whose name holds a NUL",
        ));
    }
    let Ok(text) = std::str::from_utf8(name) else {
        return Ok(None);
    };
    let segments = text
        .split('/')
        .filter(|segment| !matches!(*segment, "" | "."));
    Ok(Some(segments.map(str::to_owned).collect()))
}

/// What a record says about the member after it.
#[derive(Default)]
struct AboutNext {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

impl AboutNext {
    fn read(&mut self, record: &[u8]) -> Result<(), TarballFault> {
        for extension in PaxExtensions::new(record) {
            let extension = extension?;
            match extension.key_bytes() {
                b"path" => self.path = Some(extension.value_bytes().to_vec()),
                b"linkpath" => self.link = Some(extension.value_bytes().to_vec()),
                b"size" => {
                    return Err(TarballFault::Extension(
                        "it has a member of more than 8 GiB",
                    ));
                }
                key if key.starts_with(b"GNU.sparse.") => {
                    return Err(TarballFault::Extension(
                        "it has a member that is stored with holes",
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn long_name<R: Read>(entry: &mut Entry<'_, R>) -> Result<Vec<u8>, TarballFault> {
    let mut name = extension(entry)?;
    if name.last() == Some(&0) {
        name.pop();
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(too_long());
    }
    Ok(name)
}

fn extension<R: Read>(entry: &mut Entry<'_, R>) -> Result<Vec<u8>, TarballFault> {
    if entry.size() > MAX_EXTENSION_BYTES {
        return Err(too_long());
    }
    let mut content = Vec::new();
    entry.read_to_end(&mut content)?;
    Ok(content)
}

fn too_long() -> TarballFault {
    TarballFault::Extension("it has a member whose name is too long")
}
