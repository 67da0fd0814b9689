//! Relationship fields (Debian Policy, 7.1): `a (>= 1) | b, c`.

use std::cmp::Ordering;
use std::fmt;

use super::Version;

/// One package that would satisfy a dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alternative<'a> {
    pub(super) name: &'a str,
    constraint: Option<(Operator, Version<'a>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Earlier,
    EarlierOrEqual,
    Equal,
    LaterOrEqual,
    Later,
}

impl<'a> Alternative<'a> {
    /// A package in any version.
    pub(super) fn any(name: &'a str) -> Self {
        Self {
            name,
            constraint: None,
        }
    }

    /// Whether a package of this name satisfies the dependency in `version`.
    pub(super) fn allows(&self, version: &str) -> bool {
        let Some((operator, wanted)) = self.constraint else {
            return true;
        };
        let order = Version::new(version).cmp(&wanted);
        match operator {
            Operator::Earlier => order == Ordering::Less,
            Operator::EarlierOrEqual => order != Ordering::Greater,
            Operator::Equal => order == Ordering::Equal,
            Operator::LaterOrEqual => order != Ordering::Less,
            Operator::Later => order == Ordering::Greater,
        }
    }

    /// Whether a virtual package, provided in `version` or in none, satisfies the dependency: one without a version
    /// satisfies only dependencies without a version (Debian Policy, 7.5).
    pub(super) fn allows_provided(&self, version: Option<&str>) -> bool {
        match version {
            Some(version) => self.allows(version),
            None => self.constraint.is_none(),
        }
    }

    /// `name[:architecture] [(operator version)] [[architectures]] [<profiles>]`; the last two only occur in sources.
    fn parse(text: &'a str) -> Option<Self> {
        let (name, constraint) = match text.split_once('(') {
            Some((name, rest)) => (name, Some(parse_constraint(rest.split_once(')')?.0)?)),
            None => (text, None),
        };
        let name = name.split(['[', '<', ':']).next()?.trim();
        (!name.is_empty()).then_some(Self { name, constraint })
    }
}

impl fmt::Display for Alternative<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((operator, version)) = self.constraint else {
            return f.write_str(self.name);
        };
        let operator = match operator {
            Operator::Earlier => "<<",
            Operator::EarlierOrEqual => "<=",
            Operator::Equal => "=",
            Operator::LaterOrEqual => ">=",
            Operator::Later => ">>",
        };
        write!(f, "{} ({operator} {version})", self.name)
    }
}

fn parse_constraint(text: &str) -> Option<(Operator, Version<'_>)> {
    let text = text.trim();
    let (operator, version) = text.split_at(text.find(|c| !matches!(c, '<' | '=' | '>'))?);
    let operator = match operator {
        "<<" => Operator::Earlier,
        // A single angle is an old spelling of "or equal".
        "<=" | "<" => Operator::EarlierOrEqual,
        "=" => Operator::Equal,
        ">=" | ">" => Operator::LaterOrEqual,
        ">>" => Operator::Later,
        _ => return None,
    };
    Some((operator, Version::new(version.trim())))
}

/// The dependencies of a field, each a list of alternatives. `None` if the field cannot be read.
pub(super) fn parse(field: &str) -> Option<Vec<Vec<Alternative<'_>>>> {
    field
        .split(',')
        .map(str::trim)
        .filter(|dependency| !dependency.is_empty())
        .map(|dependency| dependency.split('|').map(Alternative::parse).collect())
        .collect()
}

/// What a `Provides` field names: virtual packages, each with its version if it has one.
pub(super) fn parse_provides(field: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    field.split(',').filter_map(|item| {
        let item = Alternative::parse(item.trim())?;
        Some((
            item.name,
            item.constraint.map(|(_equal, version)| version.text()),
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions_alternatives_and_qualifiers() {
        let field = "libc6 (>= 2.38), python3:any | perl, debconf (>= 0.5) | debconf-2.0,";
        let printed: Vec<String> = parse(field)
            .unwrap()
            .iter()
            .map(|alternatives| {
                alternatives
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(" | ")
            })
            .collect();
        assert_eq!(
            printed,
            [
                "libc6 (>= 2.38)",
                "python3 | perl",
                "debconf (>= 0.5) | debconf-2.0"
            ]
        );
    }

    #[test]
    fn refuses_malformed_fields() {
        for field in ["a (", "a (>= ", "a (?? 1)", "a (=)", "| b", "(>= 1)"] {
            assert_eq!(parse(field), None, "{field}");
        }
    }

    #[test]
    fn compares_by_every_operator() {
        let cases = [
            ("<<", [true, false, false]),
            ("<=", [true, true, false]),
            ("=", [false, true, false]),
            (">=", [false, true, true]),
            (">>", [false, false, true]),
        ];
        for (operator, expected) in cases {
            let field = format!("a ({operator} 2)");
            let parsed = parse(&field).unwrap();
            let allowed = ["1", "2", "3"].map(|version| parsed[0][0].allows(version));
            assert_eq!(allowed, expected, "{operator}");
        }
    }

    #[test]
    fn an_unversioned_virtual_package_satisfies_no_versioned_dependency() {
        let parsed = parse("a, a (>= 2)").unwrap();
        assert!(parsed[0][0].allows_provided(None));
        assert!(!parsed[1][0].allows_provided(None));
        assert!(!parsed[1][0].allows_provided(Some("1")));
        assert!(parsed[1][0].allows_provided(Some("2")));
    }
}
