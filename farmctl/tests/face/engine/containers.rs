//! Containers: they are made, they run, and their published ports answer.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::{Body, Bytes};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Shared;
use super::compiler;
use super::router::{Call, created, done, ok, refusal, unknown};
use super::state::{Container, LogEntry, State};

pub(super) fn answer(call: &Call, rest: &[&str], state: &mut State) -> Response {
    match (&call.method, rest) {
        (&Method::GET, ["json"]) => list(call, state),
        (&Method::POST, ["create"]) => create(call, state),
        (&Method::DELETE, [key]) => remove(call, key, state),
        (_, [key, what]) => {
            let Some(at) = state
                .containers
                .iter()
                .position(|container| container.id == **key || container.name == **key)
            else {
                return no_such(key);
            };
            on_one(call, at, what, state)
        }
        _ => unknown(call),
    }
}

fn on_one(call: &Call, at: usize, what: &str, state: &mut State) -> Response {
    if what == "json" {
        return ok(&inspection(&state.containers[at]));
    }
    let container = &mut state.containers[at];
    match what {
        "start" if container.is_running() => refusal(304, ""),
        "start" => start(container),
        "restart" => {
            container.stop();
            start(container)
        }
        "stop" | "kill" if !container.is_running() => refusal(304, ""),
        "stop" | "kill" => {
            container.stop();
            done()
        }
        "pause" => {
            container.state = "paused";
            done()
        }
        "unpause" => {
            container.state = "running";
            done()
        }
        "update" => {
            let limits = call.json();
            for (key, value) in limits.as_object().into_iter().flatten() {
                container.body["HostConfig"][key] = value.clone();
            }
            ok(&json!({ "Warnings": [] }))
        }
        "rename" => {
            container.name.clone_from(&call.query["name"]);
            done()
        }
        "wait" => ok(&json!({ "StatusCode": 0 })),
        "exec" => {
            state.execs += 1;
            created(&json!({ "Id": format!("exec{}", state.execs) }))
        }
        _ => unknown(call),
    }
}

/// Whatever is run in a container succeeds and prints nothing.
pub(super) fn exec(rest: &[&str]) -> Response {
    match rest {
        [id, "json"] => ok(&json!({ "ID": id, "Running": false, "ExitCode": 0 })),
        [_, "start"] => switched(),
        _ => refusal(404, "no such exec"),
    }
}

/// From here on the connection is the command's, which is at its end already.
fn switched() -> Response {
    let head = [("Connection", "Upgrade"), ("Upgrade", "tcp")];
    (axum::http::StatusCode::SWITCHING_PROTOCOLS, head).into_response()
}

fn list(call: &Call, state: &State) -> Response {
    let labels = call.filter("label");
    let matches = |container: &&Container| {
        let has = |wanted: &String| match wanted.split_once('=') {
            Some((key, value)) => container.label(key) == Some(value),
            None => container.label(wanted).is_some(),
        };
        labels.iter().all(has) && (call.is("all") || container.is_running())
    };
    let containers = state.containers.iter().filter(matches);
    ok(&containers.map(summary).collect())
}

fn create(call: &Call, state: &mut State) -> Response {
    let (name, mut body) = (call.query["name"].clone(), call.json());
    if let Some(other) = state.container(&name) {
        return refusal(
            409,
            &format!(
                "Conflict. The container name \"/{name}\" is already in use by container \"{}\".",
                other.id
            ),
        );
    }
    let image = body["Image"].as_str().unwrap_or_default().to_owned();
    let Some(found) = state.image(&image) else {
        return refusal(404, &format!("No such image: {image}"));
    };
    let image_id = found.id.clone();
    let inherited = found.config["config"]["Labels"].clone();
    for (key, value) in inherited.as_object().into_iter().flatten() {
        if body["Labels"][key].is_null() {
            body["Labels"][key] = value.clone();
        }
    }
    let id = state.next_id();
    for mount in body["HostConfig"]["Mounts"]
        .as_array()
        .into_iter()
        .flatten()
    {
        if let (Some("volume"), Some(source)) = (mount["Type"].as_str(), mount["Source"].as_str()) {
            let options = &mount["VolumeOptions"];
            let volume = json!({
                "Name": source, "Driver": "local", "Mountpoint": "", "Scope": "local",
                "Labels": options["Labels"].as_object().cloned().unwrap_or_default(),
                "Options": options["DriverConfig"]["Options"].as_object().cloned().unwrap_or_default(),
            });
            state.volumes.entry(source.to_owned()).or_insert(volume);
        }
    }
    state.containers.push(Container {
        id: id.clone(),
        name,
        body,
        image_id,
        state: "created",
        created: SystemTime::now(),
        log: Vec::new(),
        ports: Vec::new(),
    });
    created(&json!({ "Id": id, "Warnings": [] }))
}

fn start(container: &mut Container) -> Response {
    match listen(container) {
        Ok(()) => {
            container.state = "running";
            done()
        }
        Err(message) => refusal(500, &message),
    }
}

/// Opens the published ports.
fn listen(container: &mut Container) -> Result<(), String> {
    let target = container
        .label("farmctl.target")
        .unwrap_or_default()
        .to_owned();
    for (address, _inside) in published(container) {
        match compiler::serve(address, &target) {
            Ok(port) => container.ports.push(port),
            Err(error) => {
                container.close();
                return Err(format!(
                    "driver failed programming external connectivity on endpoint {}: Bind for {address} failed: port \
                     is already allocated ({error})",
                    container.name
                ));
            }
        }
    }
    Ok(())
}

/// After the engine was started again.
pub(super) fn listen_again(state: &mut State) {
    for container in state
        .containers
        .iter_mut()
        .filter(|container| container.is_running())
    {
        container.ports.clear();
        listen(container).unwrap();
    }
}

fn remove(call: &Call, key: &str, state: &mut State) -> Response {
    let Some(at) = state
        .containers
        .iter()
        .position(|container| container.id == key || container.name == key)
    else {
        return no_such(key);
    };
    if state.containers[at].is_running() && !call.is("force") {
        return refusal(
            409,
            "You cannot remove a running container. Stop it or force remove",
        );
    }
    state.containers.remove(at).stop();
    done()
}

fn no_such(key: &str) -> Response {
    refusal(404, &format!("No such container: {key}"))
}

fn published(container: &Container) -> Vec<(SocketAddr, u16)> {
    let bindings = container.body["HostConfig"]["PortBindings"].as_object();
    let mut published = Vec::new();
    for (inside, bindings) in bindings.into_iter().flatten() {
        let inside: u16 = inside.trim_end_matches("/tcp").parse().unwrap();
        for binding in bindings.as_array().into_iter().flatten() {
            let text = |name: &str| binding[name].as_str().unwrap_or_default().to_owned();
            let address: IpAddr = text("HostIp").parse().unwrap();
            let port: u16 = text("HostPort").parse().unwrap();
            published.push((SocketAddr::new(address, port), inside));
        }
    }
    published
}

fn has_check(container: &Container) -> bool {
    container.body["Healthcheck"]["Test"].is_array()
}

fn summary(container: &Container) -> Value {
    let ports = published(container).into_iter().map(|(address, inside)| {
        json!({
            "IP": address.ip().to_string(), "PublicPort": address.port(), "PrivatePort": inside, "Type": "tcp",
        })
    });
    let ports: Vec<Value> = if container.is_running() {
        ports.collect()
    } else {
        Vec::new()
    };
    let status = match container.state {
        "running" if has_check(container) => "Up 2 minutes (healthy)",
        "running" => "Up 2 minutes",
        "paused" => "Up 2 minutes (Paused)",
        "created" => "Created",
        _ => "Exited (0) 2 minutes ago",
    };
    json!({
        "Id": container.id, "Names": [format!("/{}", container.name)],
        "Image": container.body["Image"], "ImageID": "", "Command": "",
        "Created": seconds(container.created), "Ports": ports,
        "Labels": container.body["Labels"], "State": container.state, "Status": status,
        "HostConfig": { "NetworkMode": container.body["HostConfig"]["NetworkMode"] },
        "Mounts": [],
    })
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn inspection(container: &Container) -> Value {
    let health = match container.state {
        "running" if has_check(container) => {
            json!({ "Status": "healthy", "FailingStreak": 0, "Log": [] })
        }
        _ => Value::Null,
    };
    let network = container.body["HostConfig"]["NetworkMode"]
        .as_str()
        .unwrap_or("default");
    json!({
        "Id": container.id, "Name": format!("/{}", container.name),
        "Created": httpdate::fmt_http_date(container.created),
        "State": {
            "Status": container.state,
            "Running": container.is_running(), "Paused": container.state == "paused",
            "Restarting": false, "OOMKilled": false, "Dead": false, "Pid": 1, "ExitCode": 0,
            "Health": health,
        },
        "Image": container.image_id, "RestartCount": 0,
        "Config": container.body, "HostConfig": container.body["HostConfig"],
        "Mounts": mounts(container), "NetworkSettings": { "Networks": { network: {} } },
    })
}

fn mounts(container: &Container) -> Vec<Value> {
    let mounts = container.body["HostConfig"]["Mounts"].as_array();
    let mount = |mount: &Value| {
        json!({
            "Type": mount["Type"], "Name": mount["Source"], "Source": "", "Destination": mount["Target"],
            "Driver": "local", "Mode": "z", "RW": mount["ReadOnly"] != true, "Propagation": "",
        })
    };
    mounts.into_iter().flatten().map(mount).collect()
}

/// A container's log as the engine streams it; a follower waits for more until the container ends.
pub(super) fn logs(call: &Call, key: &str, shared: Arc<Shared>) -> Response {
    let entries = match shared.state.lock().unwrap().container(key) {
        Some(container) => container.log.len(),
        None => return no_such(key),
    };
    let tail: Option<usize> = call.query.get("tail").and_then(|tail| tail.parse().ok());
    let since: u64 = call
        .query
        .get("since")
        .map_or(0, |since| since.parse().unwrap());
    let reader = Reader {
        next: tail.map_or(0, |tail| entries.saturating_sub(tail)),
        shared,
        key: key.to_owned(),
        since,
        follow: call.is("follow"),
    };
    let frames = futures_util::stream::unfold(reader, async |mut reader| {
        let frame = reader.frame().await?;
        Some((Ok::<_, std::convert::Infallible>(frame), reader))
    });
    Body::from_stream(frames).into_response()
}

struct Reader {
    shared: Arc<Shared>,
    key: String,
    next: usize,
    since: u64,
    follow: bool,
}

impl Reader {
    async fn frame(&mut self) -> Option<Bytes> {
        loop {
            let is_running = {
                let mut state = self.shared.state.lock().unwrap();
                let container = state.container(&self.key)?;
                while let Some(entry) = container.log.get(self.next) {
                    self.next += 1;
                    if is_since(entry, self.since) {
                        return Some(frame(entry));
                    }
                }
                container.is_running()
            };
            if !self.follow || !is_running {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn is_since(entry: &LogEntry, since: u64) -> bool {
    let time = humantime::parse_rfc3339(&entry.time).unwrap();
    seconds(time) >= since
}

/// The stream's number, three zeros, the length, the line.
fn frame(entry: &LogEntry) -> Bytes {
    let line = format!("{} {}\n", entry.time, entry.message);
    let length = u32::try_from(line.len()).unwrap();
    let mut frame = vec![entry.stream, 0, 0, 0];
    frame.extend(length.to_be_bytes());
    frame.extend(line.bytes());
    frame.into()
}
