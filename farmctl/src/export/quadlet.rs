//! Units of Podman's generator, Quadlet: a `.container` for each target.

use super::options::{cpus, seconds, tmpfs_options};
use super::units::{Unit, command_line, quoted};
use super::volunteer::Exported;
use super::{Export, ExportedFile};
use crate::farm::{Attachment, Restart, Shape};

pub(super) fn files(what: &Export<'_>, volunteers: &[Exported]) -> Vec<ExportedFile> {
    volunteers
        .iter()
        .map(|volunteer| ExportedFile {
            name: format!("distcc-{}-{}.container", what.farm.name, volunteer.target),
            text: unit(what, volunteer),
        })
        .collect()
}

fn header(what: &Export<'_>) -> String {
    format!(
        "# Goes into /etc/containers/systemd; then: systemctl daemon-reload. Podman 4.8 or later.\n\
         # Made by `{command}`: change the manifest, not this file.\n\
         #\n\
         # It is meant for the system's manager: a user's own containers do not see who their clients are. The image is\n\
         # loaded, not pulled: farmctl build --output-archive images.tar; podman load -i images.tar\n",
        command = what.command,
    )
}

fn unit(what: &Export<'_>, volunteer: &Exported) -> String {
    let shape = &volunteer.shape;
    let target = &volunteer.target;
    let mut unit = Unit::commented(&header(what))
        .section("Unit")
        .set("Description", &format!("distcc volunteer for {target}"))
        .set("After", "network-online.target")
        .set("Wants", "network-online.target")
        .section("Container")
        .set(
            "ContainerName",
            &format!("distcc-{}-{target}", what.farm.name),
        )
        .set("Image", &image(shape));
    if is_loaded(shape) {
        unit = unit.set("Pull", "never");
    }
    container(unit, volunteer)
        .section("Service")
        .set("Restart", restart(shape.restart))
        .set("RestartSec", "5s")
        .set("TimeoutStopSec", &format!("{}s", shape.stop_seconds + 10))
        .section("Install")
        .set("WantedBy", "multi-user.target")
        .text()
}

/// As Podman names images that were loaded with a name of no registry.
fn image(shape: &Shape) -> String {
    let registry = if is_loaded(shape) { "localhost/" } else { "" };
    format!("{registry}{}", shape.image)
}

fn is_loaded(shape: &Shape) -> bool {
    shape.image.as_str().starts_with("farmctl/")
}

/// As systemd has it: it starts containers again, not the engine.
pub(super) fn restart(restart: Restart) -> &'static str {
    match restart {
        Restart::No => "no",
        Restart::OnFailure => "on-failure",
        Restart::Always | Restart::UnlessStopped => "always",
    }
}

fn container(unit: Unit, volunteer: &Exported) -> Unit {
    let shape = &volunteer.shape;
    let (user, group) = shape.user.split_once(':').unwrap_or((&shape.user, "0"));
    let mut unit = unit
        .command("Exec", shape.command.iter().map(String::as_str))
        .set("User", user)
        .set("Group", group)
        .set("ReadOnly", &shape.read_only.to_string())
        .set("ReadOnlyTmpfs", "false")
        .set("NoNewPrivileges", "true");
    for capability in &shape.dropped_capabilities {
        unit = unit.set("DropCapability", &capability.to_ascii_lowercase());
    }
    for variable in &shape.environment {
        unit = unit.set("Environment", &quoted(variable));
    }
    for (name, value) in &shape.labels {
        unit = unit.set("Label", &quoted(&format!("{name}={value}")));
    }
    if let Some(hostname) = &shape.hostname {
        unit = unit.set("HostName", hostname);
    }
    if shape.network == Attachment::Host {
        unit = unit.set("Network", "host");
    }
    for (port, addresses) in &shape.ports {
        for address in addresses {
            let port = port.trim_end_matches("/tcp");
            unit = unit.set("PublishPort", &format!("{address}:{port}"));
        }
    }
    for (place, options) in &shape.tmpfs {
        unit = unit.set("Tmpfs", &format!("{place}:{}", tmpfs_options(options)));
    }
    for (name, (soft, hard)) in &shape.ulimits {
        unit = unit.set("Ulimit", &format!("{name}={soft}:{hard}"));
    }
    unit = health(unit.set("PidsLimit", &shape.processes.to_string()), shape);
    let others = others(shape);
    unit.set(
        "PodmanArgs",
        &command_line(others.iter().map(String::as_str)),
    )
}

fn health(unit: Unit, shape: &Shape) -> Unit {
    let Some(check) = &shape.health else {
        return unit;
    };
    let command: Vec<&String> = check.test.iter().skip(1).collect();
    let command = serde_json::json!(command).to_string();
    unit.set("HealthCmd", &command)
        .set("HealthInterval", &seconds(check.interval))
        .set("HealthTimeout", &seconds(check.timeout))
        .set("HealthRetries", &check.retries.to_string())
}

/// What the generator has no key for, or only in later versions.
fn others(shape: &Shape) -> Vec<String> {
    let mut options = vec![
        format!("--entrypoint={}", shape.entrypoint.join(" ")),
        format!("--workdir={}", shape.working_directory),
        format!("--memory={}", shape.memory),
        format!("--memory-swap={}", shape.memory_swap),
        format!("--oom-score-adj={}", shape.oom_score_adjustment),
        format!("--stop-timeout={}", shape.stop_seconds),
    ];
    if shape.nano_cpus != 0 {
        options.push(format!("--cpus={}", cpus(shape.nano_cpus)));
    }
    options
}
