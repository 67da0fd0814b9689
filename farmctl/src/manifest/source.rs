//! A YAML text, and places in it.

use std::ops::Range;
use std::sync::Arc;

use super::problem::Problem;
use super::yaml::{self, Node, NodeId, YamlError, YamlErrorKind};

/// A YAML text and what to call it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    name: String,
    text: String,
}

impl Source {
    pub(super) fn new(name: impl Into<String>, text: &str) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            text: text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The tree, or what is wrong and at which byte.
    pub(super) fn read(&self) -> Result<Node, (Problem, usize)> {
        if let Some((offset, control)) = self.text.char_indices().find(|(_, c)| not_yaml(*c)) {
            return Err((Problem::ControlCharacter(control), offset));
        }
        if let Some(offset) = too_deep(&self.text) {
            return Err((Problem::TooDeep, offset));
        }
        yaml::read(&self.text).map_err(|YamlError { kind, offset }| {
            let problem = match kind {
                YamlErrorKind::Syntax(message) => Problem::Syntax(message),
                YamlErrorKind::TooManyValues => Problem::TooManyValues,
                YamlErrorKind::SecondDocument => Problem::SecondDocument,
            };
            (problem, offset.unwrap_or(0))
        })
    }

    /// Line and column of a byte, both counted from 1; the column in characters.
    pub(super) fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }

    /// The token that begins at a byte.
    pub(super) fn token_at(&self, offset: usize) -> Range<usize> {
        let start = self.text.floor_char_boundary(offset);
        let line = self.text[start..].lines().next().unwrap_or_default();
        let before = self.text[..start].lines().next_back().unwrap_or_default();
        start..start + token_length(line, in_brackets(before))
    }
}

/// Characters that YAML 1.2 (5.1, character set) leaves out.
fn not_yaml(c: char) -> bool {
    let allowed_control = matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    (c.is_control() && !allowed_control) || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Where more brackets are open than any manifest needs: the parser's time grows with their number squared.
fn too_deep(text: &str) -> Option<usize> {
    const MOST_OPEN: usize = 200;
    let mut open = 0usize;
    for (offset, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > MOST_OPEN {
            return Some(offset);
        }
    }
    None
}

/// Whether a bracket is open after `before`.
fn in_brackets(before: &str) -> bool {
    before.matches(['[', '{']).count() > before.matches([']', '}']).count()
}

/// How many bytes of `line` belong to the token it begins with; for a token of several lines, the first.
///
/// Only inside brackets does a comma end a word.
fn token_length(line: &str, in_brackets: bool) -> usize {
    let whole = line.trim_end().len();
    match line.chars().next() {
        Some(quote @ ('"' | '\'')) => line[1..].find(quote).map_or(whole, |end| end + 2),
        Some('[' | '{') => closing_bracket(line).unwrap_or(whole),
        _ => plain_length(line, in_brackets),
    }
}

fn closing_bracket(line: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (offset, c) in line.char_indices() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' if depth == 1 => return Some(offset + 1),
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

fn plain_length(line: &str, in_brackets: bool) -> usize {
    let ends = |(offset, c): &(usize, char)| match c {
        ',' | ']' | '}' => in_brackets,
        ':' => line[offset + 1..]
            .chars()
            .next()
            .is_none_or(char::is_whitespace),
        '#' => line[..*offset].ends_with(char::is_whitespace),
        _ => false,
    };
    let end = line
        .char_indices()
        .find(ends)
        .map_or(line.len(), |(offset, _)| offset);
    line[..end].trim_end().len()
}

/// A node of a source.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) source: Arc<Source>,
    pub(super) node: NodeId,
}

impl Spot {
    /// The bytes to underline.
    pub(super) fn range(&self) -> Range<usize> {
        let offset = yaml::locate(self.source.text(), self.node).unwrap_or(0);
        self.source.token_at(offset)
    }
}

/// A value and where it was written.
#[derive(Debug, Clone)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) spot: Spot,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_end_where_a_reader_sees_their_end() {
        for (line, token) in [
            ("farm: attic", "farm"),
            ("attic  # mine", "attic"),
            ("10.0.0.1:3632/4", "10.0.0.1:3632/4"),
            ("a#b", "a#b"),
            ("[16, [14]] # c", "[16, [14]]"),
            ("{ jobs: 4 }, x", "{ jobs: 4 }"),
            ("{ open", "{ open"),
            ("'a b': c", "'a b'"),
            ("\"open", "\"open"),
            ("ryzen,lzo", "ryzen,lzo"),
            ("hosts:", "hosts"),
            ("ä", "ä"),
            ("", ""),
        ] {
            assert_eq!(&line[..token_length(line, false)], token, "{line}");
        }
        for (line, token) in [("16, 14]", "16"), ("a }", "a"), ("b: 1 }", "b")] {
            assert_eq!(&line[..token_length(line, true)], token, "{line}");
        }
    }

    #[test]
    fn a_token_ends_with_its_list() {
        let source = Source::new("x", "a: [b, c]\nd: e, f\n");
        assert_eq!(source.token_at(7), 7..8);
        assert_eq!(source.token_at(13), 13..17);
    }

    #[test]
    fn columns_count_characters() {
        let source = Source::new("x", "\u{feff}a: 1\näö: b\n");
        assert_eq!(source.line_and_column(0), (1, 1));
        assert_eq!(source.line_and_column(11), (2, 5));
    }
}
