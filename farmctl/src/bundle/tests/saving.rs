//! What is in the way of saving a bundle.

use super::*;

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
