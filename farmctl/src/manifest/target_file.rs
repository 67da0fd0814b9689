//! One file of `toolchains/`: what a target is and where its compilers come from.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use volunteer_toolchain::ObjectFacts;

use crate::farm::{Port, Target, TargetName};

use super::error::Findings;
use super::gcc_section::GccSection;
use super::keys;
use super::problem::Problem;
use super::reader::Reader;
use super::source::{Located, Source, Spot};
use super::values;
use super::yaml::{Node, NodeId, Value};

/// A target as its file describes it.
#[derive(Debug)]
pub(super) struct TargetFile {
    /// Its name, then its aliases.
    pub(super) names: Vec<Located<String>>,
    /// Where its port is written.
    pub(super) port: Spot,
    /// Whether only a manifest that names it brings it into a farm.
    pub(super) only_if_named: bool,
    /// `None` if the file has mistakes, which are noted then.
    pub(super) target: Option<Arc<Target>>,
}

impl TargetFile {
    /// Reads `source`; what its `gcc` group leaves open, `common` says. `None` if not even the name can be read.
    pub(super) fn read(
        source: &Arc<Source>,
        common: &GccSection,
        findings: &mut Findings,
    ) -> Option<Self> {
        let (mut reader, root) = Reader::open(source, findings)?;
        let sections = Sections::read(&root, &mut reader);
        let name = sections.name.clone()?;
        let port = sections.port.as_ref().map_or(&name.spot, |port| &port.spot);
        Some(Self {
            names: std::iter::once(&name)
                .chain(&sections.aliases)
                .map(|name| Located {
                    value: name.value.to_string(),
                    spot: name.spot.clone(),
                })
                .collect(),
            port: port.clone(),
            only_if_named: sections.only_if_named,
            target: sections.target(common, &mut reader).map(Arc::new),
        })
    }
}

/// The file as written, every value judged alone.
struct Sections {
    name: Option<Located<TargetName>>,
    aliases: Vec<Located<TargetName>>,
    port: Option<Located<Port>>,
    only_if_named: bool,
    carch: Option<String>,
    triples: Option<Vec<Located<String>>>,
    object: Option<ObjectFacts>,
    defaults: Vec<String>,
    gcc: GccSection,
}

impl Sections {
    fn read(root: &Node, reader: &mut Reader<'_>) -> Self {
        let mut fields = reader.fields(root, &keys::TARGET_FILE);
        let sections = Self {
            name: fields.located("target", values::parsed),
            aliases: fields.set("aliases", values::parsed).unwrap_or_default(),
            port: fields.located("port", values::number::<u64, _>),
            only_if_named: fields
                .value("only_if_named", values::flag)
                .unwrap_or_default(),
            carch: fields.value("carch", values::word),
            triples: fields.set("triples", values::word),
            object: fields.section("object", object_facts).flatten(),
            defaults: fields
                .list("defaults", values::compiler_option)
                .unwrap_or_default(),
            gcc: fields.section("gcc", GccSection::read).unwrap_or_default(),
        };
        fields.close();
        sections
    }

    fn target(self, common: &GccSection, reader: &mut Reader<'_>) -> Option<Target> {
        let (gcc, default_gcc) = self
            .gcc
            .or(common)
            .sources()
            .map_err(|problem| reader.note(problem, NodeId::ROOT))
            .ok()?;
        Some(Target {
            name: self.name?.value,
            aliases: texts(&self.aliases),
            port: self.port?.value,
            carch: self.carch?,
            triples: texts(&self.triples?),
            object: self.object?,
            defaults: self.defaults,
            gcc,
            default_gcc,
        })
    }
}

fn texts<T: ToString>(items: &[Located<T>]) -> Vec<String> {
    items.iter().map(|item| item.value.to_string()).collect()
}

fn object_facts(node: &Node, reader: &mut Reader<'_>) -> Option<ObjectFacts> {
    let mut fields = reader.fields(node, &keys::OBJECT);
    let class = fields.value("class", variant);
    let machine = fields.value("machine", variant);
    let attributes = fields.section("attributes", |node, reader| {
        let entries = reader.entries(node, values::text);
        entries
            .into_iter()
            .filter_map(|(name, held)| {
                Some((name.value, reader.located(held, values::text)?.value))
            })
            .collect()
    });
    fields.close();
    Some(ObjectFacts {
        class: class?,
        machine: machine?,
        attributes: attributes.unwrap_or_default(),
    })
}

/// One of the words that a type without data is written with.
fn variant<T: for<'de> Deserialize<'de>>(value: &Value) -> Result<T, Problem> {
    let word = values::text(value)?;
    T::deserialize(word.as_str().into_deserializer())
        .map_err(|error: serde::de::value::Error| Problem::Word(error.to_string()))
}
