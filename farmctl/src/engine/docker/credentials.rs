//! Who this user is to a registry, from where Docker's own command keeps it: `config.json`, or a helper that it names.
//!
//! Nothing is kept, and nothing of it is ever in a message.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::engine::{DecodePaddingMode, Engine as _};
use bollard::auth::DockerCredentials;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::farm::ImageTag;

/// The part of `config.json` that is about registries.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Configuration {
    auths: HashMap<String, Entry>,
    creds_store: Option<String>,
    cred_helpers: HashMap<String, String>,
}

/// What `docker login` leaves where there is no helper.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase", default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// What a helper prints.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    username: String,
    secret: String,
}

/// Why credentials that there are cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum CredentialError {
    #[error("cannot read {path}: {reason}")]
    File { path: String, reason: String },
    #[error("{helper}: {reason}")]
    Helper { helper: String, reason: String },
    #[error("the credentials of {registry} are damaged")]
    Damaged { registry: String },
    #[error("the password for {registry} cannot be passed on to the engine")]
    Unspeakable { registry: String },
}

/// The registry that images without a registry in their name come from, as `config.json` calls it.
const HUB: &str = "https://index.docker.io/v1/";
/// A helper that waits for a person who is not there.
const PATIENCE: Duration = Duration::from_mins(1);
/// What a helper uses for tokens in the place of a user's name.
const TOKEN: &str = "<token>";

/// The registry that an image's name begins with.
pub(super) fn registry(image: &ImageTag) -> &str {
    match image.as_str().split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => first,
        _ => HUB,
    }
}

/// The credentials for `registry` in the folder of Docker's own configuration; `None` where there are none.
pub(super) async fn find(
    folder: Option<&Path>,
    registry: &str,
) -> Result<Option<DockerCredentials>, CredentialError> {
    let Some(configuration) = folder.map(read).transpose()?.flatten() else {
        return Ok(None);
    };
    let helper = configuration
        .cred_helpers
        .get(registry)
        .or(configuration.creds_store.as_ref());
    let found = match helper {
        Some(helper) => ask_program(&format!("docker-credential-{helper}"), registry).await?,
        None => written(&configuration, registry)?,
    };
    match found {
        Some(found) if !can_be_passed_on(&found) => Err(CredentialError::Unspeakable {
            registry: registry.to_owned(),
        }),
        found => Ok(found),
    }
}

fn read(folder: &Path) -> Result<Option<Configuration>, CredentialError> {
    let path = folder.join("config.json");
    let failed = |reason: String| CredentialError::File {
        path: path.display().to_string(),
        reason,
    };
    match std::fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| failed(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error.to_string())),
    }
}

fn written(
    configuration: &Configuration,
    registry: &str,
) -> Result<Option<DockerCredentials>, CredentialError> {
    let Some((_, entry)) = configuration
        .auths
        .iter()
        .find(|(name, _)| bare(name) == bare(registry))
    else {
        return Ok(None);
    };
    let mut found = DockerCredentials {
        username: entry.username.clone(),
        password: entry.password.clone(),
        identitytoken: entry.identitytoken.clone(),
        registrytoken: entry.registrytoken.clone(),
        serveraddress: Some(registry.to_owned()),
        ..DockerCredentials::default()
    };
    if let Some(auth) = entry.auth.as_ref().filter(|auth| !auth.is_empty()) {
        let damaged = || CredentialError::Damaged {
            registry: registry.to_owned(),
        };
        let text = decoded(auth).and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(damaged)?;
        let (user, password) = text.split_once(':').ok_or_else(damaged)?;
        found.username = Some(user.to_owned());
        found.password = Some(password.trim_end_matches('\0').to_owned());
    }
    let has_any =
        found.username.is_some() || found.identitytoken.is_some() || found.registrytoken.is_some();
    Ok(has_any.then_some(found))
}

/// Old versions of Docker's command wrote addresses where new ones write names.
fn bare(registry: &str) -> &str {
    let name = registry
        .trim_start_matches("https://")
        .trim_start_matches("http://");
    let name = name.split('/').next().unwrap_or(name);
    if name == "docker.io" {
        "index.docker.io"
    } else {
        name
    }
}

async fn ask_program(
    program: &str,
    registry: &str,
) -> Result<Option<DockerCredentials>, CredentialError> {
    let failed = |reason: String| CredentialError::Helper {
        helper: program.to_owned(),
        reason,
    };
    let asked = async {
        let mut child = Command::new(program)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(format!("{registry}\n").as_bytes()).await?;
        }
        child.wait_with_output().await
    };
    let output = tokio::time::timeout(PATIENCE, asked)
        .await
        .map_err(|_elapsed| failed("it does not answer".to_owned()))?
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        // On standard output, and in these words only: the one failure that is none.
        let said = String::from_utf8_lossy(&output.stdout);
        return if said.contains("credentials not found") {
            Ok(None)
        } else {
            Err(failed(output.status.to_string()))
        };
    }
    let printed: Printed = serde_json::from_slice(&output.stdout)
        .map_err(|_damaged| failed("it printed no credentials".to_owned()))?;
    let (token, password) = if printed.username == TOKEN {
        (Some(printed.secret), None)
    } else {
        (None, Some(printed.secret))
    };
    Ok(Some(DockerCredentials {
        username: password.is_some().then_some(printed.username),
        password,
        identitytoken: token,
        serveraddress: Some(registry.to_owned()),
        ..DockerCredentials::default()
    }))
}

/// Engines read the header in base64 for addresses; the client library writes the plain kind, which differs where a
/// group of six bits is 62 or 63.
fn can_be_passed_on(credentials: &DockerCredentials) -> bool {
    let text = serde_json::to_vec(credentials).unwrap_or_default();
    !STANDARD.encode(text).contains(['+', '/'])
}

/// With or without padding: both are found.
fn decoded(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(text).ok()
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_image_names_its_registry_or_means_docker_hub() {
        for (image, expected) in [
            ("registry.lan:5000/farmctl/armv5:1", "registry.lan:5000"),
            ("localhost/x", "localhost"),
            ("ghcr.io/a/b@sha256:00", "ghcr.io"),
            ("library/x:1", HUB),
            ("x:1", HUB),
        ] {
            assert_eq!(registry(&ImageTag::new(image)), expected, "{image}");
        }
    }

    #[test]
    fn base64_is_read_back() {
        for (text, expected) in [
            ("", ""),
            ("bQ==", "m"),
            ("bQ", "m"),
            ("bWU=", "me"),
            ("bWU6", "me:"),
            ("bWU6c2VjcmV0", "me:secret"),
        ] {
            assert_eq!(
                decoded(text).as_deref(),
                Some(expected.as_bytes()),
                "{text}"
            );
        }
        assert_eq!(decoded("b?=="), None);
    }

    #[tokio::test]
    async fn what_docker_login_wrote_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let none = find(Some(folder.path()), "registry.lan").await.unwrap();
        assert_eq!(none, None);
        let text = r#"{ "auths": { "https://registry.lan/v1/": { "auth": "bWU6c2U6Y3JldA==" }, "other.lan": {} } }"#;
        std::fs::write(folder.path().join("config.json"), text).unwrap();
        let found = find(Some(folder.path()), "registry.lan")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.username.as_deref(), Some("me"));
        assert_eq!(found.password.as_deref(), Some("se:cret"));
        assert_eq!(find(Some(folder.path()), "other.lan").await.unwrap(), None);
        assert_eq!(find(None, "registry.lan").await.unwrap(), None);
    }

    #[tokio::test]
    async fn damaged_settings_are_no_missing_ones() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        for text in [
            "{",
            r#"{ "auths": { "r.lan": { "auth": "bWU=" } } }"#,
            r#"{ "auths": { "r.lan": { "auth": "??" } } }"#,
        ] {
            std::fs::write(&file, text).unwrap();
            assert!(find(Some(folder.path()), "r.lan").await.is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_helper_that_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{ "credHelpers": { "r.lan": "farmctl-test-missing" } }"#;
        std::fs::write(folder.path().join("config.json"), text).unwrap();
        let error = find(Some(folder.path()), "r.lan").await.unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("docker-credential-farmctl-test-missing: "),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_helper_is_asked_with_the_registrys_name() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("docker-credential-x");
        let script = "#!/bin/sh\nread server\necho \"{\\\"Username\\\":\\\"me\\\",\\\"Secret\\\":\\\"of $server\\\"}\"\n";
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let found = ask_program(&program.display().to_string(), "r.lan").await;
        let found = found.unwrap().unwrap();
        assert_eq!(found.password.as_deref(), Some("of r.lan"));
    }

    #[test]
    fn what_the_client_library_would_garble_is_found() {
        let credentials = |password: &str| DockerCredentials {
            username: Some("me".to_owned()),
            password: Some(password.to_owned()),
            ..DockerCredentials::default()
        };
        assert!(can_be_passed_on(&credentials("simple")));
        let garbled = ["~", "a~", "aa~"].map(|password| can_be_passed_on(&credentials(password)));
        assert_eq!(garbled.iter().filter(|passes| !**passes).count(), 1);
    }
}
