//! Explains what is wrong with a farm, or with a master, and what to do about it.
//!
//! [`facts`] asks the engine, the kernel, files and volunteers, and judges nothing. [`host`] and [`master`] are pure: facts
//! become [`Finding`]s, one file for each topic. What could not be found out is a finding too. Every [`Code`] a finding
//! may have stands in one table, which is also the documentation's.

#[cfg(test)]
mod case;
mod code;
mod document;
mod fact;
pub mod facts;
mod finding;
pub mod host;
pub mod master;
pub mod proof;
mod symptoms;

pub use code::{Code, catalogue};
pub use document::{Diagnosis, Examined};
pub use fact::{Fact, Unknown};
pub use finding::{Finding, Severity};
pub use symptoms::SYMPTOMS;
