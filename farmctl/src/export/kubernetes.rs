//! Manifests for Kubernetes: a `DaemonSet` for each target, on ports of the nodes, so that clients' addresses stay
//! visible.

use crate::farm::{AllowRule, Architecture, Network, Shape};

use super::options::cpus;
use super::volunteer::Exported;
use super::yaml::Yaml;
use super::{Export, ExportError, ExportedFile};

type Entries = Vec<(String, Yaml)>;

/// What a volunteer has for itself on a node; everything up to its limits is lent.
const REQUESTED: [(&str, &str); 2] = [("cpu", "10m"), ("memory", "64Mi")];

/// A first compile on a busy node may take this many tries, a few seconds apart.
const TRIES_AT_START: i64 = 30;
const SECONDS_BETWEEN_TRIES: i64 = 5;

/// The daemon's own private networks: what `allow: private` lets in.
const PRIVATE: [&str; 6] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
];

pub(super) fn file(
    what: &Export<'_>,
    volunteers: &[Exported],
) -> Result<ExportedFile, ExportError> {
    let mut documents = vec![namespace(what)];
    for (volunteer, wanted) in volunteers.iter().zip(&what.host.volunteers) {
        if wanted.network == Network::Host {
            return Err(ExportError::Inexpressible {
                format: "a manifest for Kubernetes",
                key: "network: host",
                target: volunteer.target.clone(),
            });
        }
        documents.push(daemon_set(what, volunteer));
    }
    documents.extend(volunteers.iter().map(|volunteer| policy(what, volunteer)));
    let documents: Vec<_> = documents
        .iter()
        .map(|document| Yaml::document(document))
        .collect();
    Ok(ExportedFile {
        name: "kubernetes.yaml".to_owned(),
        text: format!("{}---\n{}", header(what), documents.join("---\n")),
    })
}

fn header(what: &Export<'_>) -> String {
    format!(
        "# Farm {farm} for Kubernetes: kubectl apply -f kubernetes.yaml\n\
         # Made by `{command}`: change the manifest, not this file.\n\
         #\n\
         # Every node runs every target and opens its port itself (hostPort). Probes are a real compile; a volunteer whose\n\
         # slots are all taken answers late, so only readiness depends on them. Images named farmctl/… are loaded into the\n\
         # nodes (imagePullPolicy: Never); `farmctl export kubernetes --registry` names a registry instead.\n\
         #\n\
         # What has no word here, and farmctl sets: the limits on processes and core files, the preference when memory runs\n\
         # out, noexec for /tmp, the address on which ports are open. The network policy holds where the cluster's network\n\
         # enforces it; the daemon checks its clients' addresses all the same.\n",
        farm = what.farm.name,
        command = what.command,
    )
}

fn object(version: &str, kind: &str, metadata: Yaml, more: Entries) -> Entries {
    let mut entries = Yaml::entries([
        ("apiVersion", Yaml::text(version)),
        ("kind", Yaml::text(kind)),
        ("metadata", metadata),
    ]);
    entries.extend(more);
    entries
}

/// Ports of the node are for the privileged only; everything else the strictest of the standards would allow.
fn namespace(what: &Export<'_>) -> Entries {
    let labels = Yaml::map([(
        "pod-security.kubernetes.io/enforce",
        Yaml::text("privileged"),
    )]);
    let metadata = Yaml::map([("name", Yaml::text(space(what))), ("labels", labels)]);
    object("v1", "Namespace", metadata, Vec::new())
}

fn space(what: &Export<'_>) -> String {
    format!("farmctl-{}", name(what.farm.name.as_str()))
}

/// Names have no underscores there, and no capitals.
fn name(text: &str) -> String {
    text.to_ascii_lowercase().replace('_', "-")
}

fn metadata(what: &Export<'_>, volunteer: &Exported) -> Yaml {
    Yaml::map([
        ("name", Yaml::text(name(volunteer.target.as_str()))),
        ("namespace", Yaml::text(space(what))),
        ("labels", labels(volunteer)),
    ])
}

fn labels(volunteer: &Exported) -> Yaml {
    Yaml::map([
        ("app.kubernetes.io/name", Yaml::text("distcc-volunteer")),
        (
            "app.kubernetes.io/instance",
            Yaml::text(name(volunteer.target.as_str())),
        ),
    ])
}

fn daemon_set(what: &Export<'_>, volunteer: &Exported) -> Entries {
    let shape = &volunteer.shape;
    let own = shape
        .labels
        .iter()
        .map(|(name, value)| (name.clone(), Yaml::text(value)));
    let mut pod_metadata = Yaml::entries([("labels", labels(volunteer))]);
    // Labels have a narrow alphabet there; annotations take any text.
    if !shape.labels.is_empty() {
        pod_metadata.push(("annotations".to_owned(), Yaml::Map(own.collect())));
    }
    let template = Yaml::map([
        ("metadata", Yaml::Map(pod_metadata)),
        ("spec", pod(volunteer)),
    ]);
    let update = Yaml::map([
        ("type", Yaml::text("RollingUpdate")),
        (
            "rollingUpdate",
            Yaml::map([("maxUnavailable", Yaml::number(1))]),
        ),
    ]);
    let spec = Yaml::map([
        ("selector", Yaml::map([("matchLabels", labels(volunteer))])),
        ("updateStrategy", update),
        ("template", template),
    ]);
    let spec = Yaml::entries([("spec", spec)]);
    object("apps/v1", "DaemonSet", metadata(what, volunteer), spec)
}

fn pod(volunteer: &Exported) -> Yaml {
    let shape = &volunteer.shape;
    let (user, group) = shape.user.split_once(':').unwrap_or((&shape.user, "0"));
    let node = Yaml::map([
        ("kubernetes.io/os", Yaml::text("linux")),
        (
            "kubernetes.io/arch",
            Yaml::text(Architecture::Amd64.as_str()),
        ),
    ]);
    let security = Yaml::map([
        ("runAsNonRoot", Yaml::flag(true)),
        ("runAsUser", Yaml::Plain(user.to_owned())),
        ("runAsGroup", Yaml::Plain(group.to_owned())),
        (
            "seccompProfile",
            Yaml::map([("type", Yaml::text("RuntimeDefault"))]),
        ),
    ]);
    let mut entries = Yaml::entries([
        ("automountServiceAccountToken", Yaml::flag(false)),
        ("enableServiceLinks", Yaml::flag(false)),
        ("nodeSelector", node),
        (
            "terminationGracePeriodSeconds",
            Yaml::number(shape.stop_seconds),
        ),
        ("securityContext", security),
        ("containers", Yaml::List(vec![container(volunteer)])),
        ("volumes", Yaml::List(volumes(shape))),
    ]);
    if let Some(hostname) = &shape.hostname {
        entries.insert(0, ("hostname".to_owned(), Yaml::text(name(hostname))));
    }
    Yaml::Map(entries)
}

fn container(volunteer: &Exported) -> Yaml {
    let shape = &volunteer.shape;
    let is_local = shape.image.as_str().starts_with("farmctl/");
    let pull = if is_local { "Never" } else { "IfNotPresent" };
    let security = Yaml::map([
        ("allowPrivilegeEscalation", Yaml::flag(false)),
        ("readOnlyRootFilesystem", Yaml::flag(shape.read_only)),
        (
            "capabilities",
            Yaml::map([("drop", Yaml::texts(&shape.dropped_capabilities))]),
        ),
    ]);
    let variables = shape.environment.iter().filter_map(|variable| {
        let (name, value) = variable.split_once('=')?;
        Some(Yaml::map([
            ("name", Yaml::text(name)),
            ("value", Yaml::text(value)),
        ]))
    });
    let mounts = places(shape).map(|(number, place)| {
        Yaml::map([
            ("name", Yaml::text(volume_name(number))),
            ("mountPath", Yaml::text(place)),
        ])
    });
    let mut entries = Yaml::entries([
        ("name", Yaml::text("distccd")),
        ("image", Yaml::text(shape.image.as_str())),
        ("imagePullPolicy", Yaml::text(pull)),
        ("command", Yaml::texts(&shape.entrypoint)),
        ("args", Yaml::texts(&shape.command)),
        ("workingDir", Yaml::text(&shape.working_directory)),
        ("env", Yaml::List(variables.collect())),
        ("ports", ports(volunteer)),
        ("securityContext", security),
        ("resources", resources(shape)),
        ("volumeMounts", Yaml::List(mounts.collect())),
    ]);
    if let Some(check) = &shape.health {
        let seconds = |nanoseconds: i64| nanoseconds / 1_000_000_000;
        let probe = |period: i64, failures: i64| {
            let command = Yaml::texts(check.test.iter().skip(1));
            Yaml::map([
                ("exec", Yaml::map([("command", command)])),
                ("periodSeconds", Yaml::number(period)),
                ("timeoutSeconds", Yaml::number(seconds(check.timeout))),
                ("failureThreshold", Yaml::number(failures)),
            ])
        };
        let start = probe(SECONDS_BETWEEN_TRIES, TRIES_AT_START);
        let ready = probe(seconds(check.interval), check.retries);
        entries.push(("startupProbe".to_owned(), start));
        entries.push(("readinessProbe".to_owned(), ready));
    }
    Yaml::Map(entries)
}

fn ports(volunteer: &Exported) -> Yaml {
    let port = |(address, port): (Option<std::net::IpAddr>, u16)| {
        let mut entries = Yaml::entries([
            ("name", Yaml::text(format!("port-{port}"))),
            ("containerPort", Yaml::number(port)),
            ("hostPort", Yaml::number(port)),
            ("protocol", Yaml::text("TCP")),
        ]);
        // One address cannot be that of every node, but a loopback's can.
        if let Some(address) = address.filter(std::net::IpAddr::is_loopback) {
            entries.push(("hostIP".to_owned(), Yaml::text(address.to_string())));
        }
        Yaml::Map(entries)
    };
    Yaml::List(volunteer.published().map(port).collect())
}

fn resources(shape: &Shape) -> Yaml {
    let mut limits = Yaml::entries([("memory", Yaml::text(shape.memory.to_string()))]);
    if shape.nano_cpus != 0 {
        limits.push(("cpu".to_owned(), Yaml::text(cpus(shape.nano_cpus))));
    }
    let requests = REQUESTED.map(|(name, amount)| (name, Yaml::text(amount)));
    Yaml::map([
        ("requests", Yaml::map(requests)),
        ("limits", Yaml::Map(limits)),
    ])
}

fn places(shape: &Shape) -> impl Iterator<Item = (usize, &String)> {
    shape.tmpfs.keys().enumerate()
}

fn volume_name(number: usize) -> String {
    format!("scratch-{number}")
}

fn volumes(shape: &Shape) -> Vec<Yaml> {
    let volume =
        |(number, (_, options)): (usize, (&String, &std::collections::BTreeSet<String>))| {
            let size = options
                .iter()
                .find_map(|option| option.strip_prefix("size="));
            let memory = Yaml::map([
                ("medium", Yaml::text("Memory")),
                ("sizeLimit", Yaml::text(size.unwrap_or("0"))),
            ]);
            Yaml::map([
                ("name", Yaml::text(volume_name(number))),
                ("emptyDir", memory),
            ])
        };
    shape.tmpfs.iter().enumerate().map(volume).collect()
}

/// In come those who may send jobs; out goes nobody.
fn policy(what: &Export<'_>, volunteer: &Exported) -> Entries {
    let mut ranges: Vec<String> = volunteer.allow.iter().flat_map(ranges_of).collect();
    ranges.dedup();
    let from = ranges
        .into_iter()
        .map(|range| Yaml::map([("ipBlock", Yaml::map([("cidr", Yaml::text(range))]))]));
    let ports = volunteer.published().map(|(_, port)| {
        Yaml::map([
            ("protocol", Yaml::text("TCP")),
            ("port", Yaml::number(port)),
        ])
    });
    let ingress = Yaml::map([
        ("from", Yaml::List(from.collect())),
        ("ports", Yaml::List(ports.collect())),
    ]);
    let spec = Yaml::map([
        (
            "podSelector",
            Yaml::map([("matchLabels", labels(volunteer))]),
        ),
        ("policyTypes", Yaml::texts(["Ingress", "Egress"])),
        ("ingress", Yaml::List(vec![ingress])),
        ("egress", Yaml::List(Vec::new())),
    ]);
    let spec = Yaml::entries([("spec", spec)]);
    object(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        metadata(what, volunteer),
        spec,
    )
}

/// A pod's own loopback is no matter of policies.
fn ranges_of(rule: &AllowRule) -> Vec<String> {
    match rule {
        AllowRule::Private => PRIVATE.map(str::to_owned).to_vec(),
        AllowRule::Local => Vec::new(),
        AllowRule::Range(range) => vec![range.to_string()],
        AllowRule::Any => ["0.0.0.0/0", "::/0"].map(str::to_owned).to_vec(),
    }
}
