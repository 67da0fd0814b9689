//! Certificates of a trial's own, made with openssl.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::process::Command;

use crate::farmctl;
use crate::scenario::Skip;

/// Somebody who vouches for engines and their users.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
}

/// What a certificate is good for.
#[derive(Debug, Clone, Copy)]
enum Use {
    Server,
    Client,
}

impl Authority {
    /// An authority that nobody knows yet.
    ///
    /// # Errors
    /// There is no openssl ([`Skip`]).
    pub async fn create() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("farmtest-ca").tempdir()?;
        let authority = Self { folder };
        let line = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority \
                    -keyout ca.key -out ca.pem";
        authority.openssl(line).await?;
        Ok(authority)
    }

    /// A folder with what an engine proves itself with, under these subjectAltName entries: `IP:10.213.7.1`.
    ///
    /// # Errors
    /// openssl fails.
    pub async fn engine(&self, names: &str) -> Result<PathBuf> {
        self.certify("engine", names, Use::Server).await
    }

    /// A folder with what a user proves himself with, as docker's own command wants it.
    ///
    /// # Errors
    /// openssl fails.
    pub async fn user(&self) -> Result<PathBuf> {
        self.certify("user", "DNS:user", Use::Client).await
    }

    /// The certificate of the authority itself.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    async fn certify(&self, name: &str, names: &str, purpose: Use) -> Result<PathBuf> {
        let folder = self.folder.path().join(name);
        fs::create_dir_all(&folder)?;
        let purpose = match purpose {
            Use::Server => "serverAuth",
            Use::Client => "clientAuth",
        };
        fs::write(
            folder.join("extensions"),
            format!("subjectAltName={names}\nextendedKeyUsage={purpose}\n"),
        )?;
        fs::copy(self.certificate(), folder.join("ca.pem"))?;
        self.openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} -keyout {name}/key.pem -out \
             {name}/request"
        ))
        .await?;
        self.openssl(&format!(
            "x509 -req -in {name}/request -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile \
             {name}/extensions -out {name}/cert.pem"
        ))
        .await?;
        Ok(folder)
    }

    async fn openssl(&self, line: &str) -> Result<()> {
        if !Path::new("/usr/bin/openssl").exists() {
            return Err(Skip("openssl is not installed".to_owned()).into());
        }
        let mut command = Command::new("/usr/bin/openssl");
        command
            .args(line.split_whitespace())
            .current_dir(self.folder.path());
        let ran = farmctl::run("openssl", &mut command).await?;
        ran.success().context("openssl fails").map(drop)
    }
}
