//! A stack file for `docker stack deploy`: a global service for each target, whose ports are each node's own.

use super::compose::{health, literal, literals, logging};
use super::options::cpus;
use super::volunteer::Exported;
use super::yaml::Yaml;
use super::{Export, ExportError, ExportedFile};
use crate::farm::{Network, Restart, Shape};

/// The first version in which processes can be limited; engines of 20.10 read it.
const VERSION: &str = "3.9";

pub(super) fn file(
    what: &Export<'_>,
    volunteers: &[Exported],
) -> Result<ExportedFile, ExportError> {
    check(what)?;
    let services = volunteers.iter().map(|volunteer| {
        (
            volunteer.target.to_string(),
            Yaml::Map(service(what, volunteer)),
        )
    });
    let document = Yaml::entries([
        ("version", Yaml::text(VERSION)),
        ("services", Yaml::Map(services.collect())),
    ]);
    Ok(ExportedFile {
        name: "stack.yaml".to_owned(),
        text: format!("{}\n{}", header(what), Yaml::document(&document)),
    })
}

/// A service's port has no address, and one in the host's network none that others may share.
fn check(what: &Export<'_>) -> Result<(), ExportError> {
    let in_host = |volunteer: &&crate::farm::Volunteer| volunteer.network == Network::Host;
    match what.host.volunteers.iter().find(in_host) {
        None => Ok(()),
        Some(volunteer) => Err(ExportError::Inexpressible {
            format: "a stack of services",
            key: "network: host",
            target: volunteer.target.name.clone(),
        }),
    }
}

fn header(what: &Export<'_>) -> String {
    format!(
        "# Farm {farm} for a swarm: docker stack deploy -c stack.yaml {farm}\n\
         # Made by `{command}`: change the manifest, not this file.\n\
         #\n\
         # Every node runs every target, on ports of its own (mode: host), so that clients' addresses stay visible. The\n\
         # nodes pull the images from the registry in their names; FARMCTL_TAG is their tag.\n\
         #\n\
         # What a stack has no word for, and farmctl sets: no-new-privileges, the preference when memory runs out, the\n\
         # address on which ports are open (every one of the node; jobs are taken from whom `allow` names all the same).\n",
        farm = what.farm.name,
        command = what.command,
    )
}

fn service(what: &Export<'_>, volunteer: &Exported) -> Vec<(String, Yaml)> {
    let shape = &volunteer.shape;
    let name = literal(volunteer.image_name());
    let image = if volunteer.open.tag {
        format!("{name}:${{FARMCTL_TAG:-latest}}")
    } else {
        name
    };
    let labels = shape
        .labels
        .iter()
        .map(|(name, value)| (name.clone(), Yaml::text(literal(value))));
    let limits = shape.ulimits.iter().map(|(name, (soft, hard))| {
        let limit = Yaml::map([("soft", Yaml::number(*soft)), ("hard", Yaml::number(*hard))]);
        (name.clone(), limit)
    });
    let mut entries = Yaml::entries([
        ("image", Yaml::text(image)),
        ("entrypoint", literals(&shape.entrypoint)),
        ("command", literals(&shape.command)),
        (
            "hostname",
            Yaml::text(shape.hostname.clone().unwrap_or_default()),
        ),
        ("labels", Yaml::Map(labels.collect())),
        ("ports", ports(volunteer)),
        ("user", Yaml::text(&shape.user)),
        ("working_dir", Yaml::text(&shape.working_directory)),
        ("environment", literals(&shape.environment)),
        ("read_only", Yaml::flag(shape.read_only)),
        ("cap_drop", literals(&shape.dropped_capabilities)),
        ("volumes", Yaml::List(scratch(shape))),
        ("ulimits", Yaml::Map(limits.collect())),
        (
            "stop_grace_period",
            Yaml::text(format!("{}s", shape.stop_seconds)),
        ),
        ("healthcheck", health(shape).unwrap_or(Yaml::map([]))),
        ("logging", logging(&shape.log)),
        ("deploy", deploy(what, shape)),
    ]);
    entries.retain(|(_, value)| !value.is_empty() && *value != Yaml::text(""));
    entries
}

fn ports(volunteer: &Exported) -> Yaml {
    let port = |(_, port): (_, u16)| {
        Yaml::map([
            ("target", Yaml::number(port)),
            ("published", Yaml::number(port)),
            ("protocol", Yaml::text("tcp")),
            ("mode", Yaml::text("host")),
        ])
    };
    Yaml::List(volunteer.published().map(port).collect())
}

/// The engine mounts memory with `noexec`, `nosuid`, `nodev` and for everybody by itself.
fn scratch(shape: &Shape) -> Vec<Yaml> {
    let place = |(place, options): (&String, &std::collections::BTreeSet<String>)| {
        let size = options
            .iter()
            .find_map(|option| option.strip_prefix("size="));
        let size = Yaml::Plain(size.unwrap_or("0").to_owned());
        Yaml::map([
            ("type", Yaml::text("tmpfs")),
            ("target", Yaml::text(place)),
            ("tmpfs", Yaml::map([("size", size)])),
        ])
    };
    shape.tmpfs.iter().map(place).collect()
}

/// Images hold programs for one kind of machine; the manifest may ask for more.
fn placement(what: &Export<'_>) -> Yaml {
    let own = ["node.platform.os==linux", "node.platform.arch==x86_64"];
    let swarm = what.host.swarm.iter();
    let more = swarm.flat_map(|swarm| &swarm.placement);
    Yaml::texts(
        own.map(str::to_owned)
            .into_iter()
            .chain(more.map(ToString::to_string)),
    )
}

fn deploy(what: &Export<'_>, shape: &Shape) -> Yaml {
    let mut limits = Yaml::entries([
        ("memory", Yaml::text(shape.memory.to_string())),
        ("pids", Yaml::number(shape.processes)),
    ]);
    if shape.nano_cpus != 0 {
        limits.push(("cpus".to_owned(), Yaml::text(cpus(shape.nano_cpus))));
    }
    let condition = match shape.restart {
        Restart::No => "none",
        Restart::OnFailure => "on-failure",
        Restart::Always | Restart::UnlessStopped => "any",
    };
    Yaml::map([
        ("mode", Yaml::text("global")),
        ("placement", Yaml::map([("constraints", placement(what))])),
        ("resources", Yaml::map([("limits", Yaml::Map(limits))])),
        (
            "restart_policy",
            Yaml::map([("condition", Yaml::text(condition))]),
        ),
        // The port is the node's: the next task can only have it when the one before has let go.
        (
            "update_config",
            Yaml::map([
                ("order", Yaml::text("stop-first")),
                ("parallelism", Yaml::number(1)),
                ("failure_action", Yaml::text("pause")),
            ]),
        ),
    ])
}
