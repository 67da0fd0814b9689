//! Judges single values of a document.

use std::str::FromStr;

use crate::farm::Memory;

use super::problem::{Problem, TEXT, WHOLE_NUMBER};
use super::yaml::Value;

/// Any text.
pub(super) fn text(value: &Value) -> Result<String, Problem> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        other => Err(kind(TEXT, other)),
    }
}

/// A text that means something.
/// Yes or no.
pub(super) fn flag(value: &Value) -> Result<bool, Problem> {
    match value {
        Value::Flag(flag) => Ok(*flag),
        other => Err(kind("true or false", other)),
    }
}

pub(super) fn parsed<T>(value: &Value) -> Result<T, Problem>
where
    T: FromStr<Err: Into<Problem>>,
{
    text(value)?.parse().map_err(Into::into)
}

/// A whole number that counts something; `N` is what `T` is made from.
pub(super) fn number<N, T>(value: &Value) -> Result<T, Problem>
where
    N: TryFrom<i128>,
    T: TryFrom<N, Error: Into<Problem>>,
{
    match value {
        Value::Whole(number) => N::try_from(*number)
            .map_err(|_too_large_or_negative| Problem::OutOfRange(*number))
            .and_then(|number| T::try_from(number).map_err(Into::into)),
        other => Err(kind(WHOLE_NUMBER, other)),
    }
}

/// An amount of memory; a number alone counts bytes.
pub(super) fn memory(value: &Value) -> Result<Memory, Problem> {
    match value {
        Value::Whole(bytes) => Ok(bytes.to_string().parse()?),
        _ => parsed(value),
    }
}

/// The address of a package archive, without a slash at its end.
pub(super) fn mirror(value: &Value) -> Result<String, Problem> {
    let address = text(value)?;
    let rest = address
        .strip_prefix("http://")
        .or_else(|| address.strip_prefix("https://"));
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#');
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') && !rest.contains(odd) => {
            Ok(address.trim_end_matches('/').to_owned())
        }
        _ => Err(Problem::Mirror(address)),
    }
}

/// What stands for the major version of GCC in names of packages and programs.
pub(super) const VERSION: &str = "{version}";

/// The name of a package with [`VERSION`] in it or not (Debian policy 5.6.1).
pub(super) fn package_template(value: &Value) -> Result<String, Problem> {
    let name = text(value)?;
    if is_package_name(&without_version(&name)?) {
        Ok(name)
    } else {
        Err(Problem::PackageName(name))
    }
}

/// The name of a package in which `*` stands for any text.
pub(super) fn package_pattern(value: &Value) -> Result<String, Problem> {
    let pattern = text(value)?;
    if is_package_name(&pattern.replace('*', "x")) {
        Ok(pattern)
    } else {
        Err(Problem::PackageName(pattern))
    }
}

fn is_package_name(name: &str) -> bool {
    let allowed =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '+' | '-' | '.');
    !name.is_empty() && name.chars().all(allowed)
}

/// An absolute path with [`VERSION`] in it or not.
pub(super) fn path_template(value: &Value) -> Result<String, Problem> {
    let path = text(value)?;
    let plain = without_version(&path)?;
    if plain.starts_with('/') && !plain.split('/').any(|part| part == "..") {
        Ok(path)
    } else {
        Err(Problem::Path(path))
    }
}

/// The text with a number in place of [`VERSION`]; any other placeholder is a mistake.
fn without_version(text: &str) -> Result<String, Problem> {
    let plain = text.replace(VERSION, "0");
    if plain.contains(['{', '}']) {
        return Err(Problem::Placeholder(text.to_owned()));
    }
    Ok(plain)
}

/// A triple or the name of an architecture.
pub(super) fn word(value: &Value) -> Result<String, Problem> {
    let word = text(value)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if word.starts_with(|c: char| c.is_ascii_alphanumeric()) && word.chars().all(allowed) {
        Ok(word)
    } else {
        Err(Problem::Architecture(word))
    }
}

/// An option of a compiler.
pub(super) fn compiler_option(value: &Value) -> Result<String, Problem> {
    let option = text(value)?;
    let odd = |c: char| c.is_whitespace() || c.is_control();
    if option.len() > 1 && option.starts_with('-') && !option.contains(odd) {
        Ok(option)
    } else {
        Err(Problem::CompilerOption(option))
    }
}

/// What was expected, and what is there instead.
pub(super) fn kind(expected: &'static str, value: &Value) -> Problem {
    Problem::Kind {
        expected,
        found: value.kind(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::farm::{Nice, Port, QuantityError};

    #[test]
    fn a_number_of_bytes_is_memory() {
        assert_eq!(
            memory(&Value::Whole(1 << 30)).map(Memory::bytes),
            Ok(1 << 30)
        );
        assert!(memory(&Value::Whole(-1)).is_err());
    }

    #[test]
    fn numbers_say_why_they_are_refused() {
        assert_eq!(
            number::<u64, Port>(&Value::Whole(-1)),
            Err(Problem::OutOfRange(-1))
        );
        assert_eq!(
            number::<i64, Nice>(&Value::Whole(-1)),
            Err(QuantityError::Nice(-1).into())
        );
        assert_eq!(
            number::<u64, Port>(&Value::Text("3632".to_owned())),
            Err(Problem::Kind {
                expected: WHOLE_NUMBER,
                found: "text"
            })
        );
    }

    #[test]
    fn a_mirror_has_a_scheme_and_a_host() {
        let mirror = |text: &str| mirror(&Value::Text(text.to_owned()));
        assert_eq!(
            mirror("http://ftp.example.org/debian/"),
            Ok("http://ftp.example.org/debian".to_owned())
        );
        for bad in [
            "",
            "ftp.example.org",
            "http://",
            "http:///debian",
            "ftp://a/",
            "http://a b",
        ] {
            assert_eq!(mirror(bad), Err(Problem::Mirror(bad.to_owned())));
        }
    }
}
