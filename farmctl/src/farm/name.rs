//! Names that end up in container names, labels and image tags.

use std::fmt;
use std::str::FromStr;

/// Longest name accepted, in bytes: container names join two of them and stay readable in a table.
const MAX_NAME_BYTES: usize = 40;

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing between the quotes.
    #[error("a name must not be empty")]
    Empty,
    /// Longer than container names allow.
    #[error("a name must not be longer than {MAX_NAME_BYTES} characters")]
    TooLong,
    /// A character that image tags or container names refuse.
    #[error("'{0}' is not allowed in a name")]
    Character(char),
    /// Image tags must start with a letter or a digit.
    #[error("a name must start with a lower-case letter or a digit")]
    Start,
}

impl NameError {
    /// What to write instead.
    pub fn hint(&self) -> String {
        "use lower-case letters, digits, '-' and '_', starting with a letter or a digit".to_owned()
    }
}

fn check(text: &str) -> Result<(), NameError> {
    let Some(first) = text.chars().next() else {
        return Err(NameError::Empty);
    };
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if let Some(bad) = text.chars().find(|c| !allowed(*c)) {
        return Err(NameError::Character(bad));
    }
    if matches!(first, '-' | '_') {
        return Err(NameError::Start);
    }
    if text.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong);
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                check(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name! {
    /// The name of a farm; `farm` by default.
    FarmName
}
name! {
    /// The name of a host in the manifest; `local` for this machine when the manifest names none.
    HostName
}
impl Default for FarmName {
    fn default() -> Self {
        Self("farm".to_owned())
    }
}

impl Default for HostName {
    fn default() -> Self {
        Self("local".to_owned())
    }
}

name! {
    /// The canonical name of a target, such as `armv7h`.
    TargetName
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_names_that_an_image_tag_accepts() {
        for good in ["attic", "x86_64", "farm-2", "0"] {
            assert_eq!(
                good.parse::<FarmName>().map(|n| n.to_string()),
                Ok(good.to_owned())
            );
        }
    }

    #[test]
    fn refuses_what_an_image_tag_refuses() {
        for (bad, error) in [
            ("", NameError::Empty),
            ("Attic", NameError::Character('A')),
            ("a/b", NameError::Character('/')),
            ("-a", NameError::Start),
            ("_a", NameError::Start),
        ] {
            assert_eq!(bad.parse::<FarmName>(), Err(error), "{bad}");
        }
        assert_eq!(
            "a".repeat(MAX_NAME_BYTES + 1).parse::<FarmName>(),
            Err(NameError::TooLong)
        );
    }
}
