//! The keys as a JSON Schema, for editors and for programs that write manifests.

use serde_json::{Map, Value as Json, json};

use super::Document;
use super::error::Findings;
use super::keys::{Group, Key, Names, Otherwise, Shape};
use super::toolchains::Catalogue;
use super::yaml::{self, Node, Value};

/// The JSON Schema (2020-12) of a document. Whatever farmctl accepts, the schema accepts; references between keys, such
/// as the versions that a target has, only farmctl knows.
pub fn schema(document: Document) -> Json {
    let schema = Schema {
        targets: Catalogue::load(None, &mut Findings::default()).names(),
    };
    let groups = document.groups();
    let mut root = Map::new();
    root.insert("$schema".to_owned(), json!(DIALECT));
    root.insert("title".to_owned(), json!(title(document)));
    let (outermost, inner) = groups.split_at(1);
    root.extend(outermost.iter().flat_map(|group| schema.group(group)));
    let definitions = inner
        .iter()
        .map(|group| (group.name.to_owned(), Json::Object(schema.group(group))));
    root.insert("$defs".to_owned(), Json::Object(definitions.collect()));
    Json::Object(root)
}

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

fn title(document: Document) -> &'static str {
    match document {
        Document::Manifest => "farm.yaml of farmctl",
        Document::TargetFile => "a target of farmctl",
    }
}

struct Schema {
    /// Names that are offered where a target is named; others may be added by files.
    targets: Vec<String>,
}

impl Schema {
    fn group(&self, group: &Group) -> Map<String, Json> {
        let properties: Map<_, _> = group
            .keys()
            .map(|key| (key.name.to_owned(), self.key(key)))
            .collect();
        let required: Vec<_> = group
            .keys()
            .filter(|key| key.otherwise == Otherwise::Required)
            .map(|key| key.name)
            .collect();
        let mut schema = Map::new();
        schema.insert("description".to_owned(), json!(group.meaning));
        if required.is_empty() {
            schema.insert("type".to_owned(), json!(["object", "null"]));
        } else {
            schema.insert("type".to_owned(), json!("object"));
            schema.insert("required".to_owned(), json!(required));
        }
        schema.insert("properties".to_owned(), Json::Object(properties));
        schema.insert("additionalProperties".to_owned(), json!(false));
        schema
    }

    /// A key that holds nothing counts as absent.
    fn key(&self, key: &Key) -> Json {
        let mut choices = self.choices(&key.shape);
        if key.otherwise != Otherwise::Required {
            choices.push(json!({ "type": "null" }));
        }
        let mut schema = Map::new();
        schema.insert("description".to_owned(), json!(key.meaning));
        if let Otherwise::Default(text) = key.otherwise {
            schema.insert("default".to_owned(), value_of(text));
        }
        schema.insert("examples".to_owned(), json!([value_of(key.example)]));
        schema.insert("anyOf".to_owned(), Json::Array(choices));
        Json::Object(schema)
    }

    fn choices(&self, shape: &Shape) -> Vec<Json> {
        match shape {
            Shape::Text(pattern) => vec![json!({ "type": "string", "pattern": pattern })],
            Shape::Words(words) => vec![json!({ "enum": words })],
            Shape::Flag => vec![json!({ "type": "boolean" })],
            Shape::Whole { least, most } => {
                vec![json!({ "type": "integer", "minimum": least, "maximum": most })]
            }
            Shape::Number => vec![json!({ "type": "number", "exclusiveMinimum": 0 })],
            Shape::OneOf(shapes) => shapes
                .iter()
                .flat_map(|shape| self.choices(shape))
                .collect(),
            Shape::Set(item) => self.list(item, true),
            Shape::List(item) => self.list(item, false),
            Shape::Keys(group) => vec![json!({ "$ref": format!("#/$defs/{}", group.name) })],
            Shape::Named(names, held) => vec![self.named(names, held)],
        }
    }

    /// A value alone stands for a list of one.
    fn list(&self, item: &Shape, is_set: bool) -> Vec<Json> {
        let mut choices = self.choices(item);
        let mut list = json!({ "type": "array", "items": any_of(choices.clone()) });
        if is_set && let Some(list) = list.as_object_mut() {
            list.insert("minItems".to_owned(), json!(1));
            list.insert("uniqueItems".to_owned(), json!(true));
        }
        choices.push(list);
        choices
    }

    fn named(&self, names: &Names, held: &Shape) -> Json {
        let held = any_of(self.choices(held));
        match names {
            Names::Matching(pattern) => json!({
                "type": "object",
                "minProperties": 1,
                "propertyNames": { "pattern": pattern },
                "additionalProperties": held,
            }),
            Names::Targets => {
                let known = self.targets.iter().map(|name| (name.clone(), held.clone()));
                json!({
                    "type": "object",
                    "minProperties": 1,
                    "properties": Json::Object(known.collect()),
                    "additionalProperties": held,
                })
            }
        }
    }
}

fn any_of(mut choices: Vec<Json>) -> Json {
    match choices.len() {
        1 => choices.remove(0),
        _ => json!({ "anyOf": choices }),
    }
}

/// YAML from the description of a key.
fn value_of(text: &str) -> Json {
    yaml::read(text).map_or(Json::Null, |node| json(&node))
}

fn json(node: &Node) -> Json {
    match &node.value {
        Value::Nothing | Value::Tagged => Json::Null,
        Value::Flag(flag) => json!(flag),
        Value::Whole(number) => i64::try_from(*number).map_or(Json::Null, |number| json!(number)),
        Value::Fraction(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(entries) => {
            let entries = entries.iter().filter_map(|(key, held)| match &key.value {
                Value::Text(key) => Some((key.clone(), json(held))),
                Value::Whole(key) => Some((key.to_string(), json(held))),
                _ => None,
            });
            Json::Object(entries.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_and_default_is_yaml() {
        for document in [Document::Manifest, Document::TargetFile] {
            for key in document.groups().iter().flat_map(|group| group.keys()) {
                assert!(!value_of(key.example).is_null(), "{}", key.name);
                if let Otherwise::Default(text) = key.otherwise {
                    assert!(!value_of(text).is_null(), "{}", key.name);
                }
            }
        }
    }
}
