//! A compose file, in the words that both generations read: docker-compose 1.29 in Python and Compose 2 in Go.

use super::options::{cpus, seconds, tmpfs_options};
use super::volunteer::Exported;
use super::yaml::Yaml;
use super::{Export, ExportedFile};
use crate::farm::{Attachment, Restart, Shape};

/// The service that stands for all of them.
const ALL: &str = "volunteers";
/// What services have in common is written once, under this name.
const COMMON: &str = "volunteer";

type Entries = Vec<(String, Yaml)>;

pub(super) fn file(what: &Export<'_>, volunteers: &[Exported]) -> ExportedFile {
    let services: Vec<Entries> = volunteers
        .iter()
        .map(|volunteer| service(what, volunteer))
        .collect();
    let common = common(&services);
    let mut written: Entries = Vec::new();
    for (volunteer, service) in volunteers.iter().zip(services) {
        let own = service.into_iter().filter(|entry| !common.contains(entry));
        let merged = (!common.is_empty()).then(|| Yaml::merged(COMMON));
        let entries = merged.into_iter().chain(own).collect();
        written.push((volunteer.target.to_string(), Yaml::Map(entries)));
    }
    if let Some(first) = volunteers.first() {
        written.push((ALL.to_owned(), Yaml::Map(all(what, first, volunteers))));
    }
    let mut document: Entries = Vec::new();
    if !common.is_empty() {
        document.push((format!("x-{COMMON}"), Yaml::Named(COMMON, common)));
    }
    document.push(("services".to_owned(), Yaml::Map(written)));
    ExportedFile {
        name: "compose.yaml".to_owned(),
        text: format!(
            "{}\n{}",
            header(what, volunteers),
            Yaml::document(&document)
        ),
    }
}

fn header(what: &Export<'_>, volunteers: &[Exported]) -> String {
    let lines: Vec<_> = volunteers
        .iter()
        .map(|volunteer| {
            format!(
                "#   {:8} ADDRESS:{}/JOBS,lzo",
                volunteer.target, volunteer.port
            )
        })
        .collect();
    format!(
        "# Farm {farm}: one service for each target, and the service {ALL}, which brings up all of them and has ended well\n\
         # when each of them compiles. Made by `{command}`: change the manifest, not this file.\n\
         #\n\
         # Each service is farmctl's volunteer with farmctl's posture, limits and health check. It opens its port itself:\n\
         # compose stops a container before it starts the next one, so a door before it would serve nobody.\n\
         # farmctl does not take these containers for its own, nor does it need to be there.\n\
         #\n\
         # What boards write into DISTCC_HOSTS, with this machine's address and its processors plus 2 as JOBS:\n\
         {lines}\n\
         #\n\
         # What the manifest leaves to the machine is taken from variables, which may stand in .env:\n\
         #   FARMCTL_ADDRESS  the address on which ports are open; else every IPv4 address of the machine. Jobs are taken from\n\
         #                    whom `allow` names, by default private networks, wherever the port is open. On engines that hide\n\
         #                    who the clients are (rootless, in a virtual machine) set 127.0.0.1.\n\
         #   FARMCTL_MEMORY   the most memory for one volunteer, of which half may be files in /tmp: FARMCTL_SCRATCH\n\
         #   FARMCTL_TAG      the images' tag\n",
        farm = what.farm.name,
        command = what.command,
        lines = lines.join("\n"),
    )
}

/// What all of them say, if there are several.
fn common(services: &[Entries]) -> Entries {
    match services {
        [first, rest @ ..] if !rest.is_empty() => first
            .iter()
            .filter(|entry| rest.iter().all(|service| service.contains(entry)))
            .cloned()
            .collect(),
        _ => Vec::new(),
    }
}

/// Waits until all of them are healthy, says its version, and is done.
fn all(what: &Export<'_>, first: &Exported, volunteers: &[Exported]) -> Entries {
    let healthy = || Yaml::map([("condition", Yaml::text("service_healthy"))]);
    let needed = volunteers
        .iter()
        .map(|volunteer| (volunteer.target.to_string(), healthy()));
    let mut entries = image(what, first);
    entries.extend(Yaml::entries([
        ("command", Yaml::texts(["--version"])),
        ("depends_on", Yaml::Map(needed.collect())),
        ("restart", Yaml::text(Restart::No.as_str())),
        ("network_mode", Yaml::text("none")),
        ("read_only", Yaml::flag(true)),
        ("cap_drop", literals(&first.shape.dropped_capabilities)),
        ("security_opt", security(&first.shape)),
    ]));
    entries
}

fn image(what: &Export<'_>, volunteer: &Exported) -> Entries {
    let name = literal(volunteer.image_name());
    let image = if volunteer.open.tag {
        Yaml::text(format!("{name}:${{FARMCTL_TAG:-latest}}"))
    } else {
        Yaml::text(name)
    };
    let mut entries = Yaml::entries([("image", image)]);
    match what.build {
        Some(context) if volunteer.open.tag => {
            let arguments = Yaml::map([
                ("TARGET", Yaml::text(volunteer.target.to_string())),
                ("FARMCTL_MIRROR", Yaml::text("${FARMCTL_MIRROR:-}")),
            ]);
            let build = Yaml::map([
                ("context", Yaml::text(literal(context))),
                ("args", arguments),
            ]);
            entries.push(("build".to_owned(), build));
        }
        // Nobody's registry has images of these names; who asked there would run a stranger's.
        _ if volunteer.shape.image.as_str().starts_with("farmctl/") => {
            entries.push(("pull_policy".to_owned(), Yaml::text("never")));
        }
        _ => {}
    }
    entries
}

/// A shape, word for word.
fn service(what: &Export<'_>, volunteer: &Exported) -> Entries {
    // Taken apart without `..`, so that a new field cannot be forgotten here.
    let Shape {
        image: _,
        entrypoint,
        command,
        user,
        working_directory,
        hostname,
        environment,
        labels,
        network,
        ports: _,
        mounts: _,
        memory: _,
        memory_swap: _,
        nano_cpus,
        processes,
        oom_score_adjustment,
        ulimits,
        restart,
        read_only,
        tmpfs: _,
        dropped_capabilities,
        security: _,
        stop_seconds,
        health: _,
        log,
        foreign: _,
    } = &volunteer.shape;
    let mut entries = image(what, volunteer);
    let mut add = |key: &str, value: Yaml| entries.push((key.to_owned(), value));
    add("entrypoint", literals(entrypoint));
    add("command", literals(command));
    if let Some(hostname) = hostname {
        add("hostname", Yaml::text(literal(hostname)));
    }
    let labels: Entries = labels
        .iter()
        .map(|(name, value)| (name.clone(), Yaml::text(literal(value))))
        .collect();
    if !labels.is_empty() {
        add("labels", Yaml::Map(labels));
    }
    match network {
        Attachment::Host => add("network_mode", Yaml::text("host")),
        _ => add("ports", ports(volunteer)),
    }
    add("user", Yaml::text(user));
    add("working_dir", Yaml::text(working_directory));
    add("environment", literals(environment));
    add("read_only", Yaml::flag(*read_only));
    add("cap_drop", literals(dropped_capabilities));
    add("security_opt", security(&volunteer.shape));
    add("tmpfs", tmpfs(volunteer));
    add("mem_limit", memory(volunteer));
    add("memswap_limit", memory(volunteer));
    if *nano_cpus != 0 {
        add("cpus", Yaml::Plain(cpus(*nano_cpus)));
    }
    add("pids_limit", Yaml::number(*processes));
    add("oom_score_adj", Yaml::number(*oom_score_adjustment));
    let limits = ulimits.iter().map(|(name, (soft, hard))| {
        let limit = Yaml::map([("soft", Yaml::number(*soft)), ("hard", Yaml::number(*hard))]);
        (name.clone(), limit)
    });
    add("ulimits", Yaml::Map(limits.collect()));
    add("restart", Yaml::text(restart.as_str()));
    add("stop_grace_period", Yaml::text(format!("{stop_seconds}s")));
    if let Some(check) = health(&volunteer.shape) {
        add("healthcheck", check);
    }
    add("logging", logging(log));
    entries
}

fn ports(volunteer: &Exported) -> Yaml {
    Yaml::texts(volunteer.published().map(|(address, port)| {
        let address = address.map_or_else(
            || "${FARMCTL_ADDRESS:-0.0.0.0}".to_owned(),
            |address| address.to_string(),
        );
        format!("{address}:{port}:{port}/tcp")
    }))
}

fn memory(volunteer: &Exported) -> Yaml {
    if volunteer.open.memory {
        Yaml::text(format!("${{FARMCTL_MEMORY:-{}}}", volunteer.shape.memory))
    } else {
        Yaml::number(volunteer.shape.memory)
    }
}

fn tmpfs(volunteer: &Exported) -> Yaml {
    let place = |(place, options): (&String, &std::collections::BTreeSet<String>)| {
        let options = tmpfs_options(options);
        let options = match options.split_once("size=") {
            Some((others, size)) if volunteer.open.memory => {
                format!("{others}size=${{FARMCTL_SCRATCH:-{size}}}")
            }
            _ => options,
        };
        format!("{place}:{options}")
    };
    Yaml::texts(volunteer.shape.tmpfs.iter().map(place))
}

pub(super) fn health(shape: &Shape) -> Option<Yaml> {
    let check = shape.health.as_ref()?;
    Some(Yaml::map([
        ("test", literals(&check.test)),
        ("interval", Yaml::text(seconds(check.interval))),
        ("timeout", Yaml::text(seconds(check.timeout))),
        ("retries", Yaml::number(check.retries)),
    ]))
}

pub(super) fn logging(
    (driver, options): &(String, std::collections::BTreeMap<String, String>),
) -> Yaml {
    let options = options
        .iter()
        .map(|(name, value)| (name.clone(), Yaml::text(literal(value))));
    Yaml::map([
        ("driver", Yaml::text(driver)),
        ("options", Yaml::Map(options.collect())),
    ])
}

fn security(shape: &Shape) -> Yaml {
    Yaml::texts(shape.security.iter().map(|option| format!("{option}:true")))
}

pub(super) fn literals<'a>(texts: impl IntoIterator<Item = &'a String>) -> Yaml {
    Yaml::texts(texts.into_iter().map(|text| literal(text)))
}

/// A text in which nothing is a variable.
pub(super) fn literal(text: &str) -> String {
    text.replace('$', "$$")
}
