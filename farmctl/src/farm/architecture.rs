//! What kind of machine a volunteer's container runs on, as opposed to the target that it compiles for.

use std::fmt;
use std::str::FromStr;

/// The architecture of a host's processor, and so of every program in a volunteer's image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Architecture {
    /// 64-bit x86.
    Amd64,
    /// 64-bit ARM.
    Arm64,
}

/// A kind of machine that farmctl has no volunteers for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("farmctl has no volunteers for machines of type '{0}'")]
pub struct UnknownArchitecture(pub String);

impl Architecture {
    /// Every kind that there is.
    pub const ALL: [Self; 2] = [Self::Amd64, Self::Arm64];

    /// The name in the Debian archive, in images and in Docker's platforms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// The name that Linux and engines have for the machine (`uname -m`).
    pub fn machine(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }

    /// What this program was built for.
    pub const fn own() -> Self {
        if cfg!(target_arch = "aarch64") {
            Self::Arm64
        } else {
            Self::Amd64
        }
    }
}

impl FromStr for Architecture {
    type Err = UnknownArchitecture;

    fn from_str(text: &str) -> Result<Self, UnknownArchitecture> {
        match text {
            "amd64" | "x86_64" => Ok(Self::Amd64),
            "arm64" | "aarch64" => Ok(Self::Arm64),
            _ => Err(UnknownArchitecture(text.to_owned())),
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
