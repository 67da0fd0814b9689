//! Judges single values of a document.

use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use crate::farm::{Cpus, Grace, Memory};

use super::problem::{DURATION, Problem, TEXT, WHOLE_NUMBER};
use super::yaml::Value;

/// Any text.
pub(super) fn text(value: &Value) -> Result<String, Problem> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        other => Err(kind(TEXT, other)),
    }
}

/// Yes or no.
pub(super) fn flag(value: &Value) -> Result<bool, Problem> {
    match value {
        Value::Flag(flag) => Ok(*flag),
        other => Err(kind("true or false", other)),
    }
}

/// A text that means something.
pub(super) fn parsed<T>(value: &Value) -> Result<T, Problem>
where
    T: FromStr<Err: Into<Problem>>,
{
    text(value)?.parse().map_err(Into::into)
}

/// One of a few words. What YAML takes for something else is no such word either, and the words are told then.
pub(super) fn setting<T>(value: &Value) -> Result<T, Problem>
where
    T: FromStr<Err: Into<Problem>>,
{
    match value {
        Value::Flag(flag) => flag.to_string().parse().map_err(Into::into),
        Value::Whole(number) => number.to_string().parse().map_err(Into::into),
        _ => parsed(value),
    }
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

/// A number of processors.
pub(super) fn cpus(value: &Value) -> Result<Cpus, Problem> {
    match value {
        Value::Whole(number) => Ok(number.to_string().parse()?),
        Value::Fraction(number) => Ok(number.to_string().parse()?),
        _ => parsed(value),
    }
}

/// A time with its unit.
pub(super) fn grace(value: &Value) -> Result<Grace, Problem> {
    match value {
        Value::Text(text) => Ok(text.parse()?),
        other => Err(kind(DURATION, other)),
    }
}

/// The address of a toolchain's archive.
pub(super) fn archive_url(value: &Value) -> Result<String, Problem> {
    let url = text(value)?;
    if url.starts_with("https://") {
        return Err(Problem::Https(url));
    }
    let web = url.strip_prefix("http://");
    let has_host = web.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    let is_file = url
        .strip_prefix("file:///")
        .is_some_and(|rest| !rest.is_empty());
    let odd = |c: char| c.is_whitespace() || c.is_control();
    if (has_host || is_file) && !url.contains(odd) {
        Ok(url)
    } else {
        Err(Problem::Url(url))
    }
}

/// A SHA-256 in small hexadecimal digits.
pub(super) fn sha256(value: &Value) -> Result<String, Problem> {
    let digest = text(value)?;
    if digest.len() == 64 && digest.chars().all(|c| c.is_ascii_hexdigit()) {
        Ok(digest.to_ascii_lowercase())
    } else {
        Err(Problem::Sha256(digest))
    }
}

/// A path inside an archive, without detours.
pub(super) fn relative_path(value: &Value) -> Result<PathBuf, Problem> {
    let path = text(value)?;
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    let odd = |c: char| c.is_whitespace() || c.is_control();
    if path.is_empty() || path.contains(odd) || !Path::new(&path).components().all(plain) {
        return Err(Problem::RelativePath(path));
    }
    let normal = Path::new(&path).components();
    Ok(normal.filter(|part| *part != Component::CurDir).collect())
}

/// A file or folder of this machine. Only shells know what `~` is.
pub(super) fn file(value: &Value) -> Result<PathBuf, Problem> {
    let path = text(value)?;
    if path.is_empty() || path.starts_with('~') || path.contains(char::is_control) {
        Err(Problem::File(path))
    } else {
        Ok(PathBuf::from(path))
    }
}

/// The name of a package.
pub(super) fn package(value: &Value) -> Result<String, Problem> {
    let name = text(value)?;
    if is_package_name(&name) {
        Ok(name)
    } else {
        Err(Problem::PackageName(name))
    }
}

/// The address of a package archive, without a slash at its end.
pub(super) fn mirror(value: &Value) -> Result<String, Problem> {
    let address = text(value)?;
    if address.starts_with("https://") {
        return Err(Problem::Https(address));
    }
    let rest = address.strip_prefix("http://");
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
