//! What an index may say.

use super::*;

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
