//! What the engine has.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::Value;
use tokio::task::AbortHandle;

use super::faults::Fault;

#[derive(Default)]
pub(crate) struct State {
    pub(crate) containers: Vec<Container>,
    pub(crate) networks: Vec<Network>,
    pub(crate) volumes: BTreeMap<String, Value>,
    pub(crate) images: Vec<Image>,
    pub(crate) faults: Vec<Fault>,
    /// What it says it is, if not a usual one: its version, and its API's.
    pub(crate) version: Option<(&'static str, &'static str)>,
    /// Calls so far, as `METHOD /path`, without those that only look.
    pub(crate) changes: Vec<String>,
    pub(super) execs: u32,
    made: u32,
}

/// A container: what it was made from, and how it is.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The body of the call that made it.
    pub(crate) body: Value,
    pub(crate) image_id: String,
    /// The engine's word: `created`, `running`, `paused`, `exited`.
    pub(crate) state: &'static str,
    pub(crate) created: SystemTime,
    pub(crate) log: Vec<LogEntry>,
    /// What serves its published ports.
    pub(super) ports: Vec<AbortHandle>,
}

#[derive(Debug, Clone)]
pub(crate) struct LogEntry {
    /// 1 is standard output, 2 standard error.
    pub(crate) stream: u8,
    /// As the engine writes it, to the nanosecond.
    pub(crate) time: String,
    pub(crate) message: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) id: String,
    pub(crate) body: Value,
}

#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) id: String,
    pub(crate) tags: Vec<String>,
    /// The configuration that it was loaded with.
    pub(crate) config: Value,
}

impl State {
    /// Ids are as long as the engine's, and count.
    pub(super) fn next_id(&mut self) -> String {
        self.made += 1;
        format!("c0ffee{:058x}", self.made)
    }

    /// By id or name, as the engine looks for it.
    pub(crate) fn container(&mut self, key: &str) -> Option<&mut Container> {
        self.containers
            .iter_mut()
            .find(|container| container.id == key || container.name == key)
    }

    pub(crate) fn image(&mut self, key: &str) -> Option<&mut Image> {
        self.images
            .iter_mut()
            .find(|image| image.id == key || image.tags.iter().any(|tag| tag == key))
    }
}

impl Container {
    /// What `label` says.
    pub(crate) fn label(&self, label: &str) -> Option<&str> {
        self.body["Labels"][label].as_str()
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state, "running" | "paused")
    }

    /// Closes its ports.
    pub(crate) fn stop(&mut self) {
        self.state = "exited";
        self.close();
    }

    pub(crate) fn close(&mut self) {
        for port in self.ports.drain(..) {
            port.abort();
        }
    }

    /// Writes a line to its log.
    pub(crate) fn log(&mut self, time: &str, message: &str) {
        self.log.push(LogEntry {
            stream: 2,
            time: time.to_owned(),
            message: message.to_owned(),
        });
    }
}
