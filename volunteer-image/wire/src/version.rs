//! Which protocol versions exist and what each means.

/// A protocol version; the client chooses it, nothing is negotiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Version 1: the client preprocesses, bodies are sent as they are.
    Plain = 1,
    /// Version 2: the client preprocesses, bodies are LZO1X blocks.
    Lzo = 2,
    /// Version 3, "pump mode": the server preprocesses, bodies are LZO1X blocks.
    Pump = 3,
}

impl Version {
    /// Every version, the oldest first.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Lzo, Self::Pump];

    /// The version with this number on the wire; 0 and what lies above 3 is none.
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Plain),
            2 => Some(Self::Lzo),
            3 => Some(Self::Pump),
            _ => None,
        }
    }

    /// The number on the wire.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// Whether bodies are LZO1X blocks.
    pub const fn is_compressed(self) -> bool {
        matches!(self, Self::Lzo | Self::Pump)
    }

    /// Whether the request carries a directory and a tree of files instead of one preprocessed source.
    pub const fn carries_files(self) -> bool {
        matches!(self, Self::Pump)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn only_one_two_and_three_are_versions() {
        for version in Version::ALL {
            assert_eq!(Version::from_number(version.number()), Some(version));
        }
        for number in [0, 4, 0x1_0001, u32::MAX] {
            assert_eq!(Version::from_number(number), None, "{number}");
        }
    }

    #[test]
    fn versions_permit_what_the_protocol_says() {
        let permits =
            Version::ALL.map(|version| (version.is_compressed(), version.carries_files()));
        assert_eq!(permits, [(false, false), (true, false), (true, true)]);
    }
}
