//! YAML text to a tree of nodes: the only file that names the YAML crate.
//!
//! The crate tells where something failed, but not where a value that it read stands. So every node gets a number in
//! reading order, and [`locate`] reads the text again and fails on purpose at that number. Nobody pays for positions
//! but a manifest with mistakes.

use std::cell::Cell;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

/// A value with its number in reading order.
#[derive(Debug, PartialEq)]
pub(super) struct Node {
    pub(super) id: NodeId,
    pub(super) value: Value,
}

/// The number of a node: the document is 0, a key comes before its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NodeId(usize);

impl NodeId {
    /// The document itself.
    pub(super) const ROOT: Self = Self(0);
}

/// What a node holds. A map keeps its order and its repeated keys.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    Nothing,
    Flag(bool),
    Whole(i128),
    Fraction(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Tagged,
}

impl Value {
    /// What this is, in words that fit after "found".
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Flag(_) => "a yes-or-no value",
            Self::Whole(_) => "a number",
            Self::Fraction(_) => "a number that is not whole",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a group of keys",
            Self::Tagged => "a value with a YAML tag",
        }
    }
}

/// No manifest needs more values; a few lines of nested aliases unfold into millions.
const MAX_NODES: usize = 20_000;

/// Why a text is no tree.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct YamlError {
    pub(super) kind: YamlErrorKind,
    /// Byte offset, where the parser knows it.
    pub(super) offset: Option<usize>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum YamlErrorKind {
    Syntax(String),
    TooManyValues,
    SecondDocument,
}

/// Reads the only document of `text`; an empty text is a document that holds nothing.
pub(super) fn read(text: &str) -> Result<Node, YamlError> {
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let Some(document) = documents.next() else {
        return Ok(Node {
            id: NodeId::ROOT,
            value: Value::Nothing,
        });
    };
    let count = Cell::new(0);
    let root = Reading {
        count: &count,
        stop: NodeId(MAX_NODES),
    }
    .deserialize(document)
    .map_err(|error| yaml_error(text, &error, count.get()))?;
    match documents.next() {
        None => Ok(root),
        Some(second) => Err(YamlError {
            kind: YamlErrorKind::SecondDocument,
            offset: stopped_at(NodeId::ROOT, second).and_then(|stop| offset(text, &stop)),
        }),
    }
}

/// The byte offset in `text` at which the node `id` begins.
pub(super) fn locate(text: &str, id: NodeId) -> Option<usize> {
    let document = serde_yaml::Deserializer::from_str(text).next()?;
    offset(text, &stopped_at(id, document)?)
}

/// The failure at the node `id`.
fn stopped_at(id: NodeId, document: serde_yaml::Deserializer<'_>) -> Option<serde_yaml::Error> {
    let reading = Reading {
        count: &Cell::new(0),
        stop: id,
    };
    reading.deserialize(document).err()
}

fn yaml_error(text: &str, error: &serde_yaml::Error, nodes: usize) -> YamlError {
    let kind = if nodes > MAX_NODES {
        YamlErrorKind::TooManyValues
    } else {
        let message = error.to_string();
        let end = [" at line ", " at position "]
            .iter()
            .filter_map(|place| message.find(place))
            .min()
            .unwrap_or(message.len());
        YamlErrorKind::Syntax(message[..end].to_owned())
    };
    YamlError {
        kind,
        offset: offset(text, error),
    }
}

fn offset(text: &str, error: &serde_yaml::Error) -> Option<usize> {
    let bytes = error.location()?.index();
    Some(text.floor_char_boundary(bytes))
}

/// Reads one node and everything below it.
#[derive(Clone, Copy)]
struct Reading<'c> {
    /// Nodes met so far.
    count: &'c Cell<usize>,
    /// The node at which reading fails.
    stop: NodeId,
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let id = NodeId(self.count.get());
        self.count.set(id.0 + 1);
        deserializer.deserialize_any(Numbered { reading: self, id })
    }
}

struct Numbered<'c> {
    reading: Reading<'c>,
    id: NodeId,
}

impl Numbered<'_> {
    /// The node, or the failure asked for.
    fn holding<E: Error>(self, value: Value) -> Result<Node, E> {
        self.check()?;
        Ok(Node { id: self.id, value })
    }

    fn check<E: Error>(&self) -> Result<(), E> {
        if self.id == self.reading.stop {
            return Err(E::custom("stopped here"));
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Numbered<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        self.holding(Value::Nothing)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        self.holding(Value::Nothing)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Node, E> {
        self.holding(Value::Flag(flag))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        self.holding(Value::Whole(number.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Node, E> {
        self.holding(Value::Whole(number.into()))
    }

    fn visit_u128<E: Error>(self, number: u128) -> Result<Node, E> {
        self.holding(Value::Whole(number.try_into().unwrap_or(i128::MAX)))
    }

    fn visit_i128<E: Error>(self, number: i128) -> Result<Node, E> {
        self.holding(Value::Whole(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Node, E> {
        self.holding(Value::Fraction(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        self.holding(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        self.check()?;
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element_seed(self.reading)? {
            nodes.push(node);
        }
        self.holding(Value::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        self.check()?;
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry_seed(self.reading, self.reading)? {
            entries.push(entry);
        }
        self.holding(Value::Map(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Node, A::Error> {
        self.check()?;
        let (IgnoredAny, content) = tagged.variant()?;
        let IgnoredAny = content.newtype_variant()?;
        self.holding(Value::Tagged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where every node begins, as `line:column` counted from 1.
    fn places(text: &str) -> Vec<String> {
        (0..)
            .map_while(|id| locate(text, NodeId(id)))
            .map(|offset| {
                let before = &text[..offset];
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
                format!("{line}:{column}")
            })
            .collect()
    }

    #[test]
    fn every_node_knows_its_place() {
        let text = "# ä\nfarm: attic\nhosts:\n  böx: { jobs: [1, \"ü\"] }\n  nas:\nallow: &a [x]\n";
        assert_eq!(
            places(text),
            [
                "2:1", "2:1", "2:7", "3:1", "4:3", "4:3", "4:8", "4:10", "4:16", "4:17", "4:20",
                "5:3", "5:7", "6:1", "6:8", "6:12"
            ]
        );
    }

    #[test]
    fn repeated_keys_are_kept() {
        let Ok(Node {
            value: Value::Map(entries),
            ..
        }) = read("a: 1\na: 2\n")
        else {
            panic!("no map")
        };
        assert_eq!(entries.len(), 2);
    }

    #[test]
    fn scalars_keep_their_kind() {
        for (text, value) in [
            ("", Value::Nothing),
            ("~", Value::Nothing),
            ("true", Value::Flag(true)),
            ("-3", Value::Whole(-3)),
            ("1.5", Value::Fraction(1.5)),
            ("16GiB", Value::Text("16GiB".to_owned())),
            ("'14'", Value::Text("14".to_owned())),
            ("!x 1", Value::Tagged),
        ] {
            assert_eq!(read(text).unwrap().value, value, "{text}");
        }
    }

    #[test]
    fn nested_aliases_are_stopped() {
        let level = |level: usize| {
            let below = [format!("*a{}", level - 1).as_str(); 9].join(", ");
            format!("a{level}: &a{level} [{below}]\n")
        };
        let bomb: Vec<String> = (1..20).map(level).collect();
        let bomb = "a0: &a0 [x]\n".to_owned() + &bomb.concat();
        let error = read(&bomb).unwrap_err();
        assert_eq!(error.kind, YamlErrorKind::TooManyValues);
    }

    #[test]
    fn an_alias_of_itself_is_an_error() {
        assert!(read("a: &a [*a]").is_err());
    }

    #[test]
    fn a_second_document_is_an_error() {
        assert_eq!(
            read("a: 1\n---\nb: 2\n").unwrap_err().kind,
            YamlErrorKind::SecondDocument
        );
        assert!(read("---\na: 1\n...\n").is_ok());
    }

    #[test]
    fn a_syntax_error_has_a_place() {
        let error = read("farm: attic\nhosts: {\n").unwrap_err();
        assert_eq!(
            error,
            YamlError {
                kind: YamlErrorKind::Syntax("did not find expected node content".to_owned()),
                offset: Some(21),
            }
        );
    }
}
