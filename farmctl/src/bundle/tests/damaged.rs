//! Bundles that came to harm on their way.

use super::*;

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
