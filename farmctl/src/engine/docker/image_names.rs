//! Images' names as engines spell them.

use crate::farm::{ImageTag, REPOSITORIES};

/// The name as farmctl spells it: Podman puts its own registry before the names of images that were loaded.
pub(super) fn plain(tag: impl Into<String>) -> ImageTag {
    let tag = tag.into();
    match tag.strip_prefix("localhost/") {
        Some(ours) if ours.starts_with(REPOSITORIES) => ImageTag::new(ours),
        _ => ImageTag::new(tag),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assembled_images_are_called_the_same_everywhere() {
        for (spelt, name) in [
            ("farmctl/armv7h:1f", "farmctl/armv7h:1f"),
            ("localhost/farmctl/armv7h:1f", "farmctl/armv7h:1f"),
            ("localhost/other:1", "localhost/other:1"),
        ] {
            assert_eq!(plain(spelt).as_str(), name);
        }
    }
}
