//! A tree as a tar archive: the same tree is always the same bytes.
//!
//! Entries are sorted and belong to root, times are the epoch's, modes are one of three, headers are plain ustar.

use std::collections::BTreeMap;
use std::io::{self, Write};

use tar::{Builder, EntryType, Header};

use crate::image::package::{Node, Tree};

const FOLDER_MODE: u32 = 0o755;
const PROGRAM_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o644;

/// Writes `tree` and the folders it needs.
pub(super) fn write(tree: &Tree, out: impl Write) -> io::Result<()> {
    let mut archive = Builder::new(out);
    let implied = Node::Folder { mode: FOLDER_MODE };
    let mut nodes: BTreeMap<&str, &Node> = tree
        .folders()
        .into_iter()
        .map(|folder| (folder, &implied))
        .collect();
    nodes.extend(tree.nodes().map(|(path, node)| (path.as_str(), node)));
    for (path, node) in nodes {
        append(&mut archive, path, node)?;
    }
    archive.finish()
}

fn append(archive: &mut Builder<impl Write>, path: &str, node: &Node) -> io::Result<()> {
    match node {
        Node::File {
            content,
            executable,
        } => {
            let mode = if *executable { PROGRAM_MODE } else { FILE_MODE };
            let mut header = header(EntryType::Regular, path, mode)?;
            header.set_size(content.len() as u64);
            finish(archive, header, content)
        }
        Node::Link { target } => {
            let mut header = header(EntryType::Symlink, path, 0o777)?;
            header.set_link_name_literal(target)?;
            finish(archive, header, &[])
        }
        Node::Folder { mode } => finish(
            archive,
            header(EntryType::Directory, &format!("{path}/"), *mode)?,
            &[],
        ),
    }
}

/// A header whose other fields are the same for every entry. Paths too long for ustar are an error.
fn header(kind: EntryType, path: &str, mode: u32) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_path(path)?;
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    Ok(header)
}

fn finish(archive: &mut Builder<impl Write>, mut header: Header, content: &[u8]) -> io::Result<()> {
    header.set_cksum();
    archive.append(&header, content)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::image::digest::Sha256;
    use crate::image::package::ImagePath;

    fn path(text: &str) -> ImagePath {
        ImagePath::from_absolute(text).unwrap()
    }

    fn nodes() -> Vec<(ImagePath, Node)> {
        let file = |content: &'static str, executable| Node::File {
            content: Bytes::from_static(content.as_bytes()),
            executable,
        };
        vec![
            (path("/usr/bin/as"), file("program", true)),
            (path("/usr/lib/libc.so.6"), file("library", false)),
            (
                path("/usr/lib/libc.so"),
                Node::Link {
                    target: "libc.so.6".to_owned(),
                },
            ),
            (path("/tmp"), Node::Folder { mode: 0o1777 }),
        ]
    }

    fn archive(nodes: impl IntoIterator<Item = (ImagePath, Node)>) -> Vec<u8> {
        let mut tree = Tree::default();
        for (path, node) in nodes {
            tree.insert(path, node);
        }
        let mut bytes = Vec::new();
        write(&tree, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_same_tree_gives_the_same_digest_in_whatever_order_it_was_built() {
        let forwards = archive(nodes());
        let backwards = archive(nodes().into_iter().rev());
        assert_eq!(Sha256::of(&forwards), Sha256::of(&backwards));
        let fewer = archive(nodes().into_iter().skip(1));
        assert_ne!(Sha256::of(&forwards), Sha256::of(&fewer));
    }

    #[test]
    fn entries_are_sorted_belong_to_root_and_have_no_time() {
        let bytes = archive(nodes());
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut listed = Vec::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!(
                (
                    header.uid().unwrap(),
                    header.gid().unwrap(),
                    header.mtime().unwrap()
                ),
                (0, 0, 0)
            );
            listed.push(format!(
                "{} {:o}",
                entry.path().unwrap().display(),
                header.mode().unwrap()
            ));
        }
        assert_eq!(
            listed,
            [
                "tmp/ 1777",
                "usr/ 755",
                "usr/bin/ 755",
                "usr/bin/as 755",
                "usr/lib/ 755",
                "usr/lib/libc.so 777",
                "usr/lib/libc.so.6 644"
            ]
        );
    }

    #[test]
    fn refuses_paths_that_plain_headers_cannot_hold() {
        let mut tree = Tree::default();
        tree.insert(
            path(&format!("/{}", "x".repeat(300))),
            Node::Folder { mode: 0o755 },
        );
        assert!(write(&tree, io::sink()).is_err());
    }
}
