//! The manifest as written: every key optional, every value judged alone.

use crate::farm::{
    Address, AllowRule, DockerEndpoint, FarmName, GccMajor, HostName, Memory, Nice, Port, Slots,
};

use super::problem::Problem;
use super::reader::Reader;
use super::source::Located;
use super::values;
use super::yaml::{Node, Value};

/// The whole manifest.
#[derive(Debug, Default)]
pub(super) struct FarmSection {
    pub(super) name: Option<FarmName>,
    pub(super) allow: Vec<Located<AllowRule>>,
    pub(super) address: Option<Address>,
    pub(super) mirror: Option<String>,
    /// Where more targets are described.
    pub(super) toolchains: Option<Located<String>>,
    pub(super) hosts: Option<Vec<(Located<HostName>, HostSection)>>,
    pub(super) targets: Option<Vec<(Located<String>, TargetSection)>>,
}

/// One entry of `hosts`.
#[derive(Debug, Default)]
pub(super) struct HostSection {
    pub(super) docker: Option<DockerEndpoint>,
    pub(super) address: Option<Address>,
    pub(super) jobs: Option<Slots>,
    pub(super) targets: Option<Vec<Located<String>>>,
}

/// One entry of `targets`.
#[derive(Debug, Default)]
pub(super) struct TargetSection {
    /// The preferred version first.
    pub(super) gcc: Vec<Located<GccMajor>>,
    pub(super) jobs: Option<Slots>,
    pub(super) memory: Option<Memory>,
    pub(super) nice: Option<Nice>,
    pub(super) port: Option<Located<Port>>,
    /// Whether the library's headers are installed.
    pub(super) headers: Option<Located<bool>>,
}

impl FarmSection {
    pub(super) fn read(root: &Node, reader: &mut Reader<'_>) -> Self {
        let mut fields = reader.fields(root);
        let section = Self {
            name: fields.value("farm", values::parsed),
            allow: fields.set("allow", values::parsed).unwrap_or_default(),
            address: fields.value("address", values::parsed),
            mirror: fields.value("mirror", values::mirror),
            toolchains: fields.located("toolchains", values::text),
            hosts: fields.group("hosts", values::parsed, HostSection::read),
            targets: fields.group("targets", values::text, TargetSection::read),
        };
        fields.close();
        section
    }
}

impl HostSection {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Self {
        let mut fields = reader.fields(node);
        let section = Self {
            docker: fields.value("docker", docker_endpoint),
            address: fields.value("address", values::parsed),
            jobs: fields.value("jobs", values::number::<u64, _>),
            targets: fields.set("targets", values::text),
        };
        fields.close();
        section
    }
}

impl TargetSection {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Self {
        let mut fields = reader.fields(node);
        let section = Self {
            gcc: fields
                .set("gcc", values::number::<u64, _>)
                .unwrap_or_default(),
            jobs: fields.value("jobs", values::number::<u64, _>),
            memory: fields.value("memory", values::memory),
            nice: fields.value("nice", values::number::<i64, _>),
            port: fields.located("port", values::number::<u64, _>),
            headers: fields.located("headers", values::flag),
        };
        fields.close();
        section
    }
}

fn docker_endpoint(value: &Value) -> Result<DockerEndpoint, Problem> {
    match values::text(value)?.as_str() {
        "local" => Ok(DockerEndpoint::Local),
        other => Err(Problem::Docker(other.to_owned())),
    }
}
