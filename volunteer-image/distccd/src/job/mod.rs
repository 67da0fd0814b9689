//! One compile job, from checked arguments to a reply.

pub(crate) mod argv;
pub(crate) mod compiler;
