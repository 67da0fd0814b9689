//! What the compilers say about themselves, asked once, when somebody wants to know.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use crate::accept::Service;
use crate::job::{self, Compilers};

/// The answer to `/toolchain`, once it is known.
#[derive(Debug, Default)]
pub(super) struct Toolchains(OnceCell<Arc<Description>>);

/// The compilers of this volunteer.
#[derive(Debug, Serialize)]
pub(super) struct Description {
    target: String,
    triples: Vec<String>,
    /// What every object that leaves is, where that is fixed.
    object: Option<String>,
    /// Options that are put before the client's.
    defaults: Vec<String>,
    /// The preferred one first.
    compilers: Vec<Described>,
}

/// One compiler. What it does not tell is missing.
#[derive(Debug, Serialize)]
struct Described {
    version: Option<String>,
    triple: Option<String>,
    programs: Vec<Program>,
    /// Code generation options that hold where the client gives none.
    code_generation: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Program {
    path: PathBuf,
    sha256: Option<String>,
}

impl Toolchains {
    pub(super) async fn describe(&self, service: &Service) -> Arc<Description> {
        let known = self
            .0
            .get_or_init(|| async { Arc::new(description(service).await) });
        Arc::clone(known.await)
    }
}

async fn description(service: &Service) -> Description {
    let mut description = Description {
        target: service.compilers.target().to_owned(),
        triples: Vec::new(),
        object: None,
        defaults: Vec::new(),
        compilers: Vec::new(),
    };
    let drivers: Vec<Vec<PathBuf>> = match &service.compilers {
        Compilers::Image(toolchain) => {
            description.triples.clone_from(&toolchain.triples);
            description.object = Some(toolchain.object.to_string());
            description.defaults.clone_from(&toolchain.defaults);
            let compilers = toolchain.compilers.iter();
            compilers
                .map(|compiler| vec![compiler.gcc.clone(), compiler.gxx.clone()])
                .collect()
        }
        // One program may have many names.
        Compilers::Machine(machine) => {
            let there = machine.programs().into_iter();
            let programs: BTreeSet<_> = there.filter_map(|path| path.canonicalize().ok()).collect();
            programs.into_iter().map(|program| vec![program]).collect()
        }
    };
    for drivers in drivers {
        let described = described(service, drivers, &description.defaults).await;
        description.compilers.extend(described);
    }
    description
}

async fn described(
    service: &Service,
    drivers: Vec<PathBuf>,
    defaults: &[String],
) -> Option<Described> {
    let driver = drivers.first()?.clone();
    let mut paths = drivers;
    for name in ["cc1", "cc1plus"] {
        let path = asked(service, &driver, &[&format!("-print-prog-name={name}")]).await;
        // A name without a directory means that there is none.
        paths.extend(path.map(PathBuf::from).filter(|path| path.is_absolute()));
    }
    let mut options: Vec<_> = defaults.iter().map(String::as_str).collect();
    options.extend(["-Q", "--help=target"]);
    let help = asked(service, &driver, &options).await;
    Some(Described {
        version: asked(service, &driver, &["-dumpfullversion"]).await,
        triple: asked(service, &driver, &["-dumpmachine"]).await,
        programs: programs(paths).await,
        code_generation: help.map(|help| effective(&help)).unwrap_or_default(),
    })
}

/// What a compiler prints, without the end of its last line.
async fn asked(service: &Service, program: &Path, words: &[&str]) -> Option<String> {
    let question = job::ask(service, program, words);
    match question.await {
        Ok(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Err(error) => {
            tracing::warn!(%error, program = %program.display(), "a compiler does not answer");
            None
        }
    }
}

/// Reads the options that `-Q --help=target` shows to be on or to have a value.
fn effective(help: &str) -> Vec<String> {
    let option = |line: &str| {
        let mut words = line.strip_prefix("  -")?.split_whitespace();
        let (name, value) = (words.next()?, words.next());
        match value? {
            "[disabled]" | "[default]" => None,
            "[enabled]" => Some(format!("-{name}")),
            value if name.ends_with('=') => Some(format!("-{name}{value}")),
            _ => None,
        }
    };
    help.lines().filter_map(option).collect()
}

async fn programs(paths: Vec<PathBuf>) -> Vec<Program> {
    let hashed = tokio::task::spawn_blocking(move || {
        let program = |path: PathBuf| Program {
            sha256: sha256(&path).ok(),
            path,
        };
        paths.into_iter().map(program).collect()
    });
    hashed.await.unwrap_or_default()
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut HashWriter(&mut hasher))?;
    Ok(hex::encode(hasher.finalize()))
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_are_on_or_have_a_value_are_effective() {
        let help = "The following options are target specific:\n\
            \x20 -m128bit-long-double        \t\t[enabled]\n\
            \x20 -m16                        \t\t[disabled]\n\
            \x20 -march=                     \t\tarmv7-a+fp\n\
            \x20 -mcpu=                      \t\t[default]\n\
            \x20 -mfpmath=                   \t\tneon\n\
            \x20 -mstructure-size-boundary=<8|32|64> \t0\n\
            \x20 -mtls-dialect=\n\n\
            \x20 Known assembler dialects (for use with the -masm= option):\n    att intel\n";
        assert_eq!(
            effective(help),
            ["-m128bit-long-double", "-march=armv7-a+fp", "-mfpmath=neon"]
        );
    }

    #[test]
    fn programs_are_told_by_their_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cc1");
        std::fs::write(&path, "abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&path).unwrap(), expected);
    }
}
