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

#[test]
fn it_is_cut_off_anywhere() {
    let place = Place::new();
    let bytes = place.bundle();
    for length in [
        1,
        511,
        512,
        600,
        2048,
        bytes.len() / 2,
        bytes.len() - 1025,
        bytes.len() - 1,
    ] {
        let reason = reason(&place, &bytes[..length]);
        let expected = if length < 512 {
            "is no bundle of farmctl"
        } else {
            "is cut off"
        };
        assert!(reason.contains(expected), "{length}: {reason}");
    }
    assert!(reason(&place, b"").ends_with("is no bundle of farmctl"));
}

/// In the middle of every member, in every header, in what fills up.
#[test]
fn a_bit_that_is_flipped_is_found_wherever_it_is() {
    let place = Place::new();
    let bytes = place.bundle();
    // Odd, so that every place in a block has its turn.
    let places = (0..bytes.len()).step_by(13);
    for at in places {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        assert!(
            read(&place, &changed).is_err(),
            "byte {at} of {}",
            bytes.len()
        );
    }
}

#[test]
fn something_else_is_no_bundle() {
    let place = Place::new();
    let other = vec![b'x'; 4096];
    assert!(reason(&place, &other).ends_with("is no bundle of farmctl"));
    let error = Bundle::open(place.folder.path()).unwrap_err();
    assert!(matches!(error, BundleError::NoFile { .. }), "{error}");
    let error = Bundle::open(Path::new("/dev/zero")).unwrap_err();
    assert!(matches!(error, BundleError::NoFile { .. }), "{error}");
    let error = Bundle::open(&place.path("none")).unwrap_err();
    assert!(matches!(error, BundleError::Read { .. }), "{error}");
}

#[test]
fn what_follows_the_end_is_refused() {
    let place = Place::new();
    let mut bytes = place.bundle();
    bytes.extend([0; 512]);
    assert_eq!(
        reason(&place, &bytes),
        "the bundle is damaged: the end has something after it"
    );
}

/// A bundle with this index and nothing else.
fn of_index(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let place = Place::new();
    let path = place.path("bundle");
    place.save(&path).unwrap();
    let mut index = serde_json::to_value(&Bundle::open(&path).unwrap().index).unwrap();
    change(&mut index);
    let text = serde_json::to_vec(&index).unwrap();
    let mut bytes = Name::of_data("bundle.json")
        .header(text.len() as u64)
        .unwrap()
        .to_vec();
    bytes.extend(&text);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

type Change = fn(&mut serde_json::Value);

#[test]
fn an_index_cannot_name_what_a_bundle_must_not_hold() {
    let place = Place::new();
    let file =
        |path: &str| serde_json::json!({ "path": path, "bytes": 1, "sha256": "0".repeat(64) });
    for path in [
        "../farm.yaml",
        "/etc/farm.yaml",
        "a/../../b.yaml",
        ".ssh/a.yaml",
        "farmctl",
        "a//b.yaml",
        "x.sh",
    ] {
        let bytes = of_index(|index| index["files"].as_array_mut().unwrap().push(file(path)));
        assert!(reason(&place, &bytes).contains("names a file"), "{path}");
    }
    let cases: [(&str, Change); 10] = [
        ("names farm.lock twice", |index| {
            let lock = index["files"][0].clone();
            index["files"].as_array_mut().unwrap().push(lock);
        }),
        ("names no farm.lock", |index| {
            drop(index["files"].as_array_mut().unwrap().remove(0));
        }),
        ("says that farm.lock has 4194305 bytes", |index| {
            index["files"][0]["bytes"] = 4_194_305.into();
        }),
        (
            "says that a layer has 18446744073709551615 bytes",
            |index| index["layers"][0]["bytes"] = u64::MAX.into(),
        ),
        ("names a layer twice", |index| {
            let layer = index["layers"][0].clone();
            index["layers"].as_array_mut().unwrap().push(layer);
        }),
        ("has other layers than its images", |index| {
            drop(index["layers"].as_array_mut().unwrap().remove(0));
        }),
        ("names an image twice", |index| {
            index["images"][1]["reference"] = index["images"][0]["reference"].clone();
        }),
        ("names a program \"sh\" for amd64", |index| {
            index["programs"][0]["file"]["path"] = "sh".into();
        }),
        ("names no program for arm64 hosts", |index| {
            index["images"][1]["host"] = "arm64".into();
        }),
        ("unknown field `more`", |index| index["more"] = true.into()),
    ];
    for (expected, change) in cases {
        let reason = reason(&place, &of_index(change));
        assert!(reason.contains(expected), "{reason}");
    }
    let newer = reason(
        &place,
        &of_index(|index| {
            index["farmctl_bundle"] = 2.into();
            index["more"] = true.into();
        }),
    );
    assert_eq!(
        newer,
        "the bundle has format 2, this program reads format 1"
    );
}

#[test]
fn an_index_of_any_length_takes_no_memory() {
    let place = Place::new();
    let length = 5 << 20;
    let mut bytes = Name::of_data("bundle.json")
        .header(length)
        .unwrap()
        .to_vec();
    bytes.resize(512 + usize::try_from(length).unwrap(), b' ');
    assert_eq!(
        reason(&place, &bytes),
        "the bundle is damaged: bundle.json is too long"
    );
    let huge = Name::of_data("bundle.json").header(1 << 60).unwrap();
    assert!(reason(&place, &huge).contains("is cut off"));
}

/// Members that no index can speak for: a link where the lock must be, one more, another order.
#[test]
fn members_that_must_not_be_there_are_refused() {
    let place = Place::new();
    let bytes = place.bundle();
    let index_end = 512
        + usize::try_from(tar_size(&bytes))
            .unwrap()
            .next_multiple_of(512);
    let mut link = bytes.clone();
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_path("farm.lock").unwrap();
    header.set_link_name("/etc/passwd").unwrap();
    header.set_size(9);
    header.set_cksum();
    link[index_end..index_end + 512].copy_from_slice(header.as_bytes());
    let expected = "the bundle is damaged: farm.lock is not where it should be";
    assert_eq!(reason(&place, &link), expected);

    let mut more = bytes[..index_end].to_vec();
    for _many in 0..1000 {
        more.extend(Name::of_data("extra").header(0).unwrap());
    }
    more.extend(&bytes[index_end..]);
    assert_eq!(reason(&place, &more), expected);
}

fn tar_size(bytes: &[u8]) -> u64 {
    super::header::size(bytes[..512].try_into().unwrap()).unwrap()
}

/// A layer that unpacks to far more than it should: it is left as soon as that shows.
#[test]
fn a_layer_that_never_ends_is_left_in_time() {
    let place = Place::new();
    let claimed = b"as small as this";
    let mut bomb = Vec::new();
    for _block in 0..200 {
        let mut packed = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::best());
        packed.write_all(&vec![0; 4 << 20]).unwrap();
        bomb.extend(packed.finish().unwrap());
    }
    let images = [image_of(layer(claimed, claimed))];
    let path = place.path("bundle");
    save(&path, place.contents(&images), LET_PASS).unwrap();
    let bytes = fs::read(&path).unwrap();
    let name = format!("layers/{}.tar.gz", Sha256::of(claimed));
    let at = bytes
        .windows(name.len())
        .rposition(|part| part == name.as_bytes())
        .unwrap();
    let mut changed = bytes[..at].to_vec();
    changed.extend(Name::of_data(&name).header(bomb.len() as u64).unwrap());
    changed.extend(&bomb);
    changed.resize(changed.len().next_multiple_of(512), 0);
    let seal = seal_text(Sha256::of(&changed));
    changed.extend(Name::of_data(SEAL).header(seal.len() as u64).unwrap());
    changed.extend(seal.as_bytes());
    changed.resize(changed.len().next_multiple_of(512) + 1024, 0);

    fs::write(&path, changed).unwrap();
    let unpacked = AtomicU64::new(0);
    let count = |bytes| {
        unpacked.fetch_add(bytes, Ordering::Relaxed);
        ControlFlow::Continue(())
    };
    let error = Bundle::open(&path).unwrap().verify(&count).unwrap_err();
    assert!(
        error.to_string().ends_with("is longer than it should be"),
        "{error}"
    );
    assert!(unpacked.into_inner() < 1 << 20);
}

fn image_of(layer: crate::image::Layer) -> Image {
    let reference = "farmctl/armv7h:0123456789abcdef";
    let labels = [(IMAGE_LABEL, reference.to_owned())];
    Image::assembled("armv7h", reference.to_owned(), &labels, vec![layer])
}

#[test]
fn a_file_that_changes_after_it_was_verified_is_noticed() {
    let place = Place::new();
    let path = place.path("bundle");
    let images = images_on(&long());
    save(&path, place.contents(&images), LET_PASS).unwrap();
    let bundle = Bundle::open(&path).unwrap();
    bundle.verify(LET_PASS).unwrap();
    let images = bundle.images().unwrap();
    let length = fs::metadata(&path).unwrap().len();
    let mut file = fs::File::options().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(length / 2)).unwrap();
    file.write_all(&[0x55; 1000]).unwrap();
    let layers = images.iter().flat_map(Image::blobs);
    let mut contents = layers.map(|layer| layer.open().unwrap().read_to_end(&mut Vec::new()));
    assert!(contents.any(|read| read.is_err()));
}

#[test]
fn a_layer_that_is_not_what_its_image_says_is_not_packed() {
    let place = Place::new();
    let path = place.path("bundle");
    for content in [&b"other"[..], b"longer", b"x"] {
        let images = [image_of(layer(b"claim", content))];
        let error = save(&path, place.contents(&images), LET_PASS).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cannot pack the layer of something: "),
            "{error}"
        );
        assert_eq!(left_behind(&place), Vec::<String>::new());
    }
}

#[test]
fn nothing_is_left_of_what_was_stopped_and_what_was_there_stays() {
    let place = Place::new();
    let path = place.path("bundle");
    let before = place.bundle();
    let images = images();
    let stop = |_bytes| ControlFlow::Break(());
    let error = save(&path, place.contents(&images), &stop).unwrap_err();
    assert!(matches!(error, BundleError::Stopped), "{error}");
    assert!(fs::read(&path).unwrap() == before);
    assert_eq!(left_behind(&place), ["bundle"]);
}

#[test]
fn a_file_that_is_no_bundle_is_not_replaced() {
    let place = Place::new();
    let path = place.path("farm.yaml");
    fs::write(&path, "farm: attic\n").unwrap();
    let error = place.save(&path).unwrap_err();
    assert!(matches!(error, BundleError::InTheWay { .. }), "{error}");
    assert!(matches!(
        place.save(place.folder.path()).unwrap_err(),
        BundleError::InTheWay { .. }
    ));
    assert_eq!(fs::read_to_string(&path).unwrap(), "farm: attic\n");
    let error = place.save(&place.path("none/bundle")).unwrap_err();
    assert!(matches!(error, BundleError::Write { .. }), "{error}");
}

fn left_behind(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.folder.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| !["program", "cache"].contains(&name.as_str()))
        .collect()
}

/// A disk with room for so many bytes.
struct Small {
    inner: std::io::Cursor<Vec<u8>>,
    room: usize,
}

impl Write for Small {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.inner.get_ref().len() + bytes.len() > self.room {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Read for Small {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        self.inner.read(bytes)
    }
}

impl Seek for Small {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.inner.seek(to)
    }
}

#[test]
fn a_full_disk_is_told_as_such() {
    let place = Place::new();
    let images = images();
    for room in [0, 700, 3000, 5000] {
        let out = Small {
            inner: std::io::Cursor::default(),
            room,
        };
        let path = Path::new("usb/attic.bundle");
        let error = write(place.contents(&images), path, out, LET_PASS).unwrap_err();
        assert_eq!(
            error.to_string(),
            "disk full while writing usb/attic.bundle"
        );
    }
}

#[test]
fn descriptions_are_the_lock_and_yaml_below_the_manifest() {
    for path in [
        "farm.lock",
        "farm.yaml",
        "toolchains/armv7h.yaml",
        "a/b/c.yml",
    ] {
        assert!(is_description(path), "{path}");
    }
    for path in [
        "",
        ".yaml",
        "farm.lock/..",
        "./farm.yaml",
        "a\nb.yaml",
        "a\\b.yaml",
        &format!("{}.yaml", "a".repeat(90)),
    ] {
        assert!(!is_description(path), "{path}");
    }
}

#[test]
fn an_index_is_read_as_it_was_written() {
    let place = Place::new();
    let path = place.path("bundle");
    place.save(&path).unwrap();
    let index = Bundle::open(&path).unwrap().index;
    let text = serde_json::to_vec(&index).unwrap();
    assert_eq!(Index::read(&text).unwrap(), index);
}
