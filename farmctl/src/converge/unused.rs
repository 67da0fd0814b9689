//! Which images nobody needs. Pure.

use crate::engine::LiveImage;
use crate::farm::REPOSITORIES;

/// An image that may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusedImage {
    /// The tag to take away, or the id of an image that has none.
    pub name: String,
    /// Its size, layers shared with others included.
    pub bytes: u64,
}

/// Those of `images` that no container was made from and whose tags are not `named`. Names that others gave an image
/// stay, and with them the image.
pub fn unused_images(images: &[LiveImage], named: impl Fn(&str) -> bool) -> Vec<UnusedImage> {
    let mut unused = Vec::new();
    for image in images.iter().filter(|image| !image.in_use) {
        let bytes = image.bytes;
        if image.tags.is_empty() {
            let name = image.id.clone();
            unused.push(UnusedImage { name, bytes });
        }
        let ours = image.tags.iter().map(crate::farm::ImageTag::as_str);
        let ours = ours.filter(|tag| tag.starts_with(REPOSITORIES) && !named(tag));
        unused.extend(ours.map(|tag| UnusedImage {
            name: tag.to_owned(),
            bytes,
        }));
    }
    unused.sort_by(|a, b| a.name.cmp(&b.name));
    unused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::farm::ImageTag;

    fn image(id: &str, tags: &[&str], in_use: bool) -> LiveImage {
        LiveImage {
            id: id.to_owned(),
            tags: tags.iter().map(|tag| ImageTag::new(*tag)).collect(),
            bytes: 1,
            in_use,
        }
    }

    #[test]
    fn what_runs_what_a_lock_names_and_what_others_named_stays() {
        let images = [
            image("sha256:1", &["farmctl/armv7h:old"], false),
            image("sha256:2", &["farmctl/armv7h:runs"], true),
            image("sha256:3", &["farmctl/armv7h:named"], false),
            image("sha256:4", &["registry.lan/farmctl/armv7h:1"], false),
            image("sha256:5", &[], false),
            image("sha256:6", &[], true),
            image("sha256:7", &["farmctl/armv5:old", "mine:1"], false),
        ];
        let unused = unused_images(&images, |tag| tag == "farmctl/armv7h:named");
        let names: Vec<_> = unused.iter().map(|image| image.name.as_str()).collect();
        assert_eq!(
            names,
            ["farmctl/armv5:old", "farmctl/armv7h:old", "sha256:5"]
        );
    }
}
