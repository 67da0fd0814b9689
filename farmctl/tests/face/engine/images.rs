//! Images: they come in by `docker load`. All have the same size, whatever they hold.

use std::collections::HashMap;
use std::io::Read;

use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::router::{Call, ok, refusal, unknown};
use super::state::{Image, State};

const BYTES: u64 = 100_000_000;

pub(super) fn answer(call: &Call, rest: &[&str], state: &mut State) -> Response {
    // Names of images have slashes of their own.
    let (key, what) = match rest {
        ["json"] => return list(call, state),
        ["load"] => return load(call, state),
        ["create"] => return pull(call, state),
        [key @ .., "json"] => (key.join("/"), "json"),
        [key @ .., "tag"] => (key.join("/"), "tag"),
        key => (key.join("/"), ""),
    };
    let key = key.replace("%2F", "/").replace("%3A", ":");
    let Some(image) = state.image(&key) else {
        return refusal(404, &format!("No such image: {key}"));
    };
    match (&call.method, what) {
        (&Method::GET, "json") => ok(&inspection(image)),
        (&Method::POST, "tag") => {
            let tag = format!("{}:{}", call.query["repo"], call.query["tag"]);
            image.tags.push(tag);
            ok(&Value::Null)
        }
        (&Method::DELETE, "") => {
            image.tags.retain(|tag| *tag != key);
            state
                .images
                .retain(|image| image.id != key && !image.tags.is_empty());
            ok(&json!([{ "Untagged": key }]))
        }
        _ => unknown(call),
    }
}

/// One registry has every image; there is no other.
fn pull(call: &Call, state: &mut State) -> Response {
    let tag = call.query["fromImage"].clone();
    if !tag.starts_with("registry.lan/") {
        return refusal(
            404,
            "pull access denied: the fake engine reaches no registry",
        );
    }
    let id = format!("sha256:{}", state.next_id());
    state.images.retain(|image| !image.tags.contains(&tag));
    state.images.push(Image {
        id,
        tags: vec![tag],
        config: json!({ "config": { "Labels": {} } }),
    });
    ok(&json!({ "status": "Downloaded" }))
}

fn list(call: &Call, state: &State) -> Response {
    let (references, labels) = (call.filter("reference"), call.filter("label"));
    let matches = |image: &&Image| {
        let refers = |reference: &String| {
            let start = reference.trim_end_matches('*');
            image.tags.iter().any(|tag| tag.starts_with(start))
        };
        let has = |wanted: &String| match wanted.split_once('=') {
            Some((key, value)) => labels_of(image)[key] == value,
            None => labels_of(image)[wanted].is_string(),
        };
        (references.is_empty() || references.iter().any(refers)) && labels.iter().all(has)
    };
    ok(&state.images.iter().filter(matches).map(summary).collect())
}

fn labels_of(image: &Image) -> &Value {
    &image.config["config"]["Labels"]
}

fn summary(image: &Image) -> Value {
    let labels = labels_of(image).as_object().cloned().unwrap_or_default();
    json!({
        "Id": image.id, "ParentId": "", "RepoTags": image.tags, "RepoDigests": [], "Created": 0,
        "Size": BYTES, "SharedSize": -1, "VirtualSize": BYTES, "Labels": labels, "Containers": -1,
    })
}

fn inspection(image: &Image) -> Value {
    json!({
        "Id": image.id, "RepoTags": image.tags, "RepoDigests": [], "Size": BYTES, "VirtualSize": BYTES,
        "Os": "linux", "Architecture": "amd64", "Config": image.config["config"],
    })
}

/// Reads the archive that `docker load` takes, as far as names and configurations go.
fn load(call: &Call, state: &mut State) -> Response {
    let mut files: HashMap<String, Vec<u8>> = HashMap::new();
    let mut archive = tar::Archive::new(call.body.as_ref());
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        // Layers are long, and nobody looks into them.
        if entry.size() < 1 << 20 {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.insert(path, content);
        }
    }
    let Some(manifest) = files.get("manifest.json") else {
        return refusal(400, "unexpected EOF");
    };
    let manifest: Value = serde_json::from_slice(manifest).unwrap();
    for entry in manifest.as_array().unwrap() {
        let config = entry["Config"].as_str().unwrap();
        let tags = entry["RepoTags"].as_array().unwrap();
        let tags: Vec<String> = tags
            .iter()
            .map(|tag| tag.as_str().unwrap().to_owned())
            .collect();
        for image in &mut state.images {
            image.tags.retain(|tag| !tags.contains(tag));
        }
        let id = config.rsplit('/').next().unwrap().trim_end_matches(".json");
        state
            .images
            .retain(|image| image.id != format!("sha256:{id}"));
        state.images.push(Image {
            id: format!("sha256:{id}"),
            tags,
            config: serde_json::from_slice(&files[config]).unwrap(),
        });
    }
    ok(&json!({ "stream": "Loaded" }))
}
