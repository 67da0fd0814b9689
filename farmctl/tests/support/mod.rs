//! What several test programs share: an archive laid out like Debian's, and a mirror that serves it.

pub(crate) mod debian;
pub(crate) mod server;
