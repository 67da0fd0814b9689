//! YAML as people write it: keys in a chosen order, short lists on one line, quotes only where they are needed.

use std::fmt::Write as _;

/// A piece of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Yaml {
    /// A text, quoted if it could be read as anything else.
    Text(String),
    /// A number or a truth value, as it is written.
    Plain(String),
    /// Values in their order.
    List(Vec<Self>),
    /// Keys in their order.
    Map(Vec<(String, Self)>),
    /// A map that others may refer to by a name.
    Named(&'static str, Vec<(String, Self)>),
    /// A map that has a name.
    Alias(&'static str),
}

/// A list on one line is no longer than this.
const COLUMNS: usize = 110;

/// The key that stands for all keys of another map.
const MERGE: &str = "<<";

impl Yaml {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn number(number: impl Into<i64>) -> Self {
        Self::Plain(number.into().to_string())
    }

    pub(super) fn flag(flag: bool) -> Self {
        Self::Plain(flag.to_string())
    }

    pub(super) fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }

    pub(super) fn map<const N: usize>(entries: [(&str, Self); N]) -> Self {
        Self::Map(Self::entries(entries))
    }

    pub(super) fn entries<const N: usize>(entries: [(&str, Self); N]) -> Vec<(String, Self)> {
        entries
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect()
    }

    /// What a map has in common with another one of this name.
    pub(super) fn merged(name: &'static str) -> (String, Self) {
        (MERGE.to_owned(), Self::Alias(name))
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::List(items) => items.is_empty(),
            Self::Map(entries) | Self::Named(_, entries) => entries.is_empty(),
            Self::Text(_) | Self::Plain(_) | Self::Alias(_) => false,
        }
    }

    /// The document with this map at its top.
    pub(super) fn document(entries: &[(String, Self)]) -> String {
        let mut out = String::new();
        for (key, value) in entries {
            value.write_entry(key, 0, &mut out);
        }
        out
    }

    fn write_entry(&self, key: &str, indent: usize, out: &mut String) {
        let key = if key == MERGE {
            key.to_owned()
        } else {
            scalar(key)
        };
        let _infallible = write!(out, "{:indent$}{key}:", "");
        if let Some(text) = self.inline(indent + key.len() + 2) {
            let _infallible = writeln!(out, " {text}");
        } else if let Some(items) = self.scalars() {
            write_wrapped(&items, indent, out);
        } else {
            if let Self::Named(name, _) = self {
                let _infallible = write!(out, " &{name}");
            }
            out.push('\n');
            self.write_block(indent + 2, out);
        }
    }

    fn write_block(&self, indent: usize, out: &mut String) {
        match self {
            Self::Map(entries) | Self::Named(_, entries) => {
                for (key, value) in entries {
                    value.write_entry(key, indent, out);
                }
            }
            Self::List(items) => {
                for item in items {
                    item.write_item(indent, out);
                }
            }
            Self::Text(_) | Self::Plain(_) | Self::Alias(_) => {}
        }
    }

    fn write_item(&self, indent: usize, out: &mut String) {
        if let Some(text) = self.inline(indent + 2) {
            let _infallible = writeln!(out, "{:indent$}- {text}", "");
            return;
        }
        // The first key stands behind the dash.
        let mut block = String::new();
        self.write_block(indent + 2, &mut block);
        let _infallible = write!(out, "{:indent$}- {}", "", block.trim_start());
    }

    /// On one line that begins at this column, if it fits.
    fn inline(&self, column: usize) -> Option<String> {
        match self {
            Self::Text(text) => Some(scalar(text)),
            Self::Plain(text) => Some(text.clone()),
            Self::Alias(name) => Some(format!("*{name}")),
            Self::Map(entries) => entries.is_empty().then(|| "{}".to_owned()),
            Self::Named(..) => None,
            Self::List(_) => {
                let line = format!("[{}]", self.scalars()?.join(", "));
                (column + line.len() <= COLUMNS).then_some(line)
            }
        }
    }

    /// The items of a list of texts and numbers, as they are written.
    fn scalars(&self) -> Option<Vec<String>> {
        let Self::List(items) = self else {
            return None;
        };
        let written = |item: &Self| match item {
            Self::Text(text) => Some(scalar(text)),
            Self::Plain(text) => Some(text.clone()),
            _ => None,
        };
        items.iter().map(written).collect()
    }
}

/// A list that is too long for one line, on several.
fn write_wrapped(items: &[String], indent: usize, out: &mut String) {
    out.push_str(" [\n");
    let indent = indent + 2;
    for line in wrapped(items, ", ", COLUMNS - indent) {
        let _infallible = writeln!(out, "{:indent$}{line},", "");
    }
    let _infallible = writeln!(out, "{:1$}]", "", indent - 2);
}

/// As few lines as hold the words, of these many columns at the most where words are not longer.
pub(super) fn wrapped(words: &[String], separator: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.len() + separator.len() + word.len() < columns => {
                line.push_str(separator);
                line.push_str(word);
            }
            _ => lines.push(word.clone()),
        }
    }
    lines
}

/// What YAML 1.1 takes for truth values and nothing, in all their spellings.
const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// A text as a key or a value, also inside a list on one line.
fn scalar(text: &str) -> String {
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '_'));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
    if starts_well
        && text.chars().all(plain)
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
    {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// JSON's quotes are YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_laid_out_as_people_write_it() {
        let common = Yaml::entries([("read_only", Yaml::flag(true))]);
        let service = vec![
            Yaml::merged("volunteer"),
            ("restart".to_owned(), Yaml::text("no")),
            (
                "command".to_owned(),
                Yaml::texts(["--port", "3635", "a: b"]),
            ),
            ("labels".to_owned(), Yaml::map([])),
            (
                "mounts".to_owned(),
                Yaml::List(vec![Yaml::map([
                    ("type", Yaml::text("tmpfs")),
                    ("size", Yaml::number(5)),
                ])]),
            ),
            ("long".to_owned(), Yaml::texts(vec!["x".repeat(40); 4])),
        ];
        let document = Yaml::document(&Yaml::entries([
            ("x-volunteer", Yaml::Named("volunteer", common)),
            ("armv7h", Yaml::Map(service)),
        ]));
        let x = "x".repeat(40);
        assert_eq!(
            document,
            format!(
                "x-volunteer: &volunteer\n  read_only: true\narmv7h:\n  <<: *volunteer\n  restart: \"no\"\n  \
                 command: [\"--port\", \"3635\", \"a: b\"]\n  labels: {{}}\n  mounts:\n    - type: tmpfs\n      \
                 size: 5\n  long: [\n    {x}, {x},\n    {x}, {x},\n  ]\n"
            )
        );
    }

    #[test]
    fn texts_stay_texts() {
        for text in [
            "yes", "NO", "3", "1e3", "", "- a", "a: b", "#", "~", "\"", "\n", "é",
        ] {
            let read: serde_json::Value = serde_json::from_str(&scalar(text)).unwrap();
            assert_eq!(read, text);
        }
        for text in ["armv7h", "/tmp", "farmctl/armv7h"] {
            assert_eq!(scalar(text), text);
        }
    }
}
