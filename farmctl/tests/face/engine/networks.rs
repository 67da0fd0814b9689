//! Networks and volumes.

use axum::http::Method;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::router::{Call, created, done, ok, refusal, unknown};
use super::state::{Network, State};

pub(super) fn answer(call: &Call, rest: &[&str], state: &mut State) -> Response {
    let at = |state: &State, key: &str| {
        let mut networks = state.networks.iter();
        networks.position(|network| network.id == key || network.body["Name"] == key)
    };
    match (&call.method, rest) {
        (&Method::GET, [] | [""]) => {
            let networks = state
                .networks
                .iter()
                .filter(|network| is_wanted(call, network));
            ok(&networks.map(summary).collect())
        }
        (&Method::POST, ["create"]) => {
            let id = state.next_id();
            state.networks.push(Network {
                id: id.clone(),
                body: call.json(),
            });
            created(&json!({ "Id": id, "Warning": "" }))
        }
        (_, [key]) => match at(state, key) {
            None => refusal(404, &format!("network {key} not found")),
            Some(at) if call.method == Method::DELETE => {
                state.networks.remove(at);
                done()
            }
            Some(at) => ok(&summary(&state.networks[at])),
        },
        _ => unknown(call),
    }
}

fn is_wanted(call: &Call, network: &Network) -> bool {
    let has_label = |label: &String| has_label(&network.body["Labels"], label);
    let has_name = |name: &String| {
        network.body["Name"]
            .as_str()
            .is_some_and(|own| own.contains(name.as_str()))
    };
    let names = call.filter("name");
    call.filter("label").iter().all(has_label) && (names.is_empty() || names.iter().any(has_name))
}

fn has_label(labels: &Value, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((key, value)) => labels[key] == value,
        None => labels[wanted].is_string(),
    }
}

fn summary(network: &Network) -> Value {
    let mut summary = network.body.as_object().cloned().unwrap_or_else(Map::new);
    summary.insert("Id".to_owned(), json!(network.id));
    summary.insert("Scope".to_owned(), json!("local"));
    Value::Object(summary)
}

pub(super) fn volumes(call: &Call, rest: &[&str], state: &mut State) -> Response {
    match (&call.method, rest) {
        (&Method::GET, [] | [""]) => {
            let labels = call.filter("label");
            let is_wanted = |volume: &&Value| {
                labels
                    .iter()
                    .all(|label| has_label(&volume["Labels"], label))
            };
            let volumes: Vec<&Value> = state.volumes.values().filter(is_wanted).collect();
            ok(&json!({ "Volumes": volumes, "Warnings": [] }))
        }
        (&Method::POST, ["create"]) => {
            let mut volume = call.json();
            // What is asked for has another name than what is there.
            volume["Options"] = volume["DriverOpts"].take();
            for (key, value) in [
                ("Mountpoint", json!("")),
                ("Scope", json!("local")),
                ("Options", json!({})),
            ] {
                if volume[key].is_null() {
                    volume[key] = value;
                }
            }
            let name = volume["Name"].as_str().unwrap_or_default().to_owned();
            created(state.volumes.entry(name).or_insert(volume))
        }
        (&Method::DELETE, [name]) => match state.volumes.remove(*name) {
            Some(_volume) => done(),
            None => refusal(404, &format!("get {name}: no such volume")),
        },
        (&Method::GET, [name]) => match state.volumes.get(*name) {
            Some(volume) => ok(volume),
            None => refusal(404, &format!("get {name}: no such volume")),
        },
        _ => unknown(call),
    }
}
