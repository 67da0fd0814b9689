//! Package versions and their order (Debian Policy, 5.6.12).

use std::cmp::Ordering;
use std::fmt;

/// A package version: `[epoch:]upstream[-revision]`.
///
/// Two versions that differ only in leading zeros, or in a missing part against a zero one, are equal.
#[derive(Debug, Clone, Copy)]
pub(in crate::image) struct Version<'a>(&'a str);

impl<'a> Version<'a> {
    pub(in crate::image) fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The version as the archive spells it.
    pub(super) fn text(self) -> &'a str {
        self.0
    }

    fn epoch(self) -> &'a str {
        self.0.split_once(':').map_or("", |(epoch, _rest)| epoch)
    }

    fn upstream(self) -> &'a str {
        let rest = self.without_epoch();
        rest.rsplit_once('-')
            .map_or(rest, |(upstream, _revision)| upstream)
    }

    fn revision(self) -> &'a str {
        self.without_epoch()
            .rsplit_once('-')
            .map_or("", |(_upstream, revision)| revision)
    }

    fn without_epoch(self) -> &'a str {
        self.0.split_once(':').map_or(self.0, |(_epoch, rest)| rest)
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.epoch(), other.epoch())
            .then_with(|| compare(self.upstream(), other.upstream()))
            .then_with(|| compare(self.revision(), other.revision()))
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version<'_> {}

impl fmt::Display for Version<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Compares runs of non-digits and runs of digits in turn.
fn compare(mut left: &str, mut right: &str) -> Ordering {
    while !left.is_empty() || !right.is_empty() {
        let (left_text, left_number);
        let (right_text, right_number);
        (left_text, left) = split(left, |byte| !byte.is_ascii_digit());
        (right_text, right) = split(right, |byte| !byte.is_ascii_digit());
        (left_number, left) = split(left, |byte| byte.is_ascii_digit());
        (right_number, right) = split(right, |byte| byte.is_ascii_digit());
        let order = compare_text(left_text, right_text)
            .then_with(|| compare_numbers(left_number, right_number));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// Splits where `in_run` first fails. All characters of a version are ASCII; others would count as non-digits.
fn split(text: &str, in_run: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text
        .bytes()
        .position(|byte| !in_run(byte))
        .unwrap_or(text.len());
    text.split_at(end)
}

/// `~` sorts before the end of the text, the end before letters, letters before everything else.
fn compare_text(left: &str, right: &str) -> Ordering {
    let weight = |byte: Option<u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(letter),
        Some(other) => i32::from(other) + 256,
    };
    let length = left.len().max(right.len());
    let weights = |text: &str| -> Vec<i32> {
        (0..length)
            .map(|at| weight(text.as_bytes().get(at).copied()))
            .collect()
    };
    weights(left).cmp(&weights(right))
}

/// Numbers of any length: without leading zeros the longer one is larger.
fn compare_numbers(left: &str, right: &str) -> Ordering {
    let left = left.trim_start_matches('0');
    let right = right.trim_start_matches('0');
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_versions_as_the_policy_says() {
        let ascending = [
            ("1.0~~", "1.0~~a"),
            ("1.0~~a", "1.0~"),
            ("1.0~", "1.0"),
            ("1.0~rc1", "1.0"),
            ("1.0~rc1-1", "1.0-1"),
            ("1.0", "1.0a"),
            ("1.0a", "1.0+"),
            ("1.0", "1.0-1"),
            ("1.0-1", "1.0-1.1"),
            ("1.0-1", "1.0-1+b1"),
            ("1.0-1~bpo12+1", "1.0-1"),
            ("1.9", "1.10"),
            ("9", "1:0"),
            ("1:9", "2:1"),
            ("14.2.0-19", "14.2.0-19cross1"),
            ("2.41-12+deb13u3", "2.41-12+deb13u4"),
            ("2.44-3", "2.47.50.20261021-1"),
            ("1:1.3.dfsg+really1.3.1-1", "1:1.3.dfsg+really1.3.1-1+b1"),
            ("1-2", "1-1-1"),
            ("99999999999999999999999999", "100000000000000000000000000"),
        ];
        for (less, greater) in ascending {
            assert!(
                Version::new(less) < Version::new(greater),
                "{less} < {greater}"
            );
            assert!(
                Version::new(greater) > Version::new(less),
                "{greater} > {less}"
            );
        }
    }

    #[test]
    fn knows_different_spellings_of_one_version() {
        for (left, right) in [
            ("1.0", "0:1.0"),
            ("1.0", "1.0-0"),
            ("1.01", "1.1"),
            ("1.0-01", "1.0-1"),
            ("", "0"),
        ] {
            assert_eq!(Version::new(left), Version::new(right), "{left} = {right}");
        }
    }
}
