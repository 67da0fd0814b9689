//! The manifest as written: every key optional, every value judged alone.

use crate::farm::{
    Address, AllowRule, Certificates, Constraint, DockerEndpoint, EngineKind, FarmName, HostName,
    Port, Registry,
};

use super::archive_section::ToolchainSection;
use super::keys;
use super::reader::{Reader, refuse_empty};
use super::settings::Settings;
use super::source::Located;
use super::tls_section;
use super::values;
use super::yaml::{Node, Value};

/// Sections under names of the author's choice; a name that was refused is `None`.
pub(super) type Named<K, S> = Vec<(Option<Located<K>>, S)>;

/// The whole manifest.
#[derive(Debug, Default)]
pub(super) struct FarmSection {
    pub(super) name: Option<FarmName>,
    pub(super) allow: Vec<Located<AllowRule>>,
    pub(super) address: Option<Address>,
    pub(super) mirror: Option<String>,
    /// Where more targets are described.
    pub(super) toolchains: Option<Located<String>>,
    pub(super) hosts: Option<Named<HostName, HostSection>>,
    pub(super) targets: Option<Named<String, TargetSection>>,
    /// For every volunteer.
    pub(super) settings: Settings,
}

/// One entry of `hosts`.
#[derive(Debug, Default)]
pub(super) struct HostSection {
    pub(super) docker: Option<Located<DockerEndpoint>>,
    /// Relative paths start at the manifest's own directory.
    pub(super) tls: Option<Located<Certificates>>,
    pub(super) engine: Option<Located<EngineKind>>,
    pub(super) registry: Option<Located<Registry>>,
    pub(super) placement: Option<Located<Vec<Constraint>>>,
    pub(super) address: Option<Located<Address>>,
    pub(super) targets: Option<Named<String, HostTargetSection>>,
    pub(super) settings: Settings,
}

/// One entry of `targets`.
#[derive(Debug, Default)]
pub(super) struct TargetSection {
    pub(super) port: Option<Located<Port>>,
    pub(super) toolchain: Option<ToolchainSection>,
    pub(super) settings: Settings,
}

/// One entry of a host's `targets`.
#[derive(Debug, Default)]
pub(super) struct HostTargetSection {
    pub(super) toolchain: Option<ToolchainSection>,
    pub(super) settings: Settings,
}

impl FarmSection {
    pub(super) fn read(root: &Node, reader: &mut Reader<'_>) -> Self {
        let mut fields = reader.fields(root, &keys::FARM);
        let section = Self {
            name: fields.value("farm", values::parsed),
            allow: fields.set("allow", values::parsed).unwrap_or_default(),
            address: fields.value("address", values::parsed),
            mirror: fields.value("mirror", values::mirror),
            toolchains: fields.located("toolchains", values::text),
            hosts: fields.group("hosts", values::parsed, HostSection::read),
            targets: fields.group("targets", values::text, TargetSection::read),
            settings: Settings::take(&mut fields),
        };
        fields.close();
        section
    }
}

impl HostSection {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Self {
        let mut fields = reader.fields(node, &keys::HOST);
        let section = Self {
            docker: fields.located("docker", values::parsed),
            tls: fields.section("tls", tls_section::read),
            engine: fields.located("engine", values::setting),
            registry: fields.located("registry", values::parsed),
            placement: fields.section("placement", placement),
            address: fields.located("address", values::parsed),
            targets: fields.section("targets", host_targets),
            settings: Settings::take(&mut fields),
        };
        fields.close();
        section
    }
}

fn placement(node: &Node, reader: &mut Reader<'_>) -> Located<Vec<Constraint>> {
    refuse_empty("placement", node, reader);
    let spot = reader.spot(node.id);
    let value = reader
        .set(node, values::parsed)
        .into_iter()
        .map(|constraint| constraint.value);
    Located {
        value: value.collect(),
        spot,
    }
}

/// A list of names, or a group of names with settings for each.
fn host_targets(node: &Node, reader: &mut Reader<'_>) -> Named<String, HostTargetSection> {
    if let Value::Map(_) = node.value {
        return reader.group("targets", node, values::text, HostTargetSection::read);
    }
    refuse_empty("targets", node, reader);
    let names = reader.set(node, values::text).into_iter();
    names
        .map(|name| (Some(name), HostTargetSection::default()))
        .collect()
}

impl TargetSection {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Self {
        let mut fields = reader.fields(node, &keys::TARGET);
        let section = Self {
            port: fields.located("port", values::number::<u64, _>),
            toolchain: fields
                .section("toolchain", ToolchainSection::read)
                .flatten(),
            settings: Settings::take(&mut fields),
        };
        fields.close();
        section
    }
}

impl HostTargetSection {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Self {
        let mut fields = reader.fields(node, &keys::HOST_TARGET);
        let section = Self {
            toolchain: fields
                .section("toolchain", ToolchainSection::read)
                .flatten(),
            settings: Settings::take(&mut fields),
        };
        fields.close();
        section
    }
}
