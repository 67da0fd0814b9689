//! Images that farmctl assembled, of whatever farm.

use crate::farm::ImageTag;

/// An image on an engine that carries farmctl's label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveImage {
    /// The engine's id.
    pub id: String,
    /// Its names, those that others gave it included; none for one whose tag went to another image.
    pub tags: Vec<ImageTag>,
    /// Its size, layers shared with others included.
    pub bytes: u64,
    /// Whether a container was made from it, running or not, of whatever farm.
    pub in_use: bool,
}
