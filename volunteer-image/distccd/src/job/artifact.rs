//! What came back from the compiler, and whether it may leave.

use std::fs::File;
use std::io::{self, Read};

use volunteer_toolchain::{Mismatch, ObjectFacts, Strictness};

use super::argv::Product;
use super::workspace::Workspace;

/// A result that must not leave, although the compiler said that all is well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadArtifact {
    /// The compiler made no file.
    #[error("the compiler ended well but made no object file")]
    Missing,
    /// The compiler did not say what its result depends on.
    #[error("the compiler ended well but made no dependency file")]
    NoDependencies,
    /// An object with names in it that mean nothing to the client, and differ from job to job.
    #[error("the object names a directory of this volunteer")]
    ShowsThrough,
    /// Not a plain file: a link, a directory, a device.
    #[error("the compiler made something that is not a plain file")]
    NotAFile,
    /// More than a reply may carry.
    #[error("the object has {length_bytes} bytes, more than the {limit_bytes} that may be sent")]
    TooLarge {
        /// Its size.
        length_bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// The file cannot be read.
    #[error("cannot read the object: {0}")]
    Unreadable(io::Error),
    /// An object that the board could not link.
    #[error("wrong object: {0}")]
    Wrong(Mismatch),
}

impl BadArtifact {
    /// One word for statistics, stable.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NoDependencies => "no-dependencies",
            Self::ShowsThrough => "shows-through",
            Self::NotAFile => "not-a-file",
            Self::TooLarge { .. } => "too-large",
            Self::Unreadable(_) => "unreadable",
            Self::Wrong(_) => "wrong-machine",
        }
    }
}

/// Reads what the compiler made and checks that a board of this target can use it, where that is told by `expected`.
///
/// Assembler text is not checked: what it becomes is decided where it is assembled.
pub(crate) fn collect(
    workspace: &Workspace,
    product: Product,
    expected: Option<&ObjectFacts>,
    limit_bytes: u64,
) -> Result<Vec<u8>, BadArtifact> {
    let file = match workspace.open_output() {
        Ok(Some(file)) => file,
        Ok(None) => return Err(BadArtifact::Missing),
        Err(_link) => return Err(BadArtifact::NotAFile),
    };
    let bytes = read(file, limit_bytes)?;
    if let (Product::Object, Some(expected)) = (product, expected) {
        expected
            .check(&bytes, Strictness::Linkable)
            .map_err(BadArtifact::Wrong)?;
    }
    Ok(bytes)
}

/// Reads the dependencies of a pump job, which only has a result if it has these.
pub(crate) fn dependencies(
    workspace: &Workspace,
    limit_bytes: u64,
) -> Result<Vec<u8>, BadArtifact> {
    match workspace.open_dependencies() {
        Ok(Some(file)) => read(file, limit_bytes),
        Ok(None) => Err(BadArtifact::NoDependencies),
        Err(_link) => Err(BadArtifact::NotAFile),
    }
}

fn read(file: File, limit_bytes: u64) -> Result<Vec<u8>, BadArtifact> {
    let metadata = file.metadata().map_err(BadArtifact::Unreadable)?;
    let length_bytes = metadata.len();
    if !metadata.is_file() {
        return Err(BadArtifact::NotAFile);
    }
    if length_bytes > limit_bytes {
        return Err(BadArtifact::TooLarge {
            length_bytes,
            limit_bytes,
        });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length_bytes).unwrap_or_default());
    // Nothing writes to the file any more; the bound holds all the same.
    file.take(limit_bytes)
        .read_to_end(&mut bytes)
        .map_err(BadArtifact::Unreadable)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use volunteer_toolchain::{Class, Machine};

    use super::super::argv::OUTPUT_NAME;
    use super::*;

    const LIMIT_BYTES: u64 = 100;

    fn expected() -> ObjectFacts {
        ObjectFacts {
            class: Class::Elf64,
            machine: Machine::X86_64,
            attributes: BTreeMap::new(),
        }
    }

    fn collected(product: Product, contents: &[u8]) -> Result<Vec<u8>, String> {
        let root = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(root.path(), false).unwrap();
        std::fs::write(workspace.path().join(OUTPUT_NAME), contents).unwrap();
        collect(&workspace, product, Some(&expected()), LIMIT_BYTES).map_err(|bad| bad.to_string())
    }

    fn header(machine: u8) -> Vec<u8> {
        let mut header = b"\x7fELF\x02\x01\x01".to_vec();
        header.resize(64, 0);
        header[16] = 1;
        header[18] = machine;
        header
    }

    #[test]
    fn lets_out_what_the_target_can_link_and_nothing_else() {
        assert_eq!(collected(Product::Object, &header(62)), Ok(header(62)));
        let wrong = "wrong object: object is ELF64 AArch64 where ELF64 x86-64 is expected";
        assert_eq!(
            collected(Product::Object, &header(183)),
            Err(wrong.to_owned())
        );
        assert_eq!(
            collected(Product::Object, b""),
            Err("wrong object: not an ELF object".to_owned())
        );
        assert_eq!(
            collected(Product::Assembly, b"\t.text\n"),
            Ok(b"\t.text\n".to_vec())
        );
        let large = "the object has 101 bytes, more than the 100 that may be sent";
        assert_eq!(
            collected(Product::Assembly, &[b' '; 101]),
            Err(large.to_owned())
        );
    }

    #[test]
    fn what_is_up_to_the_client_is_not_checked() {
        let root = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(root.path(), false).unwrap();
        std::fs::write(workspace.path().join(OUTPUT_NAME), header(3)).unwrap();
        let object = collect(&workspace, Product::Object, None, LIMIT_BYTES);
        assert_eq!(object.unwrap(), header(3));
    }

    #[test]
    fn a_compiler_that_made_nothing_or_something_odd_is_found_out() {
        let root = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(root.path(), false).unwrap();
        let result =
            |workspace| collect(workspace, Product::Object, Some(&expected()), LIMIT_BYTES);
        assert!(matches!(result(&workspace), Err(BadArtifact::Missing)));
        std::fs::create_dir(workspace.path().join(OUTPUT_NAME)).unwrap();
        assert!(matches!(result(&workspace), Err(BadArtifact::NotAFile)));
    }
}
