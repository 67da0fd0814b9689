//! Which directories a compiler searches for headers by itself: asked once of each compiler.

use std::collections::HashMap;
use std::future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::TreePath;
use crate::sandbox::Sandbox;
use crate::supervise::{Allowance, Children, Command};

/// What the compilers said so far.
#[derive(Debug, Default)]
pub(crate) struct SearchLists {
    known: Mutex<HashMap<PathBuf, Arc<[TreePath]>>>,
}

/// Languages whose lists together are all that a client's compiler may have.
const LANGUAGES: [&str; 2] = ["c", "c++"];

/// Far more than it takes.
const ALLOWANCE: Allowance = Allowance {
    wall: Some(Duration::from_mins(1)),
    grace: Duration::from_secs(2),
    printed_bytes: 1 << 20,
};

impl SearchLists {
    /// The directories of `program`, which is asked if it was not before. `command` is that of a job for it.
    ///
    /// A compiler that does not tell has none: then a job that needs one fails, and its client compiles.
    pub(crate) async fn of(
        &self,
        command: &Command,
        children: &Arc<Children>,
        sandbox: &Sandbox,
    ) -> Arc<[TreePath]> {
        if let Some(known) = self.known().get(&command.program) {
            return Arc::clone(known);
        }
        let mut all = Vec::new();
        for language in LANGUAGES {
            all.extend(ask(command, language, children, sandbox).await);
        }
        all.sort();
        all.dedup();
        if all.is_empty() {
            tracing::warn!(program = %command.program.display(), "a compiler does not tell where it looks for headers");
            return all.into();
        }
        let all: Arc<[TreePath]> = all.into();
        self.known()
            .insert(command.program.clone(), Arc::clone(&all));
        all
    }

    fn known(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<[TreePath]>>> {
        // The map is whole after every statement, so a panic elsewhere does not matter.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs the compiler as the job would, on nothing.
async fn ask(
    job: &Command,
    language: &str,
    children: &Arc<Children>,
    sandbox: &Sandbox,
) -> Vec<TreePath> {
    let arguments = ["-v", "-E", "-x", language, "-", "-o", "/dev/null"];
    let command = Command {
        arguments: arguments.map(Into::into).to_vec(),
        directory: job.room.clone(),
        ..job.clone()
    };
    let group = children.spawn(&command, sandbox, ALLOWANCE);
    let told = group.wait(future::pending()).await;
    told.map(|ended| listed(&ended.stderr.bytes))
        .unwrap_or_default()
}

/// Reads the list that GCC and Clang print with `-v`.
fn listed(messages: &[u8]) -> Vec<TreePath> {
    let root = TreePath::default();
    messages
        .split(|byte| *byte == b'\n')
        .skip_while(|line| !line.starts_with(b"#include \"...\" search starts here:"))
        .take_while(|line| !line.starts_with(b"End of search list."))
        .filter_map(|line| line.strip_prefix(b" "))
        .filter(|path| path.starts_with(b"/"))
        .map(|path| root.resolve(path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: &str = "\
ignoring nonexistent directory \"/usr/local/include/x86_64-linux-gnu\"
#include \"...\" search starts here:
#include <...> search starts here:
 /usr/lib/gcc-cross/arm-linux-gnueabihf/12/include
 /usr/lib/gcc-cross/arm-linux-gnueabihf/12/../../../../arm-linux-gnueabihf/include
 /usr/include
End of search list.
 /etc
";

    #[test]
    fn the_list_is_between_its_two_lines() {
        let told: Vec<_> = listed(MESSAGES.as_bytes())
            .iter()
            .map(TreePath::to_string)
            .collect();
        let expected = [
            "/usr/lib/gcc-cross/arm-linux-gnueabihf/12/include",
            "/usr/arm-linux-gnueabihf/include",
            "/usr/include",
        ];
        assert_eq!(told, expected);
        assert!(listed(b"gcc: error: unrecognized\n /etc\n").is_empty());
    }
}
