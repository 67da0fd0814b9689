//! As much of JSON Schema 2020-12 as farmctl's own schemas use. A keyword that it does not know fails the test, so that
//! nothing is passed over.

use regex::Regex;
use serde_json::{Map, Value};

/// A schema with its definitions.
pub(crate) struct Validator(Value);

impl Validator {
    pub(crate) fn new(schema: Value) -> Self {
        Self(schema)
    }

    pub(crate) fn is_valid(&self, document: &Value) -> bool {
        self.check(&self.0, document).is_ok()
    }

    /// The first reason why not.
    pub(crate) fn reason(&self, document: &Value) -> Option<String> {
        self.check(&self.0, document).err()
    }

    fn check(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let Value::Object(schema) = schema else {
            return if *schema == Value::Bool(false) {
                Err(format!("{value} is not allowed here"))
            } else {
                panic!("{schema} is no schema")
            };
        };
        for (keyword, wanted) in schema {
            if !self.holds(keyword, wanted, schema, value)? {
                return Err(format!("{value} has not the {keyword} {wanted}"));
            }
        }
        Ok(())
    }

    fn holds(
        &self,
        keyword: &str,
        wanted: &Value,
        schema: &Map<String, Value>,
        value: &Value,
    ) -> Result<bool, String> {
        Ok(match (keyword, value) {
            (annotation, _) if ANNOTATIONS.contains(&annotation) => true,
            ("$ref", _) => {
                let path = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                self.check(self.0.pointer(path).unwrap(), value)?;
                true
            }
            ("anyOf", _) => {
                let mut choices = wanted.as_array().unwrap().iter();
                choices.any(|choice| self.check(choice, value).is_ok())
            }
            ("enum", _) => wanted.as_array().unwrap().contains(value),
            ("type", _) => match wanted {
                Value::Array(types) => types.iter().any(|one| is_of(one, value)),
                one => is_of(one, value),
            },
            ("pattern", Value::String(text)) => matches(wanted, text),
            ("minimum", Value::Number(number)) => number.as_f64() >= wanted.as_f64(),
            ("maximum", Value::Number(number)) => number.as_f64() <= wanted.as_f64(),
            ("exclusiveMinimum", Value::Number(number)) => number.as_f64() > wanted.as_f64(),
            ("items", Value::Array(items)) => {
                items.iter().try_for_each(|item| self.check(wanted, item))?;
                true
            }
            ("minItems", Value::Array(items)) => items.len() as u64 >= wanted.as_u64().unwrap(),
            ("uniqueItems", Value::Array(items)) => {
                (1..items.len()).all(|index| !items[..index].contains(&items[index]))
            }
            ("minProperties", Value::Object(held)) => held.len() as u64 >= wanted.as_u64().unwrap(),
            ("required", Value::Object(held)) => {
                let mut names = wanted.as_array().unwrap().iter();
                names.all(|name| held.contains_key(name.as_str().unwrap()))
            }
            ("propertyNames", Value::Object(held)) => {
                held.keys().all(|name| matches(&wanted["pattern"], name))
            }
            ("properties", Value::Object(held)) => {
                let described = wanted.as_object().unwrap();
                for (name, value) in held {
                    if let Some(schema) = described.get(name) {
                        self.check(schema, value)?;
                    }
                }
                true
            }
            ("additionalProperties", Value::Object(held)) => {
                let described = schema.get("properties");
                let is_described =
                    |name: &str| described.is_some_and(|all| all.get(name).is_some());
                for (_, value) in held.iter().filter(|(name, _)| !is_described(name)) {
                    self.check(wanted, value)?;
                }
                true
            }
            (
                "pattern"
                | "minimum"
                | "maximum"
                | "exclusiveMinimum"
                | "items"
                | "minItems"
                | "uniqueItems"
                | "minProperties"
                | "required"
                | "propertyNames"
                | "properties"
                | "additionalProperties",
                _,
            ) => true,
            (unknown, _) => panic!("the validator does not know {unknown}"),
        })
    }
}

const ANNOTATIONS: [&str; 6] = [
    "$schema",
    "title",
    "description",
    "default",
    "examples",
    "$defs",
];

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("there is no type {other}"),
    }
}

fn matches(pattern: &Value, text: &str) -> bool {
    Regex::new(pattern.as_str().unwrap())
        .unwrap()
        .is_match(text)
}
