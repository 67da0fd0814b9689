//! Carries the proof out.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::join_all;

use super::super::facts::client::Client;
use super::super::facts::compilers::{Compiler, Compilers};
use super::super::facts::job::{Job, first_lines, send};
use super::super::facts::program::run;
use super::super::{Fact, Unknown};
use super::{OPTIONS, Outcome, Proof, SOURCES, Source, Verdict, comment, compare};

/// How long a host may take for one of the sources.
const PATIENCE: Duration = Duration::from_mins(1);

/// A host to prove.
#[derive(Debug, Clone)]
pub struct Witness {
    /// Its name and port.
    pub place: String,
    /// It as it stands in the list.
    pub item: String,
    /// Its address.
    pub address: SocketAddr,
}

/// What the proof is made with.
#[derive(Debug)]
pub struct Prover<'f> {
    /// This machine's compilers.
    pub compilers: &'f Compilers,
    /// The client that sends; without one the doctor does.
    pub client: Option<&'f Client>,
    /// PATH without masquerade.
    pub path: String,
}

/// Compiles every source here once and at each witness, and compares.
pub async fn prove(prover: &Prover<'_>, witnesses: &[Witness]) -> Fact<Vec<Proof>> {
    let folder = tempfile::tempdir().map_err(Unknown::because)?;
    let mut proofs = Vec::new();
    for source in &SOURCES {
        fs::write(folder.path().join(source.name), source.text).map_err(Unknown::because)?;
        let compiler = if source.is_cxx {
            &prover.compilers.cxx
        } else {
            &prover.compilers.c
        };
        let Some(compiler) = compiler else { continue };
        for options in OPTIONS {
            let compile = Compile {
                prover,
                compiler,
                source,
                options,
                folder: folder.path(),
            };
            proofs.extend(compile.prove(witnesses).await);
        }
    }
    // Witness by witness; the order of the sources stays.
    proofs.sort_by(|a, b| a.place.cmp(&b.place));
    Ok(proofs)
}

struct Compile<'p> {
    prover: &'p Prover<'p>,
    compiler: &'p Compiler,
    source: &'static Source,
    options: &'static [&'static str],
    folder: &'p Path,
}

impl Compile<'_> {
    async fn prove(&self, witnesses: &[Witness]) -> Vec<Proof> {
        let here = self.here(&[]).await;
        let there = witnesses
            .iter()
            .enumerate()
            .map(|(number, witness)| async move { (witness, self.there(number, witness).await) });
        let answers = join_all(there).await;
        let mut proofs = Vec::new();
        for (witness, there) in answers {
            let outcome = match (&here, &there) {
                (Err(reason), _) | (_, Err(Failed::NotTried(reason))) => {
                    Outcome::NotTried(reason.clone())
                }
                (_, Err(Failed::There(reason))) => Outcome::FailedThere(reason.clone()),
                (Ok(here), Ok(there)) => match compare(here, there) {
                    Ok(verdict) => Outcome::Compared(self.explained(verdict, here, there).await),
                    Err(reason) => Outcome::NotTried(reason),
                },
            };
            proofs.push(Proof {
                place: witness.place.clone(),
                source: self.source.name,
                options: self.options,
                by_distcc: self.prover.client.is_some(),
                here: here.as_deref().ok().and_then(comment::version),
                there: there.as_deref().ok().and_then(comment::version),
                outcome,
            });
        }
        proofs
    }

    /// Compiles with this machine's compiler.
    async fn here(&self, further: &[&str]) -> Fact<Vec<u8>> {
        let object = self.folder.join("here.o");
        self.compile_to(&object, self.options.iter().chain(further).copied())
            .await
    }

    async fn compile_to(
        &self,
        object: &Path,
        options: impl Iterator<Item = &str>,
    ) -> Fact<Vec<u8>> {
        let mut words: Vec<&str> = options.collect();
        let object_text = object.display().to_string();
        words.extend(["-c", self.source.name, "-o", &object_text]);
        let ran = run(&self.compiler.path, &words, |command| {
            command
                .current_dir(self.folder)
                .env("PATH", &self.prover.path);
        })
        .await?;
        if !ran.success {
            return Err(Unknown(format!(
                "it does not compile here: {}",
                first_lines(&ran.stderr).unwrap_or_default()
            )));
        }
        fs::read(object).map_err(Unknown::because)
    }

    async fn there(&self, number: usize, witness: &Witness) -> Result<Vec<u8>, Failed> {
        match self.prover.client {
            Some(client) => self.by_distcc(client, number, witness).await,
            None => self.over_the_wire(number, witness).await,
        }
    }

    /// As a build does it, but without falling back to this machine and with a folder of locks of its own.
    async fn by_distcc(
        &self,
        client: &Client,
        number: usize,
        witness: &Witness,
    ) -> Result<Vec<u8>, Failed> {
        let object = format!("there-{number}.o");
        let compiler: &str = &self.compiler.name;
        let mut words = vec![compiler];
        words.extend(self.options);
        words.extend(["-c", self.source.name, "-o", &object]);
        let locks = self.folder.join("locks");
        fs::create_dir_all(&locks).map_err(|error| Failed::NotTried(Unknown::because(error)))?;
        let ran = run(&client.path, &words, |command| {
            command
                .current_dir(self.folder)
                .env("PATH", &self.prover.path)
                .env("DISTCC_HOSTS", &witness.item)
                .env("DISTCC_FALLBACK", "0")
                .env("DISTCC_BACKOFF_PERIOD", "1")
                .env("DISTCC_DIR", &locks)
                .env("DISTCC_SKIP_LOCAL_RETRY", "1")
                .env_remove("DISTCC_VERBOSE")
                .env_remove("DISTCC_LOG")
                .env_remove("CCACHE_PREFIX");
        })
        .await
        .map_err(Failed::NotTried)?;
        if !ran.success {
            return Err(Failed::There(
                first_lines(&ran.stderr).unwrap_or_else(|| "distcc says nothing".to_owned()),
            ));
        }
        fs::read(self.folder.join(object)).map_err(|error| Failed::There(error.to_string()))
    }

    async fn over_the_wire(&self, number: usize, witness: &Witness) -> Result<Vec<u8>, Failed> {
        let file = self.preprocess(number).await.map_err(Failed::NotTried)?;
        let job = Job {
            compiler: self.compiler.wire_name().to_owned(),
            options: self
                .options
                .iter()
                .map(|option| (*option).to_owned())
                .collect(),
            file: self.source.name.to_owned(),
            source: fs::read(file).map_err(|error| Failed::NotTried(Unknown::because(error)))?,
        };
        send(witness.address, &job, PATIENCE)
            .await
            .map_err(|error| Failed::There(error.to_string()))
    }

    async fn preprocess(&self, number: usize) -> Fact<PathBuf> {
        let file = self.folder.join(format!("preprocessed-{number}"));
        let file_text = file.display().to_string();
        let mut words = self.options.to_vec();
        words.extend(["-E", self.source.name, "-o", &file_text]);
        let ran = run(&self.compiler.path, &words, |command| {
            command
                .current_dir(self.folder)
                .env("PATH", &self.prover.path);
        })
        .await?;
        if ran.success {
            Ok(file)
        } else {
            Err(Unknown(first_lines(&ran.stderr).unwrap_or_default()))
        }
    }

    /// Looks for the option that explains a difference between compilers of one version.
    async fn explained(&self, verdict: Verdict, here: &[u8], there: &[u8]) -> Verdict {
        let Verdict::Different { sections, .. } = verdict else {
            return verdict;
        };
        let mut as_if = None;
        if comment::version(here) == comment::version(there) {
            for option in DEFAULTS {
                let Ok(changed) = self.here(&[option]).await else {
                    continue;
                };
                if matches!(
                    compare(&changed, there),
                    Ok(Verdict::Identical | Verdict::SameCode { .. })
                ) {
                    as_if = Some((*option).to_owned());
                    break;
                }
            }
        }
        Verdict::Different { sections, as_if }
    }
}

/// What distributions configure their compilers with, each in its own way.
const DEFAULTS: &[&str] = &[
    "-fno-pie",
    "-fPIE",
    "-fno-stack-protector",
    "-fstack-protector-strong",
    "-fcf-protection=none",
    "-fcf-protection=full",
    "-marm",
    "-mthumb",
    "-mno-outline-atomics",
    "-moutline-atomics",
];

enum Failed {
    NotTried(Unknown),
    There(String),
}
