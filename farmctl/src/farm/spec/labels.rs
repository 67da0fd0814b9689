//! Labels on containers, networks and volumes: what makes a resource ours, and what it was made from.

/// The farm that a resource belongs to.
pub const FARM: &str = "farmctl.farm";
/// The target that a container or volume is for.
pub const TARGET: &str = "farmctl.target";
/// What a container is there for: see [`super::Role`].
pub const ROLE: &str = "farmctl.role";
/// A hash of everything that a container was made from.
pub const FINGERPRINT: &str = "farmctl.fingerprint";
/// Jobs at once.
pub const SLOTS: &str = "farmctl.slots";
/// Installed GCC versions, the preferred one first.
pub const GCC: &str = "farmctl.gcc";
/// On images, and so on the containers made of them: the tag that the image was assembled for.
pub const IMAGE: &str = "farmctl.image";
