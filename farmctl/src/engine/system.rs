//! What an engine says of its surroundings: everything that decides how safe and how fast a farm on it is.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// An engine's own words about itself and the machine it runs on; what it does not say is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineSystem {
    /// The engine's version, as it prints it.
    pub version: String,
    /// Major and minor number of that version.
    pub release: Option<(u32, u32)>,
    /// What it calls itself, such as `Docker Engine - Community`, and its components' names.
    pub product: Vec<String>,
    /// The operating system under it, in its words.
    pub operating_system: Option<String>,
    /// The kernel under it.
    pub kernel: Option<String>,
    /// How it stores images and containers.
    pub storage_driver: Option<String>,
    /// Which generation of control groups it uses: 1 or 2.
    pub cgroup_version: Option<u8>,
    /// Names of what it confines containers with, such as `seccomp`, `apparmor`, `selinux`, `rootless`, `userns`.
    pub security: Vec<Confinement>,
    /// Where it keeps everything, on its machine.
    pub root_directory: Option<PathBuf>,
    /// What it keeps packets in order with (`iptables`, `nftables`, …), if it says so.
    pub firewall: Option<String>,
    /// Whether containers' memory can be limited.
    pub limits_memory: Option<bool>,
    /// Whether containers' processes can be limited.
    pub limits_processes: Option<bool>,
    /// Its clock.
    pub clock: Option<EngineClock>,
}

/// One of the engine's security options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confinement {
    /// Its name.
    pub name: String,
    /// The profile, where it has one.
    pub profile: Option<String>,
}

/// What the engine's clock said, and how it compares with this machine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineClock {
    /// What it said.
    pub time: SystemTime,
    /// How far it is from this machine's clock at least; asking took the rest.
    pub apart: Duration,
}

impl EngineSystem {
    /// Whether the engine confines containers with `name`.
    pub fn confines_with(&self, name: &str) -> Option<&Confinement> {
        self.security.iter().find(|option| option.name == name)
    }
}

impl EngineClock {
    /// The clock that said `time` at some moment between `asked` and `answered`.
    pub fn new(time: SystemTime, asked: SystemTime, answered: SystemTime) -> Self {
        let before = asked.duration_since(time).unwrap_or_default();
        let after = time.duration_since(answered).unwrap_or_default();
        Self {
            time,
            apart: before.max(after),
        }
    }
}

/// A time as the engine writes it (RFC 3339), to the second.
pub(super) fn time(text: &str) -> Option<SystemTime> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year < 1970 {
        return None;
    }
    let of_day = hour * 3600 + minute * 60 + second;
    let utc = days_since_1970(year, month, day) * 86_400 + of_day;
    let (east, offset) = offset(text.get(19..)?)?;
    let seconds = if east {
        utc.checked_sub(offset)?
    } else {
        utc + offset
    };
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Howard Hinnant's `days_from_civil`: years begin in March, so that the leap day is the last one.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    const DAYS_BEFORE_1970: u64 = 719_468;
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_BEFORE_1970
}

/// What stands behind the seconds: a fraction, then `Z` or `+01:00`. Whether east of Greenwich, and how many seconds.
fn offset(rest: &str) -> Option<(bool, u64)> {
    let fraction = |c: char| c == '.' || c.is_ascii_digit();
    let zone = rest.trim_start_matches(fraction);
    let (east, clock) = match zone.as_bytes().first()? {
        b'Z' | b'z' => return Some((true, 0)),
        b'+' => (true, zone.get(1..)?),
        b'-' => (false, zone.get(1..)?),
        _ => return None,
    };
    let (hours, minutes) = clock.split_once(':')?;
    Some((
        east,
        hours.parse::<u64>().ok()? * 3600 + minutes.parse::<u64>().ok()? * 60,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_times_that_engines_write() {
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", at(0)),
            ("2000-02-29T12:00:00.123456789Z", at(951_825_600)),
            ("2026-11-29T08:56:53.1+01:00", at(1_795_939_013)),
            ("2026-11-29T02:56:53-05:00", at(1_795_939_013)),
            ("2026-13-29T02:56:53Z", None),
            ("yesterday", None),
            ("2026-11-29T02:56:53", None),
        ] {
            assert_eq!(time(text), expected, "{text}");
        }
    }

    #[test]
    fn the_time_that_asking_took_is_no_difference() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        for (time, apart) in [(9, 1), (10, 0), (12, 0), (14, 0), (20, 6)] {
            let clock = EngineClock::new(at(time), at(10), at(14));
            assert_eq!(clock.apart, Duration::from_secs(apart), "{time}");
        }
    }
}
