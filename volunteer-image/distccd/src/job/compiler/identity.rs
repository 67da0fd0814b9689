//! What a compiler says of itself, which is all that is known of the compilers of a machine.

use std::collections::HashMap;
use std::future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use volunteer_toolchain::{Compiler, Toolchain, objects_of};

use crate::job::environment;
use crate::sandbox::Sandbox;
use crate::supervise::{Allowance, Children, Command};

/// How to ask a compiler.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) children: &'a Arc<Children>,
    pub(crate) sandbox: &'a Sandbox,
    /// Where it may write: the directory of the job that wants to know.
    pub(crate) directory: &'a Path,
}

/// Far more than the answer takes.
const ALLOWANCE: Allowance = Allowance {
    wall: Some(Duration::from_secs(10)),
    grace: Duration::ZERO,
    printed_bytes: 64 * 1024,
};

/// Tells Clang not to warn of options that have done their work on the master, and to keep the job's directory out of
/// the object: its preprocessed sources do not say in which directory the master works.
const CLANG_DEFAULTS: [&str; 2] = ["-Qunused-arguments", "-fdebug-compilation-dir=."];

/// What is known of compilers, by path and time of change.
#[derive(Debug, Default)]
pub(super) struct Identities(Mutex<HashMap<(PathBuf, SystemTime), Arc<Toolchain>>>);

impl Identities {
    /// Each compiler of a machine is a toolchain of its own. `None` if the program does not say what it is, or compiles
    /// for a machine whose objects cannot be checked.
    pub(super) async fn ask(&self, program: &Path, asking: Asking<'_>) -> Option<Arc<Toolchain>> {
        let changed = program.metadata().and_then(|metadata| metadata.modified());
        let key = (program.to_owned(), changed.ok()?);
        if let Some(known) = self.known().get(&key) {
            return Some(Arc::clone(known));
        }
        let told = answer(program, asking).await?;
        let toolchain = Arc::new(toolchain(program, &told)?);
        tracing::info!(compiler = %program.display(), version = toolchain.compilers[0].major, triple = toolchain.target, "a compiler told what it is");
        self.known().insert(key, Arc::clone(&toolchain));
        Some(toolchain)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<(PathBuf, SystemTime), Arc<Toolchain>>> {
        // The map is whole after every statement, so a panic elsewhere does not matter.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(program: &Path, asking: Asking<'_>) -> Option<String> {
    let command = Command {
        program: program.to_owned(),
        arguments: vec!["-v".into()],
        directory: asking.directory.to_owned(),
        room: asking.directory.to_owned(),
        environment: environment(program, asking.directory),
    };
    let group = asking.children.spawn(&command, asking.sandbox, ALLOWANCE);
    let ended = group.wait(future::pending()).await.ok()?;
    let told = || String::from_utf8_lossy(&ended.stderr.bytes).into_owned();
    ended.status.success().then(told)
}

/// Reads what `-v` prints: both families tell `Target: TRIPLE`, and `gcc version 12.2.0 …` or `… clang version 14.0.6`.
fn toolchain(program: &Path, told: &str) -> Option<Toolchain> {
    let triple = told
        .lines()
        .find_map(|line| line.strip_prefix("Target: "))?;
    let version = |line: &str| {
        let (before, after) = line.split_once(" version ")?;
        let clang = match before.rsplit(' ').next()? {
            "gcc" => false,
            "clang" => true,
            _ => return None,
        };
        let major = after.split(['.', ' ', '-']).next()?.parse().ok()?;
        Some((clang, major))
    };
    let (clang, major) = told.lines().find_map(version)?;
    let defaults: &[&str] = if clang { &CLANG_DEFAULTS } else { &[] };
    Some(Toolchain {
        target: triple.to_owned(),
        triples: vec![triple.to_owned()],
        object: objects_of(triple)?,
        defaults: defaults.iter().map(|&word| word.to_owned()).collect(),
        compilers: vec![Compiler {
            major,
            gcc: program.to_owned(),
            gxx: program.to_owned(),
        }],
        headers: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_tell_their_version_and_target() {
        let cases = [
            (
                "Using built-in specs.\nTarget: x86_64-linux-gnu\ngcc version 12.2.0 (Debian 12.2.0-14)\n",
                "12 x86_64-linux-gnu ELF64 x86-64 ",
            ),
            (
                "Target: arm-linux-gnueabihf\ngcc version 14-win (x)\n",
                "14 arm-linux-gnueabihf ELF32 ARM (ABI_VFP_args: VFP registers) ",
            ),
            (
                "Debian clang version 14.0.6\nTarget: x86_64-pc-linux-gnu\n",
                "14 x86_64-pc-linux-gnu ELF64 x86-64 -Qunused-arguments -fdebug-compilation-dir=.",
            ),
            (
                "clang version 18.1.8\nTarget: aarch64-unknown-linux-gnu\n",
                "18 aarch64-unknown-linux-gnu ELF64 AArch64 -Qunused-arguments -fdebug-compilation-dir=.",
            ),
        ];
        for (told, expected) in cases {
            let found = toolchain(Path::new("/usr/bin/cc"), told).unwrap();
            let defaults = found.defaults.join(" ");
            let major = found.compilers[0].major;
            assert_eq!(
                format!("{major} {} {} {defaults}", found.target, found.object),
                expected
            );
        }
    }

    #[test]
    fn a_program_that_tells_less_is_no_compiler() {
        for told in [
            "",
            "gcc version 12.2.0\n",
            "Target: x86_64-linux-gnu\n",
            "Target: x86_64-linux-gnu\nGNU bash, version 5.2\n",
            "Target: s390x-linux-gnu\ngcc version 12.2.0\n",
            "Target: x86_64-w64-mingw32\ngcc version 12.2.0\n",
        ] {
            assert_eq!(toolchain(Path::new("/usr/bin/cc"), told), None, "{told}");
        }
    }
}
