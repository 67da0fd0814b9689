//! Bundles that nobody saved.

use super::*;

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
    crate::bundle::header::size(bytes[..512].try_into().unwrap()).unwrap()
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
