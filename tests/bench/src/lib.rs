//! The daemon beside the stock one.
//!
//! ```text
//! case ──► contender ──► load ──► run ──► comparison ──► report
//! what     who does it   jobs     what    medians of     text, JSON,
//! is sent  (a daemon)    at once  it took alternate runs Markdown
//! ```
//!
//! A daemon is a process of its own, started for one run and ended after it, so that all it and its children used can
//! be told. [`soak`] is the other half: very many jobs, good and bad, and then a look at what they left behind.

pub mod case;
pub mod comparison;
pub mod compilers;
pub mod daemon;
pub mod direct;
mod door;
mod errand;
pub mod exchange;
pub mod load;
pub mod memory;
pub mod processes;
pub mod report;
pub mod soak;
pub mod source;
