//! Bundles of the tests: two small images that share a layer, and a program that is a text.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{BundleError, Contents, NamedFile, Saved, Watch, save};
use crate::farm::Architecture;
use crate::image::{IMAGE_LABEL, Image, Layer, LayerContent, Program, Sha256};

/// Whoever watches lets everything pass.
pub(super) const LET_PASS: Watch<'_> = &|_bytes| ControlFlow::Continue(());

#[derive(Debug)]
struct Bytes(Vec<u8>);

impl LayerContent for Bytes {
    fn open(&self) -> io::Result<Box<dyn io::Read + Send>> {
        Ok(Box::new(io::Cursor::new(self.0.clone())))
    }
}

/// A layer that claims to be `claimed` and is `content`.
pub(super) fn layer(claimed: &[u8], content: &[u8]) -> Layer {
    let (sha256, bytes) = (Sha256::of(claimed), claimed.len() as u64);
    Layer::elsewhere(
        "something",
        sha256,
        bytes,
        Arc::new(Bytes(content.to_vec())),
    )
}

/// More than two blocks of the compressor, and not the same in each.
pub(super) fn long() -> Vec<u8> {
    let numbers = 0..1_100_000_u64;
    numbers
        .flat_map(|number| (number * number).to_le_bytes())
        .collect()
}

/// Two images.
pub(super) fn images() -> Vec<Image> {
    images_on(b"what both have")
}

/// Two images that share a layer like this.
pub(super) fn images_on(shared: &[u8]) -> Vec<Image> {
    let image = |target: &str, own: &[u8]| {
        let reference = format!("farmctl/{target}:0123456789abcdef");
        let layers = vec![layer(shared, shared), layer(own, own)];
        let labels = [(IMAGE_LABEL, reference.clone())];
        Image::assembled(target, reference, &labels, layers)
    };
    vec![image("armv7h", b"arm"), image("aarch64", b"aarch64")]
}

/// A bundle in a folder.
pub(super) struct Place {
    pub(super) folder: tempfile::TempDir,
    program: Program,
}

impl Place {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        std::fs::write(&path, "the program").unwrap();
        let program = Program::at(&path, &folder.path().join("cache")).unwrap();
        Self { folder, program }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn contents<'a>(&'a self, images: &'a [Image]) -> Contents<'a> {
        Contents {
            farm: "attic",
            lock: "the lock\n".to_owned(),
            manifest: Some("farm: attic\n".to_owned()),
            toolchains: vec![NamedFile {
                path: "toolchains/armv7h.yaml".to_owned(),
                text: "target: armv7h\n".to_owned(),
            }],
            programs: vec![(Architecture::Amd64, &self.program)],
            images,
        }
    }

    pub(super) fn save(&self, path: &Path) -> Result<Saved, BundleError> {
        save(path, self.contents(&images()), LET_PASS)
    }

    /// The bytes of a bundle.
    pub(super) fn bundle(&self) -> Vec<u8> {
        let path = self.path("bundle");
        self.save(&path).unwrap();
        std::fs::read(path).unwrap()
    }
}
