//! The outcome of a compiler, in the form that clients understand.

use std::fmt;
use std::num::NonZeroU8;

/// A wait status that every client reads as it is meant.
///
/// `STAT` carries a POSIX wait status: exit code in bits 8 to 15, signal in bits 0 to 6. A stock client takes any other
/// set bit for a success *and* reads no object, so a build would go on with a missing file. This type cannot hold such a
/// status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WaitStatus {
    /// The compiler succeeded; an object follows.
    Success,
    /// It did not; no object follows.
    Failure(Failure),
}

/// How a compiler failed: by an exit code of 1 to 255 or a signal of 1 to 126.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Failure(Cause);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Cause {
    Exit(NonZeroU8),
    Signal(NonZeroU8),
}

/// Set in a wait status when a core was dumped; clients do not care.
const CORE_DUMPED: u8 = 0x80;

/// The low seven bits of a process that has stopped, not ended.
const STOPPED: u8 = 0x7f;

impl WaitStatus {
    /// Reads the 32 bits of `STAT`, or those that `wait` returned.
    ///
    /// The mark of a dumped core is dropped. `None` for every status that [`WaitStatus`] cannot hold.
    pub const fn from_bits(bits: u32) -> Option<Self> {
        let [0, 0, code, low] = bits.to_be_bytes() else {
            return None;
        };
        match (code, low & !CORE_DUMPED) {
            (0, 0) if low == 0 => Some(Self::Success),
            (0, signal) => match Failure::signal(signal) {
                Some(failure) => Some(Self::Failure(failure)),
                None => None,
            },
            (code, 0) if low == 0 => match NonZeroU8::new(code) {
                Some(code) => Some(Self::Failure(Failure::exit(code))),
                None => None,
            },
            _ => None,
        }
    }

    /// The 32 bits of `STAT`.
    pub const fn to_bits(self) -> u32 {
        match self {
            Self::Success => 0,
            Self::Failure(Failure(Cause::Exit(code))) => (code.get() as u32) << 8,
            Self::Failure(Failure(Cause::Signal(signal))) => signal.get() as u32,
        }
    }

    /// Whether an object follows.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Success)
    }
}

impl Failure {
    /// The server refuses the job: exit code 200.
    ///
    /// Clients then compile locally. From 128 up, an exit code does not make a pump-mode client switch pump mode off.
    pub const REFUSED: Self = match NonZeroU8::new(200) {
        Some(code) => Self::exit(code),
        None => unreachable!(),
    };

    /// The compiler was killed: signal 9.
    pub const KILLED: Self = match Self::signal(9) {
        Some(failure) => failure,
        None => unreachable!(),
    };

    /// The compiler ended with this exit code.
    pub const fn exit(code: NonZeroU8) -> Self {
        Self(Cause::Exit(code))
    }

    /// The compiler was ended by this signal; `None` unless it lies in 1 to 126.
    pub const fn signal(number: u8) -> Option<Self> {
        match NonZeroU8::new(number) {
            Some(signal) if number < STOPPED => Some(Self(Cause::Signal(signal))),
            _ => None,
        }
    }

    /// The exit code; `None` after a signal.
    pub const fn exit_code(self) -> Option<u8> {
        match self.0 {
            Cause::Exit(code) => Some(code.get()),
            Cause::Signal(_) => None,
        }
    }

    /// The signal that ended the compiler, if one did.
    pub const fn signal_number(self) -> Option<u8> {
        match self.0 {
            Cause::Exit(_) => None,
            Cause::Signal(signal) => Some(signal.get()),
        }
    }
}

impl From<Failure> for WaitStatus {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl fmt::Display for WaitStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success => formatter.write_str("success"),
            Self::Failure(failure) => failure.fmt(formatter),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Cause::Exit(code) => write!(formatter, "exit code {code}"),
            Cause::Signal(signal) => write!(formatter, "signal {signal}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU8;

    use super::{Failure, WaitStatus};

    #[test]
    fn reads_what_the_stock_server_sends() {
        let exit = |code| WaitStatus::Failure(Failure::exit(NonZeroU8::new(code).unwrap()));
        let signal = |number| WaitStatus::Failure(Failure::signal(number).unwrap());
        for (bits, status, text) in [
            (0x0000, WaitStatus::Success, "success"),
            (0x0100, exit(1), "exit code 1"),
            (0x6e00, exit(110), "exit code 110"),
            (0xff00, exit(255), "exit code 255"),
            (0x000b, signal(11), "signal 11"),
            (0x0009, signal(9), "signal 9"),
            (0x007e, signal(126), "signal 126"),
        ] {
            assert_eq!(WaitStatus::from_bits(bits), Some(status), "{bits:08x}");
            assert_eq!(status.to_bits(), bits);
            assert_eq!(status.to_string(), text);
        }
        assert_eq!(
            WaitStatus::from_bits(0x8b),
            Some(signal(11)),
            "a dumped core is dropped"
        );
    }

    #[test]
    fn cannot_hold_what_clients_misread() {
        for bits in [
            0x0001_0000,
            0x8000_0000,
            0x80,
            0x180,
            0x7f,
            0xff,
            0x137f,
            0x0109,
            u32::MAX,
        ] {
            assert_eq!(WaitStatus::from_bits(bits), None, "{bits:08x}");
        }
        for number in [0, 127, 128, 255] {
            assert_eq!(Failure::signal(number), None, "{number}");
        }
    }

    #[test]
    fn every_failure_survives_the_wire() {
        let exits = (1..=255).filter_map(NonZeroU8::new).map(Failure::exit);
        let signals = (1..=126).filter_map(Failure::signal);
        for failure in exits.chain(signals).chain([Failure::REFUSED]) {
            let status = WaitStatus::from(failure);
            assert_eq!(WaitStatus::from_bits(status.to_bits()), Some(status));
            assert_eq!(
                failure.exit_code().is_some(),
                failure.signal_number().is_none()
            );
        }
    }
}
