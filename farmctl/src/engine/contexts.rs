//! Docker's contexts: engines that the user has given names, in the folder of docker's own settings.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::route::Route;
use super::{ClientEnvironment, EngineErrorKind};
use crate::farm::Certificates;

/// The context that stands for `DOCKER_HOST` and, without it, for the usual socket.
pub(super) const DEFAULT: &str = "default";

/// The contexts of one user.
#[derive(Debug)]
pub(super) struct Contexts {
    folder: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Meta {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Endpoints", default)]
    endpoints: BTreeMap<String, Endpoint>,
}

#[derive(Debug, Default, Deserialize)]
struct Endpoint {
    #[serde(rename = "Host", default)]
    host: String,
    #[serde(rename = "SkipTLSVerify", default)]
    skip_tls_verify: bool,
}

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(rename = "currentContext")]
    current_context: Option<String>,
}

impl Contexts {
    pub(super) fn of(client: &ClientEnvironment) -> Result<Self, EngineErrorKind> {
        let config = client.settings.as_ref().ok_or_else(|| EngineErrorKind::Settings {
            reason: "there is no folder with docker's settings: neither HOME nor DOCKER_CONFIG is set"
                .to_owned(),
        })?;
        Ok(Self {
            folder: config.join("contexts"),
        })
    }

    /// The way to the engine of the context `name`.
    pub(super) fn route(&self, name: &str) -> Result<Route, EngineErrorKind> {
        let key = hex::encode(Sha256::digest(name));
        let path = self.folder.join("meta").join(&key).join("meta.json");
        let meta: Meta = read(&path)?.ok_or_else(|| EngineErrorKind::NoContext {
            name: name.to_owned(),
            known: self.names(),
        })?;
        let endpoint = meta
            .endpoints
            .into_iter()
            .find(|(kind, _)| kind == "docker");
        let (_, endpoint) = endpoint.unwrap_or_default();
        if endpoint.skip_tls_verify {
            let name = name.to_owned();
            return Err(EngineErrorKind::CarelessContext { name });
        }
        if endpoint.host.is_empty() {
            return Ok(Route::default_socket());
        }
        let certificates = self.folder.join("tls").join(&key).join("docker");
        let certificates = certificates
            .is_dir()
            .then(|| Certificates::in_folder(&certificates));
        let route = Route::read(&endpoint.host, certificates);
        route.ok_or(EngineErrorKind::BadEndpoint {
            endpoint: endpoint.host,
        })
    }

    /// What there is to choose from; a context that cannot be read is none.
    fn names(&self) -> Vec<String> {
        let folders = std::fs::read_dir(self.folder.join("meta"));
        let files = folders.into_iter().flatten().flatten();
        let mut names: Vec<String> = files
            .filter_map(|folder| read::<Meta>(&folder.path().join("meta.json")).ok()?)
            .map(|meta| meta.name)
            .collect();
        names.push(DEFAULT.to_owned());
        names.sort();
        names
    }
}

/// The context that `docker context use` chose.
pub(super) fn current(client: &ClientEnvironment) -> Result<Option<String>, EngineErrorKind> {
    let Some(folder) = &client.settings else {
        return Ok(None);
    };
    let config: Option<Config> = read(&folder.join("config.json"))?;
    Ok(config.and_then(|config| config.current_context))
}

/// A file that need not exist.
fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Option<T>, EngineErrorKind> {
    let unreadable = |reason: String| EngineErrorKind::Settings {
        reason: format!("cannot read {}: {reason}", path.display()),
    };
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| unreadable(error.to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::farm::DockerEndpoint;

    /// A user with these contexts.
    fn user(contexts: &[(&str, &str)]) -> (tempfile::TempDir, ClientEnvironment) {
        let home = tempfile::tempdir().unwrap();
        for (name, host) in contexts {
            let key = hex::encode(Sha256::digest(name));
            let folder = home.path().join("contexts/meta").join(&key);
            fs::create_dir_all(&folder).unwrap();
            let meta = json!({
                "Name": name,
                "Metadata": {},
                "Endpoints": { "docker": { "Host": host, "SkipTLSVerify": *name == "careless" } },
            });
            fs::write(folder.join("meta.json"), meta.to_string()).unwrap();
            if name.starts_with("tls") {
                let tls = home.path().join("contexts/tls").join(&key).join("docker");
                fs::create_dir_all(tls).unwrap();
            }
        }
        let client = ClientEnvironment {
            settings: Some(home.path().to_owned()),
            ..ClientEnvironment::default()
        };
        (home, client)
    }

    fn told(endpoint: &str, client: &ClientEnvironment) -> String {
        match Route::to(&endpoint.parse().unwrap(), client) {
            Ok(route @ Route::Tls { .. }) => format!("{route} with certificates"),
            Ok(route) => route.to_string(),
            Err(error) => format!("{}; {}", error.kind, error.hint().unwrap()),
        }
    }

    #[test]
    fn contexts_are_found_by_name() {
        let (_home, client) = user(&[
            ("nas", "ssh://me@nas"),
            ("tls-rack", "tcp://rack:2376"),
            ("open", "tcp://rack:2375"),
            ("rootless", "unix:///run/user/1000/docker.sock"),
            ("careless", "tcp://rack:2376"),
            ("odd", "npipe:////./pipe/docker_engine"),
        ]);
        let lines = [
            "nas", "tls-rack", "open", "rootless", "careless", "odd", "nsa", "default",
        ]
        .map(|name| format!("{name}: {}", told(&format!("context:{name}"), &client)));
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn the_current_context_is_what_local_means_unless_the_environment_says_otherwise() {
        let (home, mut client) = user(&[("nas", "ssh://me@nas"), ("rack", "ssh://rack")]);
        let config = json!({ "auths": {}, "currentContext": "nas" });
        fs::write(home.path().join("config.json"), config.to_string()).unwrap();
        assert_eq!(told("local", &client), "ssh://me@nas");
        client.context = Some("rack".to_owned());
        assert_eq!(told("local", &client), "ssh://rack");
        client.context = Some("default".to_owned());
        assert_eq!(told("local", &client), "unix:///var/run/docker.sock");
        client.host = Some("tcp://other:2375".to_owned());
        client.context = Some("rack".to_owned());
        assert_eq!(told("local", &client), "tcp://other:2375");
    }

    #[test]
    fn settings_that_are_broken_are_told_of() {
        let (home, client) = user(&[]);
        fs::write(home.path().join("config.json"), "{").unwrap();
        let error = Route::to(&DockerEndpoint::Local, &client).unwrap_err();
        assert!(error.to_string().contains("config.json"), "{error}");
    }
}
