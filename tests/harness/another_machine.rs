//! A machine beside a second engine's: a network namespace at the other end of its cable.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::process::Command;

use crate::SecondEngine;
use crate::ip::{ask_ip, ip};
use crate::second_engine::NAMESPACES;

/// A machine without an engine. It goes when this is dropped.
#[derive(Debug)]
pub struct AnotherMachine {
    name: String,
}

/// Its end of the cable.
const CABLE: &str = "lan1";
const NETWORK: &str = "10.213.7.2/24";

impl AnotherMachine {
    /// Puts a machine at the other end of the engine's cable.
    ///
    /// # Errors
    /// There is one already.
    pub async fn beside(engine: &SecondEngine) -> Result<Self> {
        let name = format!("{}-far", engine.name());
        ip(&["netns", "add", &name]).await?;
        let machine = Self { name };
        let netns = machine.name.as_str();
        ip(&["-n", engine.name(), "link", "set", CABLE, "netns", netns]).await?;
        ip(&["-n", netns, "addr", "add", NETWORK, "dev", CABLE]).await?;
        ip(&["-n", netns, "link", "set", "lo", "up"]).await?;
        machine.plug_in().await?;
        Ok(machine)
    }

    /// The network that programs of this machine see.
    pub fn namespace(&self) -> PathBuf {
        PathBuf::from(NAMESPACES).join(&self.name)
    }

    /// A program as it runs on this machine.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net={}", self.namespace().display()))
            .args(["--", program]);
        command
    }

    /// Pulls the cable.
    ///
    /// # Errors
    /// It is gone.
    pub async fn pull_out(&self) -> Result<()> {
        ip(&["-n", &self.name, "link", "set", CABLE, "down"]).await
    }

    /// Puts the cable back.
    ///
    /// # Errors
    /// It is gone.
    pub async fn plug_in(&self) -> Result<()> {
        ip(&["-n", &self.name, "link", "set", CABLE, "up"]).await
    }

    /// Bytes that have left this machine by the cable.
    ///
    /// # Errors
    /// It is gone.
    pub async fn sent(&self) -> Result<u64> {
        let told = ask_ip(&["-n", &self.name, "-j", "-s", "link", "show", CABLE]).await?;
        let told: Value = serde_json::from_str(&told)?;
        let bytes = told[0]["stats64"]["tx"]["bytes"].as_u64();
        bytes.context("ip does not count bytes")
    }
}

impl Drop for AnotherMachine {
    fn drop(&mut self) {
        let _gone_already = std::process::Command::new("ip")
            .args(["netns", "delete", &self.name])
            .stderr(Stdio::null())
            .status();
    }
}
