//! Images that were assembled elsewhere, from their parts.

use std::io;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::assembler::IMAGE_LABEL;
use super::image::Image;
use super::layer::Layer;
use crate::farm::Architecture;

/// The image of these parts, if the very same configuration would be written here: then there is nothing in it that an
/// assembled image has not, such as another user or another program to start.
///
/// # Errors
///
/// It is another configuration, or another image's.
pub fn restore(
    target: &str,
    host: Architecture,
    reference: &str,
    config: &str,
    layers: Vec<Layer>,
) -> Result<Image, RestoreError> {
    let found: Configuration = serde_json::from_str(config)?;
    let labels = found.config.labels;
    if labels.get(IMAGE_LABEL).and_then(Value::as_str) != Some(reference) {
        return Err(RestoreError::Label);
    }
    let labels: Vec<_> = labels
        .iter()
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?.to_owned())))
        .collect();
    let image = Image::new(target, host, reference.to_owned(), &labels, layers)?;
    if image.config() != config.as_bytes() {
        return Err(RestoreError::Other);
    }
    Ok(image)
}

/// Why parts are no image of ours.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The configuration is none.
    #[error("its configuration cannot be read: {0}")]
    Syntax(#[from] serde_json::Error),
    /// The configuration is another image's.
    #[error("its configuration names another image")]
    Label,
    /// The configuration says what none of ours does, or of other layers.
    #[error("its configuration is not what this farmctl writes for its layers")]
    Other,
    /// The configuration cannot be written down.
    #[error("it cannot be put together: {0}")]
    Layer(#[from] io::Error),
}

/// As much of a configuration as has to be known to write the rest again.
#[derive(Deserialize)]
struct Configuration {
    config: Labelled,
}

#[derive(Deserialize)]
struct Labelled {
    #[serde(rename = "Labels")]
    labels: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::super::layer::Layer;
    use super::super::package::{ImagePath, Node, Tree};
    use super::*;

    const REFERENCE: &str = "farmctl/armv7h:0123456789abcdef";

    fn layer(content: &'static str) -> Layer {
        let mut tree = Tree::default();
        let file = Node::File {
            content: content.into(),
            executable: false,
        };
        tree.insert(ImagePath::from_absolute("/a").unwrap(), file);
        Layer::in_memory("a file", &tree).unwrap()
    }

    fn config(reference: &str) -> String {
        let labels = [(IMAGE_LABEL, reference.to_owned())];
        let image = Image::new(
            "armv7h",
            Architecture::Amd64,
            reference.to_owned(),
            &labels,
            vec![layer("content")],
        );
        String::from_utf8(image.unwrap().config().to_vec()).unwrap()
    }

    #[test]
    fn an_image_comes_back_from_its_parts() {
        let config = config(REFERENCE);
        let image = restore(
            "armv7h",
            Architecture::Amd64,
            REFERENCE,
            &config,
            vec![layer("content")],
        )
        .unwrap();
        assert_eq!(image.config(), config.as_bytes());
        assert_eq!(image.reference, REFERENCE);
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        let ours = config(REFERENCE);
        let restored = |config: &str, content| {
            restore(
                "armv7h",
                Architecture::Amd64,
                REFERENCE,
                config,
                vec![layer(content)],
            )
            .map(|image| image.reference)
        };
        restored(&ours, "content").unwrap();
        let root = ours.replace("65532:65532", "0:0");
        assert_ne!(root, ours);
        let preload = ours.replace(r#""Env":["#, r#""Env":["LD_PRELOAD=/x","#);
        assert_ne!(preload, ours);
        for (config, content) in [(&root, "content"), (&preload, "content"), (&ours, "other")] {
            let error = restored(config, content).unwrap_err();
            assert!(matches!(error, RestoreError::Other), "{error}");
        }
        let other = config("farmctl/armv5:0123456789abcdef");
        let error = restored(&other, "content").unwrap_err();
        assert!(matches!(error, RestoreError::Label), "{error}");
        assert!(restored("{}", "content").is_err());
    }
}
