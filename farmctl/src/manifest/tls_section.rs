//! The `tls` of a host: a folder of certificates, or each of them.

use std::path::Path;

use crate::farm::Certificates;

use super::keys;
use super::reader::Reader;
use super::source::Located;
use super::values;
use super::yaml::{Node, Value};

/// The files as written: relative ones start at the manifest's own directory. What is missing or wrong is noted, and any
/// files stand in its place.
pub(super) fn read(node: &Node, reader: &mut Reader<'_>) -> Located<Certificates> {
    let value = match &node.value {
        Value::Map(_) => files(node, reader),
        _ => folder(node, reader),
    };
    Located {
        value: value.unwrap_or_else(|| Certificates::in_folder(Path::new("."))),
        spot: reader.spot(node.id),
    }
}

fn folder(node: &Node, reader: &mut Reader<'_>) -> Option<Certificates> {
    let folder = reader.located(node, values::file)?;
    Some(Certificates::in_folder(&folder.value))
}

fn files(node: &Node, reader: &mut Reader<'_>) -> Option<Certificates> {
    let mut fields = reader.fields(node, &keys::TLS);
    let authority = fields.value("ca", values::file);
    let certificate = fields.value("cert", values::file);
    let key = fields.value("key", values::file);
    fields.close();
    Some(Certificates {
        authority: authority?,
        certificate: certificate?,
        key: key?,
    })
}
