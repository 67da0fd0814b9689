//! Quantities with their units, parsed once.

use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};
use std::str::FromStr;
use std::time::Duration;

/// Why a text or number is no such quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not a size with a known unit.
    #[error("'{0}' is not an amount of memory")]
    Memory(String),
    /// Less than any compiler needs.
    #[error("{0} is less memory than one compiler needs")]
    MemoryTooSmall(Memory),
    /// Outside `1..=65535`.
    #[error("{0} is not a port number")]
    Port(u64),
    /// Zero, or more than any machine has.
    #[error("{0} is not a number of jobs")]
    Slots(u64),
    /// Outside what the kernel accepts from an unprivileged process.
    #[error("{0} is not a niceness that a volunteer can have")]
    Nice(i64),
    /// Not a number of processors.
    #[error("'{0}' is not a number of processors")]
    Cpus(String),
    /// Not a time with a known unit, or longer than anybody waits.
    #[error("'{0}' is not a time")]
    Grace(String),
    /// Not a GCC major version.
    #[error("{0} is not a major version of GCC")]
    GccMajor(u64),
}

impl QuantityError {
    /// What to write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::Memory(_) | Self::MemoryTooSmall(_) => {
                format!(
                    "write a number and a unit, such as 16GiB; the least is {}",
                    Memory::LEAST
                )
            }
            Self::Port(_) => "a port is a number from 1 to 65535".to_owned(),
            Self::Slots(_) => format!("write a number from 1 to {}", Slots::MOST),
            Self::Nice(_) => {
                "write a number from 0 (as important as everything else) to 19".to_owned()
            }
            Self::Cpus(_) => {
                "write a number such as 4 or 2.5, with at most two digits after the point"
                    .to_owned()
            }
            Self::Grace(_) => format!(
                "write a number and a unit, such as 30s, 5m or 1h; the most is {}",
                Grace::MOST
            ),
            Self::GccMajor(_) => "write a major version alone, such as 14".to_owned(),
        }
    }
}

/// An amount of memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Memory(u64);

impl Memory {
    /// Below this a single C++ compile is killed.
    pub const LEAST: Self = Self(256 << 20);

    /// An amount that a machine reported, however small.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The amount in bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

/// Units as Docker and systemd users write them; the plain letters are binary there too.
const UNITS: [(&str, u64); 13] = [
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("t", 1 << 40),
    ("b", 1),
];

impl FromStr for Memory {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let bad = || QuantityError::Memory(text.to_owned());
        let lower = text.trim().to_ascii_lowercase();
        let (number, factor) = UNITS
            .iter()
            .find_map(|(unit, factor)| Some((lower.strip_suffix(unit)?, *factor)))
            .unwrap_or((lower.as_str(), 1));
        let number: u64 = number.trim_end().parse().map_err(|_not_a_number| bad())?;
        let memory = Self(number.checked_mul(factor).ok_or_else(bad)?);
        if memory < Self::LEAST {
            return Err(QuantityError::MemoryTooSmall(memory));
        }
        Ok(memory)
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = [
            ("TiB", 1u64 << 40),
            ("GiB", 1 << 30),
            ("MiB", 1 << 20),
            ("KiB", 1 << 10),
        ]
        .into_iter()
        .find(|(_, factor)| self.0 >= *factor && self.0.is_multiple_of(*factor));
        match unit {
            Some((name, factor)) => f.pad(&format!("{}{name}", self.0 / factor)),
            None => f.pad(&format!("{}B", self.0)),
        }
    }
}

/// A TCP port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(NonZeroU16);

impl Port {
    /// The port as a number.
    pub fn number(self) -> u16 {
        self.0.get()
    }
}

impl TryFrom<u64> for Port {
    type Error = QuantityError;

    fn try_from(number: u64) -> Result<Self, QuantityError> {
        u16::try_from(number)
            .ok()
            .and_then(NonZeroU16::new)
            .map(Self)
            .ok_or(QuantityError::Port(number))
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many jobs run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slots(NonZeroU32);

impl Slots {
    /// More than this is a typing error.
    pub const MOST: u32 = 4096;

    /// The nearest number of jobs that is one.
    pub fn clamped(count: u64) -> Self {
        let count = u32::try_from(count).unwrap_or(Self::MOST).min(Self::MOST);
        Self(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN))
    }

    /// The number of jobs.
    pub fn count(self) -> u32 {
        self.0.get()
    }
}

impl TryFrom<u64> for Slots {
    type Error = QuantityError;

    fn try_from(number: u64) -> Result<Self, QuantityError> {
        u32::try_from(number)
            .ok()
            .filter(|count| *count <= Self::MOST)
            .and_then(NonZeroU32::new)
            .map(Self)
            .ok_or(QuantityError::Slots(number))
    }
}

impl fmt::Display for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How much a volunteer yields to everything else on the machine: 0 to 19.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nice(u8);

impl Nice {
    /// What the stock daemon adds by default.
    pub const DEFAULT: Self = Self(5);

    /// The increment, 0 to 19.
    pub fn increment(self) -> u8 {
        self.0
    }
}

impl TryFrom<i64> for Nice {
    type Error = QuantityError;

    fn try_from(number: i64) -> Result<Self, QuantityError> {
        u8::try_from(number)
            .ok()
            .filter(|n| *n <= 19)
            .map(Self)
            .ok_or(QuantityError::Nice(number))
    }
}

/// Time of processors: 1.0 is all of one. Kept in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cpus(NonZeroU32);

impl Cpus {
    /// Billionths of a processor, the engine's unit.
    pub fn nanos(self) -> i64 {
        i64::from(self.0.get()) * 10_000_000
    }
}

impl FromStr for Cpus {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let bad = || QuantityError::Cpus(text.to_owned());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 2 {
            return Err(bad());
        }
        let number = |part: &str| part.parse::<u32>().ok();
        let hundredths = || {
            let fraction = number(&format!("{fraction:0<2}"))?;
            number(whole)?.checked_mul(100)?.checked_add(fraction)
        };
        hundredths()
            .filter(|hundredths| *hundredths <= Slots::MOST * 100)
            .and_then(NonZeroU32::new)
            .map(Self)
            .ok_or_else(bad)
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, hundredths) = (self.0.get() / 100, self.0.get() % 100);
        match hundredths {
            0 => f.pad(&whole.to_string()),
            _ => f.pad(format!("{whole}.{hundredths:02}").trim_end_matches('0')),
        }
    }
}

/// How long something may take to end by itself, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grace(u32);

impl Grace {
    /// Long C++ compiles take a minute or two.
    pub const DEFAULT: Self = Self(120);
    /// Longer than this is a typing error.
    pub const MOST: Self = Self(24 * 3600);

    /// The time in seconds.
    pub fn seconds(self) -> u32 {
        self.0
    }

    /// The time.
    pub fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.0))
    }
}

impl FromStr for Grace {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let bad = || QuantityError::Grace(text.to_owned());
        let (number, factor) = [("s", 1), ("m", 60), ("h", 3600)]
            .into_iter()
            .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))
            .ok_or_else(bad)?;
        let number: u32 = number.trim_end().parse().map_err(|_not_a_number| bad())?;
        number
            .checked_mul(factor)
            .map(Self)
            .filter(|grace| (Self(1)..=Self::MOST).contains(grace))
            .ok_or_else(bad)
    }
}

impl fmt::Display for Grace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.0 {
            seconds if seconds % 3600 == 0 => (seconds / 3600, "h"),
            seconds if seconds % 60 == 0 => (seconds / 60, "m"),
            seconds => (seconds, "s"),
        };
        f.pad(&format!("{number}{unit}"))
    }
}

/// A major version of GCC, such as 14.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GccMajor(NonZeroU32);

impl GccMajor {
    /// The version as a number.
    pub fn number(self) -> u32 {
        self.0.get()
    }
}

impl TryFrom<u64> for GccMajor {
    type Error = QuantityError;

    fn try_from(number: u64) -> Result<Self, QuantityError> {
        u32::try_from(number)
            .ok()
            .filter(|major| *major < 1000)
            .and_then(NonZeroU32::new)
            .map(Self)
            .ok_or(QuantityError::GccMajor(number))
    }
}

impl fmt::Display for GccMajor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_reads_back_what_it_prints() {
        for text in ["16GiB", "512MiB", "1TiB", "1000000001B"] {
            assert_eq!(
                text.parse::<Memory>().map(|m| m.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn memory_accepts_the_units_people_write() {
        for (text, bytes) in [
            ("2g", 2u64 << 30),
            ("2 GiB", 2 << 30),
            ("1GB", 1_000_000_000),
            ("536870912", 512 << 20),
        ] {
            assert_eq!(
                text.parse::<Memory>().map(Memory::bytes),
                Ok(bytes),
                "{text}"
            );
        }
    }

    #[test]
    fn memory_refuses_nonsense_overflow_and_too_little() {
        for text in [
            "",
            "GiB",
            "-1g",
            "1.5g",
            "many",
            "99999999999999999999",
            "99999999999TiB",
        ] {
            assert_eq!(
                text.parse::<Memory>(),
                Err(QuantityError::Memory(text.to_owned()))
            );
        }
        assert_eq!(
            "16".parse::<Memory>(),
            Err(QuantityError::MemoryTooSmall(Memory(16)))
        );
    }

    #[test]
    fn processors_have_two_digits_after_the_point() {
        for (text, nanos, shown) in [
            ("4", 4_000_000_000, "4"),
            ("2.5", 2_500_000_000, "2.5"),
            ("0.05", 50_000_000, "0.05"),
            ("1.00", 1_000_000_000, "1"),
        ] {
            let cpus: Cpus = text.parse().unwrap();
            assert_eq!((cpus.nanos(), cpus.to_string().as_str()), (nanos, shown));
        }
        for bad in [
            "",
            "0",
            "0.0",
            "-1",
            "1.234",
            ".5",
            "1.",
            "many",
            "99999999999",
        ] {
            assert!(bad.parse::<Cpus>().is_err(), "{bad}");
        }
    }

    #[test]
    fn times_have_a_unit() {
        for (text, seconds, shown) in [
            ("30s", 30, "30s"),
            ("90m", 5400, "90m"),
            ("120s", 120, "2m"),
            ("2h", 7200, "2h"),
        ] {
            let grace: Grace = text.parse().unwrap();
            assert_eq!(
                (grace.seconds(), grace.to_string().as_str()),
                (seconds, shown)
            );
        }
        for bad in ["", "30", "m", "0s", "-1s", "25h", "1d", "1.5h"] {
            assert!(bad.parse::<Grace>().is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        assert_eq!(Port::try_from(65_536), Err(QuantityError::Port(65_536)));
        assert_eq!(Port::try_from(0), Err(QuantityError::Port(0)));
        assert_eq!(Slots::try_from(0), Err(QuantityError::Slots(0)));
        assert_eq!(Slots::try_from(5000), Err(QuantityError::Slots(5000)));
        assert_eq!(Nice::try_from(-1), Err(QuantityError::Nice(-1)));
        assert_eq!(Nice::try_from(20), Err(QuantityError::Nice(20)));
        assert_eq!(GccMajor::try_from(0), Err(QuantityError::GccMajor(0)));
    }
}
