//! Package URLs (ECMA-427): what a package is called wherever it comes from.

use std::fmt::Write as _;

/// Of a package of Debian's archive.
pub fn debian_url(name: &str, version: &str, architecture: &str) -> String {
    let (name, version) = (encoded(name), encoded(version));
    format!("pkg:deb/debian/{name}@{version}?arch={architecture}")
}

/// Of a crate.
pub fn cargo_url(name: &str, version: &str) -> String {
    format!("pkg:cargo/{}@{}", encoded(name), encoded(version))
}

/// Everything but letters, digits and a few marks is written as its number.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _written = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_keep_their_meaning() {
        assert_eq!(
            debian_url("libstdc++6", "1:14.2.0-19+deb13u1~x", "amd64"),
            "pkg:deb/debian/libstdc%2B%2B6@1:14.2.0-19%2Bdeb13u1~x?arch=amd64"
        );
        assert_eq!(cargo_url("serde", "1.0.0+x"), "pkg:cargo/serde@1.0.0%2Bx");
    }
}
