//! What something is made of, as a document that other tools read: a bill of materials in the language of `CycloneDX`
//! 1.6 (ECMA-424), JSON.
//!
//! The same parts give the same bytes: the serial number is derived from the content, and a time is in it only if
//! somebody gives one. Nothing here knows where the parts come from.

mod package_url;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub use package_url::{cargo_url, debian_url};

/// A part, or the whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Component {
    /// What kind of thing it is.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// How others refer to it, inside the document only.
    #[serde(rename = "bom-ref")]
    pub reference: String,
    /// Its name.
    pub name: String,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its SHA-256, in hexadecimal digits.
    #[serde(rename = "hashes", serialize_with = "hashes")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Its licence, as an SPDX expression.
    #[serde(rename = "licenses", serialize_with = "licences")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Its package URL.
    #[serde(rename = "purl", skip_serializing_if = "Option::is_none")]
    pub package_url: Option<String>,
}

/// The kinds of things that we have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A program.
    Application,
    /// An image.
    Container,
    /// Several images that work together.
    Platform,
    /// A package or a crate.
    Library,
    /// An archive.
    File,
}

#[expect(clippy::ref_option, reason = "serde calls it like this")]
fn hashes<S: serde::Serializer>(sha256: &Option<String>, out: S) -> Result<S::Ok, S::Error> {
    json!([{ "alg": "SHA-256", "content": sha256 }]).serialize(out)
}

#[expect(clippy::ref_option, reason = "serde calls it like this")]
fn licences<S: serde::Serializer>(expression: &Option<String>, out: S) -> Result<S::Ok, S::Error> {
    json!([{ "expression": expression }]).serialize(out)
}

/// A bill of materials.
#[derive(Debug)]
pub struct Bill {
    whole: Component,
    parts: BTreeMap<String, Component>,
    needs: BTreeMap<String, BTreeSet<String>>,
}

impl Bill {
    /// Of something that has no parts yet.
    pub fn new(whole: Component) -> Self {
        Self {
            whole,
            parts: BTreeMap::new(),
            needs: BTreeMap::new(),
        }
    }

    /// What all parts are together.
    pub fn whole(&self) -> &str {
        &self.whole.reference
    }

    /// Adds a part; one that is there already is the same one.
    pub fn part(&mut self, part: Component) {
        self.parts.insert(part.reference.clone(), part);
    }

    /// Says that `who` is made of `what`.
    pub fn needs(&mut self, who: &str, what: &str) {
        let needs = self.needs.entry(who.to_owned()).or_default();
        needs.insert(what.to_owned());
    }

    /// The document, with the time at which it was made if that is known (RFC 3339).
    pub fn document(&self, time: Option<&str>) -> Value {
        let everything = std::iter::once(self.whole()).chain(self.parts.keys().map(String::as_str));
        let dependencies = everything.map(|reference| {
            let needs = self.needs.get(reference).into_iter().flatten();
            json!({ "ref": reference, "dependsOn": needs.collect::<Vec<_>>() })
        });
        let mut metadata = json!({ "component": self.whole });
        if let Some(time) = time {
            metadata["timestamp"] = time.into();
        }
        let mut document = json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": metadata,
            "components": self.parts.values().collect::<Vec<_>>(),
            "dependencies": dependencies.collect::<Vec<_>>(),
        });
        document["serialNumber"] = serial_number(&document).into();
        document
    }
}

/// A UUID made from the content (RFC 9562, version 8).
fn serial_number(document: &Value) -> String {
    let digest = Sha256::digest(document.to_string());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    let ends = [8, 12, 16, 20, 32];
    let starts = [0, 8, 12, 16, 20];
    let groups = starts
        .iter()
        .zip(ends)
        .map(|(start, end)| &hex[*start..end]);
    format!("urn:uuid:{}", groups.collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(name: &str) -> Component {
        Component {
            kind: Kind::Library,
            reference: name.to_owned(),
            name: name.to_owned(),
            version: Some("1".to_owned()),
            sha256: Some("0".repeat(64)),
            licence: Some("MIT OR Apache-2.0".to_owned()),
            package_url: Some(debian_url(name, "1", "amd64")),
        }
    }

    fn bill(names: &[&str]) -> Bill {
        let mut bill = Bill::new(component("whole"));
        for name in names {
            bill.part(component(name));
            bill.needs("whole", name);
        }
        bill
    }

    #[test]
    fn the_order_in_which_parts_come_does_not_show() {
        let (one, other) = (bill(&["a", "b", "a"]), bill(&["b", "a"]));
        assert_eq!(
            one.document(None).to_string(),
            other.document(None).to_string()
        );
        assert_ne!(
            one.document(None)["serialNumber"],
            bill(&["a"]).document(None)["serialNumber"]
        );
    }

    #[test]
    fn every_part_has_an_entry_among_the_dependencies() {
        let document = bill(&["a", "b"]).document(Some("2026-01-01T00:00:00Z"));
        assert_eq!(
            document["dependencies"],
            json!([
                { "ref": "whole", "dependsOn": ["a", "b"] },
                { "ref": "a", "dependsOn": [] },
                { "ref": "b", "dependsOn": [] },
            ])
        );
        assert_eq!(document["metadata"]["timestamp"], "2026-01-01T00:00:00Z");
        assert_eq!(
            document["components"][0],
            json!({
                "type": "library", "bom-ref": "a", "name": "a", "version": "1",
                "hashes": [{ "alg": "SHA-256", "content": "0".repeat(64) }],
                "licenses": [{ "expression": "MIT OR Apache-2.0" }],
                "purl": "pkg:deb/debian/a@1?arch=amd64",
            })
        );
    }

    #[test]
    fn a_serial_number_is_a_uuid() {
        let document = bill(&[]).document(None);
        let number = document["serialNumber"].as_str().unwrap();
        let uuid = number.strip_prefix("urn:uuid:").unwrap();
        let lengths: Vec<_> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(&uuid[14..15], "8");
    }
}
