//! Calls, and who answers them.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Query, Request, State as Extracted};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::OnUpgrade;
use serde_json::{Value, json};

use super::faults::Fault;
use super::{Death, Shared, containers, images, networks};

/// A call, with its path cut at the slashes.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: HashMap<String, String>,
    pub(super) body: Bytes,
}

impl Call {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(super) fn is(&self, name: &str) -> bool {
        matches!(self.query.get(name).map(String::as_str), Some("true" | "1"))
    }

    /// The values of a filter, such as `label`.
    pub(super) fn filter(&self, name: &str) -> Vec<String> {
        let filters = self.query.get("filters").map_or("{}", String::as_str);
        let filters: Value = serde_json::from_str(filters).unwrap();
        let values = filters[name].as_array().cloned().unwrap_or_default();
        values
            .iter()
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect()
    }
}

pub(super) fn app(shared: Arc<Shared>, death: Death) -> Router {
    Router::new().fallback(answer).with_state((shared, death))
}

async fn answer(
    Extracted((shared, death)): Extracted<(Arc<Shared>, Death)>,
    Query(query): Query<HashMap<String, String>>,
    request: Request,
) -> Response {
    let (mut head, body) = request.into_parts();
    let method = head.method;
    let path = without_version(head.uri.path()).to_owned();
    let name = format!("{method} {path}");
    // Even a refusal comes after the whole call: a client that cannot finish it would not read the answer.
    // What a connection that breaks did not bring is nothing that was asked for.
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return refusal(400, "unexpected EOF");
    };
    let fault = {
        let mut state = shared.state.lock().unwrap();
        if method != Method::GET && !path.starts_with("/exec/") && !path.ends_with("/exec") {
            state.changes.push(name.clone());
        }
        Fault::of(&mut state.faults, &name)
    };
    match fault {
        Some(Fault::Die(_)) => {
            let _told = death.send(());
            return std::future::pending().await;
        }
        Some(Fault::Refuse(_, status, message) | Fault::RefuseOnce(_, status, message)) => {
            return refusal(status, message);
        }
        Some(Fault::Slow(_, time)) => tokio::time::sleep(time).await,
        None => {}
    }
    if path.starts_with("/exec/")
        && let Some(upgrade) = head.extensions.remove::<OnUpgrade>()
    {
        return hang_up(upgrade);
    }
    let call = Call {
        method,
        path,
        query,
        body,
    };
    dispatch(&call, &shared)
}

/// The conversation with a program in a container: it says nothing and ends.
fn hang_up(upgrade: OnUpgrade) -> Response {
    tokio::spawn(async move { drop(upgrade.await) });
    let head = [("Connection", "Upgrade"), ("Upgrade", "tcp")];
    (StatusCode::SWITCHING_PROTOCOLS, head).into_response()
}

/// `/v1.41/info` is `/info`.
fn without_version(path: &str) -> &str {
    let rest = path
        .strip_prefix("/v1.")
        .and_then(|rest| rest.find('/').map(|at| &rest[at..]));
    rest.unwrap_or(path)
}

fn dispatch(call: &Call, shared: &Arc<Shared>) -> Response {
    let parts: Vec<&str> = call.path.split('/').skip(1).collect();
    let mut state = shared.state.lock().unwrap();
    match parts.as_slice() {
        ["_ping"] => "OK".into_response(),
        ["version"] => {
            let (version, api) = state.version.unwrap_or((VERSION, "1.41"));
            ok(&json!({ "Version": version, "ApiVersion": api, "MinAPIVersion": "1.12" }))
        }
        ["info"] => ok(&info()),
        ["containers", rest @ ..] => {
            if let [key, "logs"] = rest {
                let key = (*key).to_owned();
                drop(state);
                return containers::logs(call, &key, Arc::clone(shared));
            }
            containers::answer(call, rest, &mut state)
        }
        ["exec", rest @ ..] => containers::exec(rest),
        ["networks", rest @ ..] => networks::answer(call, rest, &mut state),
        ["volumes", rest @ ..] => networks::volumes(call, rest, &mut state),
        ["images", rest @ ..] => images::answer(call, rest, &mut state),
        _ => unknown(call),
    }
}

const VERSION: &str = "20.10.24";

/// A machine that nobody has.
fn info() -> Value {
    json!({
        "ID": "fake", "Name": "box", "ServerVersion": VERSION,
        "NCPU": 4, "MemTotal": 16_u64 << 30,
        "Driver": "overlay2", "CgroupDriver": "systemd", "CgroupVersion": "2",
        "KernelVersion": "6.1.0", "OperatingSystem": "Debian GNU/Linux 12", "OSType": "linux",
        "Architecture": "x86_64", "DockerRootDir": "/var/lib/docker",
        "SecurityOptions": ["name=seccomp,profile=default", "name=cgroupns"],
        "MemoryLimit": true, "PidsLimit": true, "IPv4Forwarding": true,
    })
}

pub(super) fn ok(value: &Value) -> Response {
    with_status(StatusCode::OK, value)
}

pub(super) fn created(value: &Value) -> Response {
    with_status(StatusCode::CREATED, value)
}

pub(super) fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

pub(super) fn refusal(status: u16, message: &str) -> Response {
    with_status(
        StatusCode::from_u16(status).unwrap(),
        &json!({ "message": message }),
    )
}

/// A call that the fake does not know must not pass unnoticed.
pub(super) fn unknown(call: &Call) -> Response {
    refusal(
        501,
        &format!(
            "the fake engine does not know {} {}",
            call.method, call.path
        ),
    )
}

fn with_status(status: StatusCode, value: &Value) -> Response {
    let head = [("Content-Type", "application/json")];
    (status, head, Body::from(value.to_string())).into_response()
}
