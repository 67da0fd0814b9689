mod damaged;
mod hostile;
mod index;
mod saving;

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::fixture::{LET_PASS, Place, images, images_on, layer, long};
use super::header::Name;
use super::index::{SEAL, is_description, seal_text};
use super::save::write;
use super::{Bundle, BundleError, Index, save};
use crate::image::{IMAGE_LABEL, Image, Sha256};

/// What becomes of a bundle of these bytes: read to its end, its images put together.
fn read(place: &Place, bytes: &[u8]) -> Result<Bundle, BundleError> {
    let path = place.path("changed");
    fs::write(&path, bytes).unwrap();
    let bundle = Bundle::open(&path)?;
    bundle.verify(LET_PASS)?;
    bundle.images()?;
    Ok(bundle)
}

fn reason(place: &Place, bytes: &[u8]) -> String {
    let error = read(place, bytes).unwrap_err();
    assert!(error.hint().is_some(), "{error}");
    error.to_string()
}

#[test]
fn what_is_saved_comes_back() {
    let place = Place::new();
    let path = place.path("bundle");
    let packed = AtomicU64::new(0);
    let count = |bytes| {
        packed.fetch_add(bytes, Ordering::Relaxed);
        ControlFlow::Continue(())
    };
    let originals = images_on(&long());
    let saved = save(&path, place.contents(&originals), &count).unwrap();
    let bytes = fs::read(&path).unwrap();
    assert_eq!(
        (saved.bytes, saved.sha256),
        (bytes.len() as u64, Sha256::of(&bytes))
    );

    let bundle = Bundle::open(&path).unwrap();
    assert_eq!(packed.into_inner(), bundle.index.bytes());
    let unpacked = AtomicU64::new(0);
    let count = |bytes| {
        unpacked.fetch_add(bytes, Ordering::Relaxed);
        ControlFlow::Continue(())
    };
    bundle.verify(&count).unwrap();
    assert_eq!(unpacked.into_inner(), bundle.index.bytes());

    let files = bundle.index.files.iter();
    let files: Vec<_> = files
        .map(|file| (file.path.as_str(), bundle.text(file).unwrap()))
        .collect();
    let expected = [
        ("farm.lock", "the lock\n"),
        ("farm.yaml", "farm: attic\n"),
        ("toolchains/armv7h.yaml", "target: armv7h\n"),
    ];
    assert_eq!(files, expected.map(|(path, text)| (path, text.to_owned())));
    let mut program = String::new();
    let (_entry, mut content) = bundle.programs().next().unwrap();
    content.read_to_string(&mut program).unwrap();
    assert_eq!(program, "the program");

    let images = bundle.images().unwrap();
    assert_eq!(images.len(), originals.len());
    for (image, original) in images.iter().zip(&originals) {
        assert_eq!(
            (image.id(), &image.reference),
            (original.id(), &original.reference)
        );
        for (layer, original) in image.blobs().iter().zip(original.blobs()) {
            let mut content = Vec::new();
            layer.open().unwrap().read_to_end(&mut content).unwrap();
            assert_eq!(Sha256::of(&content), original.diff_id);
        }
    }
}

#[test]
fn the_same_contents_give_the_same_bytes_and_other_programs_can_read_them() {
    let place = Place::new();
    let bytes = place.bundle();
    assert!(bytes == place.bundle());
    let mut names = Vec::new();
    for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
        let entry = entry.unwrap();
        let mode = entry.header().mode().unwrap();
        names.push(format!("{} {mode:o}", entry.path().unwrap().display()));
    }
    assert_eq!(
        names[..5],
        [
            "bundle.json 644",
            "farm.lock 644",
            "farm.yaml 644",
            "toolchains/armv7h.yaml 644",
            "farmctl 755",
        ]
    );
    assert_eq!(
        names.len(),
        5 + 3 + 1,
        "the layer that both images have is there once"
    );
}

fn image_of(layer: crate::image::Layer) -> Image {
    let reference = "farmctl/armv7h:0123456789abcdef";
    let labels = [(IMAGE_LABEL, reference.to_owned())];
    Image::assembled("armv7h", reference.to_owned(), &labels, vec![layer])
}
