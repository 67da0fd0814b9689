//! The orchestrator of a volunteer farm for distcc.

pub mod farm;
pub mod hosts;
pub mod image;
pub mod manifest;
