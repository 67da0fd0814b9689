//! Which compiler made an object.

use object::{Object, ObjectSection};

/// The version in the object's `.comment`, such as `14.2.0` of `GCC: (Debian 14.2.0-19) 14.2.0`.
pub fn version(object: &[u8]) -> Option<String> {
    let object = object::File::parse(object).ok()?;
    let section = object.section_by_name(".comment")?;
    let text = section.data().ok()?;
    let words = text
        .split(|byte| *byte == 0)
        .filter(|words| !words.is_empty());
    words
        .filter_map(|words| std::str::from_utf8(words).ok())
        .find_map(of_words)
}

fn of_words(words: &str) -> Option<String> {
    let after = words.strip_prefix("GCC: ")?;
    let after = match after.strip_prefix('(') {
        Some(vendor) => vendor.split_once(") ")?.1,
        None => after,
    };
    after.split_whitespace().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_stands_behind_the_vendor() {
        for (words, version) in [
            ("GCC: (Debian 14.2.0-19) 14.2.0", Some("14.2.0")),
            ("GCC: (GNU) 15.2.1 20260216", Some("15.2.1")),
            ("GCC: (crosstool-NG 1.27 (rev a)) 14.2.0", Some("14.2.0")),
            ("clang version 19.1.7", None),
            ("", None),
        ] {
            assert_eq!(of_words(words).as_deref(), version, "{words}");
        }
    }

    #[test]
    fn what_is_no_object_has_no_version() {
        assert_eq!(version(b"no object"), None);
    }
}
