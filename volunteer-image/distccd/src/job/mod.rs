//! One compile job, from arguments to an outcome.
//!
//! ```text
//! arguments ──judge──► Accepted ──source arrives──► Received ──prepare──► Prepared ──start──► Running ──finish──► Finished
//!               │                                                            │                  │
//!               └── Refusal                                                  └── Unable         └── stopped, if need be
//! ```
//!
//! Each state is a type that only the one before it can become, so no step can be left out: a command exists only
//! for checked arguments ([`argv`], [`compiler`]) and a compiler that suits the client's own ([`client`], [`choice`]), a result only from a job's own directory ([`workspace`]), and an
//! object leaves only after it was looked at ([`artifact`]).

mod argv;
mod artifact;
mod choice;
mod client;
mod compiler;
mod incoming;
mod outcome;
mod refusal;
mod workspace;

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use distcc_wire::Version;
use volunteer_toolchain::ObjectFacts;

use crate::sandbox::Sandbox;
use crate::settings::VersionSkew;
use crate::supervise::{Allowance, Broken, Children, Command, Ended, Group, Printed, Stop, Usage};
use argv::{Plan, Product};
use compiler::Wanted;
use workspace::Workspace;

pub(crate) use argv::Shown;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use argv::{Driver, Plan as CheckedArguments, assert_sound};
pub(crate) use artifact::BadArtifact;
pub(crate) use choice::Reason;
pub(crate) use client::{Acquaintances, ClientCompiler};
pub(crate) use compiler::{Asking, Chosen, NoCompiler, is_program};
pub(crate) use incoming::{Incoming, IncomingError};
pub(crate) use outcome::{Outcome, Unable};
pub(crate) use refusal::Refusal;

pub use compiler::{Compilers, Machine, NoPermission, Permission, SearchPath};

/// A job whose arguments may run here; its source is still to come.
#[derive(Debug)]
pub(crate) struct Accepted {
    version: Version,
    wanted: Wanted,
    plan: Plan,
}

/// A job that is here in whole.
#[derive(Debug)]
pub(crate) struct Received {
    accepted: Accepted,
    workspace: Workspace,
    source_bytes: u64,
    /// The client's compiler, if the source names it.
    client: Option<ClientCompiler>,
}

/// A job whose command is decided.
#[derive(Debug)]
pub(crate) struct Prepared {
    chosen: Chosen,
    command: Command,
    product: Product,
    expected: Option<ObjectFacts>,
    workspace: Workspace,
}

/// A job whose compiler runs.
#[derive(Debug)]
pub(crate) struct Running {
    group: Group,
    program: PathBuf,
    product: Product,
    /// What its object must be, unless that is up to the client.
    expected: Option<ObjectFacts>,
    workspace: Workspace,
}

/// A job that has come to its end.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) outcome: Outcome,
    pub(crate) stdout: Printed,
    pub(crate) stderr: Printed,
    pub(crate) usage: Usage,
}

/// Checks that job directories can be made in `root`.
pub(crate) fn check_room(root: &Path) -> io::Result<()> {
    Workspace::create(root, false).map(drop)
}

impl Accepted {
    /// Judges a request by its arguments, the compiler's name first.
    pub(crate) fn judge(
        version: Version,
        arguments: &[Vec<u8>],
        compilers: &Compilers,
    ) -> Result<Self, Refusal> {
        let (name, words) = arguments.split_first().ok_or(Refusal::NoArguments)?;
        if version.carries_files() {
            return Err(Refusal::Pump);
        }
        let wanted = Wanted::parse(name, compilers)?;
        let plan = Plan::check(wanted.driver(), words)?;
        Ok(Self {
            version,
            wanted,
            plan,
        })
    }

    /// The name of the source, for people.
    pub(crate) fn source_name(&self) -> Shown {
        Shown::new(self.plan.source_name().as_encoded_bytes())
    }
}

impl Received {
    /// How long the source is, decompressed.
    pub(crate) fn source_bytes(&self) -> u64 {
        self.source_bytes
    }

    /// The name of the source, for people and for comparison with other jobs.
    pub(crate) fn source_name(&self) -> Shown {
        self.accepted.source_name()
    }

    /// The client's compiler, if the source names it.
    pub(crate) fn client_compiler(&self) -> Option<&ClientCompiler> {
        self.client.as_ref()
    }

    /// Decides which compiler runs, by what is known of the client's own.
    pub(crate) async fn choose(
        &self,
        compilers: &Compilers,
        client: Option<&ClientCompiler>,
        children: &Arc<Children>,
        sandbox: &Sandbox,
    ) -> Result<Chosen, NoCompiler> {
        let asking = Asking {
            children,
            sandbox,
            directory: self.workspace.path(),
        };
        let major = client.and_then(ClientCompiler::gcc_major);
        self.accepted.wanted.choose(compilers, major, asking).await
    }

    /// Decides the command for the compiler that was chosen.
    pub(crate) fn prepare(
        self,
        chosen: Chosen,
        client: Option<&ClientCompiler>,
        skew: VersionSkew,
    ) -> Result<Prepared, Refusal> {
        let Self {
            accepted,
            workspace,
            ..
        } = self;
        let toolchain = &chosen.toolchain;
        if let Some(client) = client {
            choice::check_machine(client, toolchain)?;
        }
        choice::check_version(
            client,
            (chosen.major, chosen.reason),
            accepted.plan.link_time(),
            skew,
            &toolchain.target,
        )?;
        let command = Command {
            program: chosen.program.clone(),
            arguments: accepted.plan.words(&toolchain.defaults),
            directory: workspace.path().to_owned(),
            environment: environment(&chosen.program, workspace.path()),
        };
        let open = chosen.other_abis && accepted.plan.names_abi();
        let expected = (!open).then(|| toolchain.object.clone());
        Ok(Prepared {
            expected,
            chosen,
            command,
            product: accepted.plan.product(),
            workspace,
        })
    }
}

/// The whole environment of a compiler. The locale decides how it quotes in messages.
fn environment(program: &Path, temporary: &Path) -> Vec<(&'static str, OsString)> {
    let own = program.parent().unwrap_or(Path::new("/usr/bin"));
    let mut path = own.as_os_str().to_owned();
    path.push(":/usr/bin:/bin");
    vec![
        ("PATH", path),
        ("LC_ALL", "C.UTF-8".into()),
        ("TMPDIR", temporary.into()),
    ]
}

impl Prepared {
    /// The compiler that will run.
    pub(crate) fn program(&self) -> &PathBuf {
        &self.chosen.program
    }

    /// Its major version.
    pub(crate) fn major(&self) -> u32 {
        self.chosen.major
    }

    /// Why this one.
    pub(crate) fn reason(&self) -> Reason {
        self.chosen.reason
    }

    /// Has the compiler started.
    pub(crate) fn start(
        self,
        children: &Arc<Children>,
        sandbox: &Sandbox,
        allowance: Allowance,
    ) -> Running {
        Running {
            group: children.spawn(&self.command, sandbox, allowance),
            program: self.command.program,
            product: self.product,
            expected: self.expected,
            workspace: self.workspace,
        }
    }
}

impl Running {
    /// Waits for the compiler and looks at what it made; stops it when `interrupt` says so.
    pub(crate) async fn finish(
        self,
        limit_bytes: u64,
        interrupt: impl Future<Output = Stop>,
    ) -> Result<Finished, Unable> {
        let program = self.program;
        let ended = self
            .group
            .wait(interrupt)
            .await
            .map_err(|error| match error {
                Broken::Start(source) => Unable::Start { program, source },
                Broken::Wait(error) => Unable::Wait(error),
            })?;
        let Ended {
            status,
            stop,
            stdout,
            stderr,
            usage,
        } = ended;
        let artifact = || {
            artifact::collect(
                &self.workspace,
                self.product,
                self.expected.as_ref(),
                limit_bytes,
            )
        };
        let outcome = Outcome::of(status, stop, &stderr.bytes, artifact);
        Ok(Finished {
            outcome,
            stdout,
            stderr,
            usage,
        })
    }
}
