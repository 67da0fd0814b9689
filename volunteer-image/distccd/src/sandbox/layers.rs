//! The layers by name.

use std::fmt;
use std::str::FromStr;

/// One of the layers around every compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// Files: the toolchain may be read, the job's directory written.
    Landlock,
    /// System calls: no network, no look into other processes, nothing that administers the machine.
    Seccomp,
    /// Memory, file size, processes and processor time.
    Rlimits,
}

/// Which layers are around every compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layers {
    landlock: bool,
    seccomp: bool,
    rlimits: bool,
}

/// A word that names no layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither landlock, seccomp nor rlimits")]
pub struct UnknownLayer;

impl Layers {
    /// Every layer there is.
    pub const ALL: Self = Self {
        landlock: true,
        seccomp: true,
        rlimits: true,
    };

    /// All of these but `layer`.
    #[must_use]
    pub fn without(mut self, layer: Layer) -> Self {
        match layer {
            Layer::Landlock => self.landlock = false,
            Layer::Seccomp => self.seccomp = false,
            Layer::Rlimits => self.rlimits = false,
        }
        self
    }

    /// Whether `layer` is one of these.
    pub fn has(self, layer: Layer) -> bool {
        match layer {
            Layer::Landlock => self.landlock,
            Layer::Seccomp => self.seccomp,
            Layer::Rlimits => self.rlimits,
        }
    }
}

/// All of them.
impl Default for Layers {
    fn default() -> Self {
        Self::ALL
    }
}

impl FromStr for Layer {
    type Err = UnknownLayer;

    fn from_str(text: &str) -> Result<Self, UnknownLayer> {
        match text {
            "landlock" => Ok(Self::Landlock),
            "seccomp" => Ok(Self::Seccomp),
            "rlimits" => Ok(Self::Rlimits),
            _ => Err(UnknownLayer),
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Landlock => "landlock",
            Self::Seccomp => "seccomp",
            Self::Rlimits => "rlimits",
        })
    }
}

impl fmt::Display for Layers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let present: Vec<_> = [Layer::Landlock, Layer::Seccomp, Layer::Rlimits]
            .into_iter()
            .filter(|layer| self.has(*layer))
            .map(|layer| layer.to_string())
            .collect();
        formatter.write_str(&present.join(" "))
    }
}
