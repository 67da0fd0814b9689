//! What a compiler's name says: which driver of which family, which version, and what is in front of it.

use crate::job::argv::Driver;

/// A compiler's name as a client sends it, such as `/usr/bin/x86_64-linux-gnu-g++-12`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// The whole of it.
    pub(super) sent: String,
    /// A triple in most cases; `c89` of `c89-gcc` in others.
    pub(super) prefix: Option<String>,
    pub(super) family: Family,
    pub(super) driver: Driver,
    /// The major version.
    pub(super) major: Option<u32>,
}

/// Whose command line it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Gcc,
    Clang,
}

impl Name {
    /// Takes a name apart: any directory, a triple, a driver, a version; all but the driver may be missing. `None` if it
    /// is no compiler's name.
    pub(super) fn parse(sent: &str) -> Option<Self> {
        let (stem, major) = split_version(base(sent));
        let (prefix, program) = match stem.rsplit_once('-') {
            Some(("", _)) => return None,
            Some((prefix, program)) => (Some(prefix.to_owned()), program),
            None => (None, stem),
        };
        let (family, driver) = match program {
            "cc" | "gcc" | "cpp" => (Family::Gcc, Driver::C),
            "c++" | "g++" => (Family::Gcc, Driver::Cxx),
            "clang" => (Family::Clang, Driver::C),
            "clang++" => (Family::Clang, Driver::Cxx),
            _ => return None,
        };
        Some(Self {
            sent: sent.to_owned(),
            prefix,
            family,
            driver,
            major,
        })
    }

    /// Without the directory.
    pub(super) fn base(&self) -> &str {
        base(&self.sent)
    }

    /// The usual name of the same compiler in version `major`, without a directory.
    pub(super) fn in_version(&self, major: u32) -> String {
        let prefix = self.prefix.as_ref().map(|prefix| format!("{prefix}-"));
        let driver = match (self.family, self.driver) {
            (Family::Gcc, Driver::C) => "gcc",
            (Family::Gcc, Driver::Cxx) => "g++",
            (Family::Clang, Driver::C) => "clang",
            (Family::Clang, Driver::Cxx) => "clang++",
        };
        format!("{}{driver}-{major}", prefix.unwrap_or_default())
    }
}

/// What follows the last slash.
fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// `gcc-14.2` is `gcc` and 14: minor versions do not change code or object format.
fn split_version(name: &str) -> (&str, Option<u32>) {
    let version = name.rsplit_once('-').and_then(|(stem, version)| {
        let mut parts = version.split('.');
        let major = parts.next()?;
        let numeric =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let all_numeric = numeric(major) && parts.all(numeric);
        all_numeric
            .then(|| major.parse().ok().map(|major| (stem, Some(major))))
            .flatten()
    });
    version.unwrap_or((name, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let cases = [
            ("gcc", Some("- Gcc C -")),
            ("cc", Some("- Gcc C -")),
            ("c++", Some("- Gcc Cxx -")),
            ("g++-12.2.0", Some("- Gcc Cxx 12")),
            (
                "/a/b-c/x86_64-linux-gnu-gcc-12",
                Some("x86_64-linux-gnu Gcc C 12"),
            ),
            ("c89-gcc", Some("c89 Gcc C -")),
            ("clang", Some("- Clang C -")),
            ("clang++-14", Some("- Clang Cxx 14")),
            ("", None),
            ("gcc-", None),
            ("-gcc", None),
            ("gcc-ar", None),
            ("sh", None),
            ("python3", None),
            ("gcc-99999999999", None),
        ];
        for (sent, expected) in cases {
            let told = Name::parse(sent).map(|name| {
                let major = name.major.map_or("-".to_owned(), |major| major.to_string());
                let prefix = name.prefix.unwrap_or("-".to_owned());
                format!("{prefix} {:?} {:?} {major}", name.family, name.driver)
            });
            assert_eq!(told.as_deref(), expected, "{sent}");
        }
    }

    #[test]
    fn another_version_has_its_usual_name() {
        let cases = [
            ("/usr/bin/cc", "gcc-13"),
            ("x86_64-linux-gnu-g++", "x86_64-linux-gnu-g++-13"),
            ("clang++-14", "clang++-13"),
        ];
        for (sent, expected) in cases {
            assert_eq!(Name::parse(sent).unwrap().in_version(13), expected);
        }
    }
}
