//! systemd's units: for each target a service that runs its container through docker, and a check with a timer.
//!
//! `docker run` can only be told a health check for a shell, and there is none in the image; so the check is a unit of
//! its own, which fails when a volunteer does not compile.

use super::options::run_options;
use super::quadlet::restart;
use super::units::Unit;
use super::volunteer::Exported;
use super::{Export, ExportedFile};

const DOCKER: &str = "/usr/bin/docker";

/// More than the container's own time to stop.
const PATIENCE: i64 = 10;

pub(super) fn files(what: &Export<'_>, volunteers: &[Exported]) -> Vec<ExportedFile> {
    let mut files = vec![all(what, volunteers)];
    for volunteer in volunteers {
        let name = name(what, volunteer);
        let mut add = |name: String, text: String| files.push(ExportedFile { name, text });
        add(format!("{name}.service"), service(what, volunteer));
        if let Some(check) = check(what, volunteer) {
            add(format!("{name}-check.service"), check);
            add(format!("{name}-check.timer"), timer(what, volunteer));
        }
    }
    files
}

fn name(what: &Export<'_>, volunteer: &Exported) -> String {
    format!("distcc-{}-{}", what.farm.name, volunteer.target)
}

fn group(what: &Export<'_>) -> String {
    format!("distcc-{}.target", what.farm.name)
}

fn made_by(what: &Export<'_>) -> String {
    format!(
        "# Made by `{}`: change the manifest, not this file.\n",
        what.command
    )
}

/// What stands for all of them.
fn all(what: &Export<'_>, volunteers: &[Exported]) -> ExportedFile {
    let header = format!(
        "# These units go into /etc/systemd/system; then: systemctl enable --now {group}\n\
         # The images are loaded, not pulled: farmctl build --output-archive images.tar; docker load -i images.tar\n{}",
        made_by(what),
        group = group(what),
    );
    let services = volunteers
        .iter()
        .flat_map(|volunteer| {
            let name = name(what, volunteer);
            [format!("{name}.service"), format!("{name}-check.timer")]
        })
        .collect::<Vec<_>>();
    let text = Unit::commented(&header)
        .section("Unit")
        .set(
            "Description",
            &format!("distcc volunteers of farm {}", what.farm.name),
        )
        .set("Wants", &services.join(" "))
        .section("Install")
        .set("WantedBy", "multi-user.target")
        .text();
    ExportedFile {
        name: group(what),
        text,
    }
}

fn service(what: &Export<'_>, volunteer: &Exported) -> String {
    let shape = &volunteer.shape;
    let name = name(what, volunteer);
    let mut words = vec![
        DOCKER.to_owned(),
        "run".to_owned(),
        format!("--name={name}"),
        "--rm".to_owned(),
        // What it writes goes to the journal.
        "--log-driver=none".to_owned(),
    ];
    if shape.image.as_str().starts_with("farmctl/") {
        words.push("--pull=never".to_owned());
    }
    words.extend(run_options(shape));
    words.push(shape.image.to_string());
    words.extend(shape.command.iter().cloned());
    let stop = shape.stop_seconds.to_string();
    Unit::commented(&made_by(what))
        .section("Unit")
        .set(
            "Description",
            &format!("distcc volunteer for {}", volunteer.target),
        )
        .set("Requires", "docker.service")
        .set("After", "docker.service network-online.target")
        .set("Wants", "network-online.target")
        .set("PartOf", &group(what))
        .section("Service")
        .set("ExecStartPre", &format!("-{DOCKER} rm --force {name}"))
        .command("ExecStart", words.iter().map(String::as_str))
        .command("ExecStop", [DOCKER, "stop", "--time", &stop, &name])
        .set("Restart", restart(shape.restart))
        .set("RestartSec", "5s")
        .set(
            "TimeoutStopSec",
            &format!("{}s", shape.stop_seconds + PATIENCE),
        )
        .text()
}

fn check(what: &Export<'_>, volunteer: &Exported) -> Option<String> {
    let check = volunteer.shape.health.as_ref()?;
    let service = name(what, volunteer);
    let probe = check.test.iter().skip(1).map(String::as_str);
    let words = [DOCKER, "exec", &service].into_iter().chain(probe);
    let unit = Unit::commented(&made_by(what))
        .section("Unit")
        .set(
            "Description",
            &format!("a compile by the distcc volunteer for {}", volunteer.target),
        )
        .set("Requisite", &format!("{service}.service"))
        .set("After", &format!("{service}.service"))
        .section("Service")
        .set("Type", "oneshot")
        .command("ExecStart", words)
        .set("TimeoutStartSec", &super::options::seconds(check.timeout));
    Some(unit.text())
}

fn timer(what: &Export<'_>, volunteer: &Exported) -> String {
    let interval = volunteer
        .shape
        .health
        .as_ref()
        .map_or_else(String::new, |check| super::options::seconds(check.interval));
    Unit::commented(&made_by(what))
        .section("Unit")
        .set(
            "Description",
            &format!(
                "when the distcc volunteer for {} is checked",
                volunteer.target
            ),
        )
        .set("PartOf", &group(what))
        .section("Timer")
        .set("OnActiveSec", &interval)
        .set("OnUnitInactiveSec", &interval)
        .text()
}
