//! Reads a document by hand, key by key, and notes every mistake instead of stopping at the first.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::Findings;
use super::keys::{Group, Key, Otherwise};
use super::problem::{KEYS, Problem};
use super::source::{Located, Source, Spot};
use super::values;
use super::yaml::{Node, NodeId, Value};

/// Judges a value.
pub(super) type Parse<T> = fn(&Value) -> Result<T, Problem>;

/// One document and where its mistakes go.
pub(super) struct Reader<'f> {
    source: Arc<Source>,
    findings: &'f mut Findings,
}

impl<'f> Reader<'f> {
    /// A reader of `source` and the document's root; `None` once it is noted that the text is no YAML.
    pub(super) fn open(source: &Arc<Source>, findings: &'f mut Findings) -> Option<(Self, Node)> {
        match source.read() {
            Ok(root) => {
                let source = Arc::clone(source);
                Some((Self { source, findings }, root))
            }
            Err((problem, offset)) => {
                findings.at_byte(problem, source, offset);
                None
            }
        }
    }

    /// The keys of a group whose names farmctl knows.
    pub(super) fn fields<'r, 'n>(
        &'r mut self,
        node: &'n Node,
        group: &'static Group,
    ) -> Fields<'r, 'f, 'n> {
        let mut fields = Fields {
            node: node.id,
            left: self.entries(node, values::text),
            group,
            reader: self,
        };
        fields.require();
        fields
    }

    /// The keys of a group that are of its author's choice, each with what it holds; none of them twice.
    pub(super) fn entries<'n, K: Ord + ToString>(
        &mut self,
        node: &'n Node,
        parse: Parse<K>,
    ) -> Vec<(Located<K>, &'n Node)> {
        let entries = self.all_entries(node, parse);
        let named = entries
            .into_iter()
            .filter_map(|(key, held)| Some((key?, held)));
        let entries = named.collect();
        self.without_repeats(entries, |(key, _)| Some(key))
    }

    /// Every entry of a group, also those whose names are refused: what they hold may be wrong as well.
    fn all_entries<'n, K>(
        &mut self,
        node: &'n Node,
        parse: Parse<K>,
    ) -> Vec<(Option<Located<K>>, &'n Node)> {
        let pairs = match &node.value {
            Value::Map(pairs) => pairs.as_slice(),
            Value::Nothing => &[],
            other => {
                self.note(values::kind(KEYS, other), node.id);
                &[]
            }
        };
        pairs
            .iter()
            .map(|(key, held)| (self.located(key, parse), held))
            .collect()
    }

    /// As [`Fields::group`], of what `key` holds.
    pub(super) fn group<K: Ord + ToString, S>(
        &mut self,
        key: &'static str,
        node: &Node,
        name: Parse<K>,
        section: fn(&Node, &mut Reader<'_>) -> S,
    ) -> Vec<(Option<Located<K>>, S)> {
        refuse_empty(key, node, self);
        let entries = self.all_entries(node, name);
        let sections = entries
            .into_iter()
            .map(|(name, held)| (name, section(held, self)))
            .collect();
        self.without_repeats(sections, |(name, _)| name.as_ref())
    }

    /// The accepted values of a list; a value alone stands for a list of one.
    pub(super) fn list<T>(&mut self, node: &Node, parse: Parse<T>) -> Vec<Located<T>> {
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        items
            .iter()
            .filter_map(|item| self.located(item, parse))
            .collect()
    }

    /// A list as [`Self::list`] reads it, in which nothing may be twice.
    pub(super) fn set<T: Ord + ToString>(
        &mut self,
        node: &Node,
        parse: Parse<T>,
    ) -> Vec<Located<T>> {
        let items = self.list(node, parse);
        self.without_repeats(items, |item| Some(item))
    }

    /// A value with its place, if `parse` accepts it.
    pub(super) fn located<T>(&mut self, node: &Node, parse: Parse<T>) -> Option<Located<T>> {
        match parse(&node.value) {
            Ok(value) => Some(Located {
                value,
                spot: self.spot(node.id),
            }),
            Err(problem) => {
                self.note(problem, node.id);
                None
            }
        }
    }

    pub(super) fn note(&mut self, problem: Problem, node: NodeId) {
        let spot = self.spot(node);
        self.findings.at(problem, &spot);
    }

    pub(super) fn spot(&self, node: NodeId) -> Spot {
        Spot {
            source: Arc::clone(&self.source),
            node,
        }
    }

    /// The items that were not there before; the others are noted together with the first of their kind. What has no
    /// name is never there before.
    fn without_repeats<I, T: Ord + ToString>(
        &mut self,
        items: Vec<I>,
        name: fn(&I) -> Option<&Located<T>>,
    ) -> Vec<I> {
        let mut first_of: BTreeMap<&T, &Spot> = BTreeMap::new();
        let mut keep = Vec::with_capacity(items.len());
        for item in &items {
            let Some(Located { value, spot }) = name(item) else {
                keep.push(true);
                continue;
            };
            let first = *first_of.entry(value).or_insert(spot);
            keep.push(std::ptr::eq(first, spot));
            if !std::ptr::eq(first, spot) {
                self.findings
                    .clash(Problem::Repeated(value.to_string()), spot, first);
            }
        }
        let mut keep = keep.into_iter();
        items
            .into_iter()
            .filter(|_| keep.next().unwrap_or(true))
            .collect()
    }
}

/// The keys of one group: each is taken by its name, and what is left at the end is unknown.
///
/// A key that holds nothing counts as absent.
pub(super) struct Fields<'r, 'f, 'n> {
    node: NodeId,
    left: Vec<(Located<String>, &'n Node)>,
    group: &'static Group,
    reader: &'r mut Reader<'f>,
}

impl Fields<'_, '_, '_> {
    /// Notes which keys are not there that must be.
    fn require(&mut self) {
        let required = |key: &&Key| key.otherwise == Otherwise::Required;
        for key in self.group.keys().filter(required) {
            let there = |(name, held): &(Located<String>, &Node)| {
                name.value == key.name && held.value != Value::Nothing
            };
            if !self.left.iter().any(there) {
                self.reader.note(Problem::MissingKey(key.name), self.node);
            }
        }
    }

    /// A value, if `parse` accepts it.
    pub(super) fn value<T>(&mut self, key: &'static str, parse: Parse<T>) -> Option<T> {
        self.located(key, parse).map(|located| located.value)
    }

    /// A value with its place, if `parse` accepts it.
    pub(super) fn located<T>(&mut self, key: &'static str, parse: Parse<T>) -> Option<Located<T>> {
        self.section(key, |node, reader| reader.located(node, parse))
            .flatten()
    }

    /// The accepted values of a list.
    pub(super) fn list<T>(&mut self, key: &'static str, parse: Parse<T>) -> Option<Vec<T>> {
        self.section(key, |node, reader| {
            let items = reader.list(node, parse);
            items.into_iter().map(|item| item.value).collect()
        })
    }

    /// The accepted values of a list that neither is empty nor holds anything twice.
    pub(super) fn set<T: Ord + ToString>(
        &mut self,
        key: &'static str,
        parse: Parse<T>,
    ) -> Option<Vec<Located<T>>> {
        self.section(key, |node, reader| {
            refuse_empty(key, node, reader);
            reader.set(node, parse)
        })
    }

    /// A group whose keys are names of its author's choice, each with a section of its own; never empty. A section
    /// whose name is refused is read all the same.
    pub(super) fn group<K: Ord + ToString, S>(
        &mut self,
        key: &'static str,
        name: Parse<K>,
        section: fn(&Node, &mut Reader<'_>) -> S,
    ) -> Option<Vec<(Option<Located<K>>, S)>> {
        self.section(key, |node, reader| reader.group(key, node, name, section))
    }

    /// Whatever `read` makes of what `key` holds.
    pub(super) fn section<S>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Node, &mut Reader<'_>) -> S,
    ) -> Option<S> {
        debug_assert!(self.group.has(key), "nobody describes the key {key}");
        let index = self.left.iter().position(|(name, _)| name.value == key)?;
        let (_, node) = self.left.remove(index);
        (node.value != Value::Nothing).then(|| read(node, self.reader))
    }

    /// Refuses the keys that nobody asked for.
    pub(super) fn close(self) {
        for (key, _) in self.left {
            let problem = Problem::UnknownKey {
                elsewhere: self.group.elsewhere(&key.value),
                known: self.group.keys().map(|key| key.name).collect(),
                key: key.value,
            };
            self.reader.findings.at(problem, &key.spot);
        }
    }
}

/// An empty list or group is more likely a mistake than a wish.
pub(super) fn refuse_empty(key: &'static str, node: &Node, reader: &mut Reader<'_>) {
    let empty = match &node.value {
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        _ => false,
    };
    if empty {
        reader.note(Problem::Empty(key), node.id);
    }
}
