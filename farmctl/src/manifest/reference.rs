//! The keys as a chapter of the manual, in Markdown.

use std::fmt::Write as _;

use super::Document;
use super::keys::{Group, Key, Otherwise, Shape};

/// Every key of a document, with what it may hold, what holds otherwise, an example and its meaning.
pub fn reference(document: Document) -> String {
    let mut text = String::new();
    let mut told: Vec<&'static Key> = Vec::new();
    for group in document.groups() {
        // A string takes whatever is written to it.
        let _ = write!(text, "## `{}`\n\n{}\n", group.place, group.meaning);
        let is_told = |key: &&'static Key| told.iter().any(|known| std::ptr::eq(*known, *key));
        let (again, new): (Vec<&'static Key>, Vec<_>) = group.keys().partition(is_told);
        for key in &new {
            let _ = write!(text, "\n{}", entry(key));
        }
        if !again.is_empty() {
            let _ = write!(text, "\nAlso, as above: {}.\n", names(&again));
        }
        text.push('\n');
        told.extend(new);
    }
    text
}

fn names(keys: &[&Key]) -> String {
    let names: Vec<_> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
    names.join(", ")
}

fn entry(key: &Key) -> String {
    let otherwise = match key.otherwise {
        Otherwise::Default(text) => format!("; default `{text}`"),
        Otherwise::Unset => String::new(),
        Otherwise::Required => "; **required**".to_owned(),
    };
    format!(
        "### `{}`\n\n{}\n\n*{}{otherwise}.* Example: `{}: {}`\n",
        key.name,
        key.meaning,
        shape(&key.shape),
        key.name,
        key.example,
    )
}

/// What a key may hold, in words.
fn shape(shape: &Shape) -> String {
    match shape {
        Shape::Text("" | ".") => "text".to_owned(),
        Shape::Text(pattern) => format!("text like `{pattern}`"),
        Shape::Words(words) => words
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", "),
        Shape::Flag => "`true` or `false`".to_owned(),
        Shape::Whole {
            least,
            most: u64::MAX,
        } => format!("a whole number from {least}"),
        Shape::Whole { least, most } => format!("a whole number from {least} to {most}"),
        Shape::Number => "a number above 0".to_owned(),
        Shape::OneOf(shapes) => shapes
            .iter()
            .map(self::shape)
            .collect::<Vec<_>>()
            .join(", or "),
        Shape::Set(item) | Shape::List(item) => format!("one or a list of: {}", self::shape(item)),
        Shape::Keys(group) => format!(
            "a group of keys, see [`{}`](#{})",
            group.place,
            anchor(group)
        ),
        Shape::Named(_, held) => format!("names, each with {}", self::shape(held)),
    }
}

/// As Markdown programs make it of a headline: letters, digits and dashes.
fn anchor(group: &Group) -> String {
    let letters = group.place.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' => Some(c.to_ascii_lowercase()),
        _ => None,
    });
    letters.collect()
}
