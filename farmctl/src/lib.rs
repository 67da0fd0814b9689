//! The orchestrator of a volunteer farm for distcc.
//!
//! The folders stand in the order of the data: [`manifest`] reads what people wrote into a [`farm`], [`image`] turns
//! packages into images, [`engine`] is the edge to Docker, [`converge`] makes the observed farm the desired one,
//! [`swarm`] does the same for hosts that are whole swarms, [`health`] checks the result, [`hosts`] prints what masters
//! need, [`export`] writes the same farm down for those who run containers by other means. [`cli`] ties them together for a
//! person and [`report`] tells that person what happens.

pub mod bundle;
pub mod cli;
pub mod converge;
pub mod doctor;
pub mod engine;
pub mod export;
pub mod farm;
pub mod health;
pub mod hosts;
pub mod image;
pub mod manifest;
pub mod report;
pub mod sbom;
pub mod swarm;

pub use cli::run;
