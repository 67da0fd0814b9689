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
//! object leaves only after it was looked at ([`artifact`]). Where the client sends its headers instead of a preprocessed
//! source, the job has a tree of files besides ([`pump`]).

mod argv;
mod artifact;
mod choice;
mod client;
mod compiler;
mod incoming;
mod outcome;
mod pump;
mod question;
mod refusal;
mod root;
mod workspace;

use std::ffi::OsString;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use distcc_wire::Version;
use volunteer_toolchain::ObjectFacts;

use crate::sandbox::Sandbox;
use crate::settings::VersionSkew;
use crate::supervise::{
    Allowance, Children, Command, Ended, Group, LeaderNumber, Printed, Stop, Usage,
};
use argv::{Driver, Plan, Product};
use compiler::Wanted;
use pump::{Translation, Tree};
use workspace::Workspace;

pub(crate) use argv::Shown;
#[cfg(any(test, feature = "fuzzing"))]
pub use argv::{check_pump_soundness, check_soundness};
pub(crate) use artifact::BadArtifact;
pub(crate) use choice::Reason;
pub(crate) use client::{Acquaintances, ClientCompiler, ClientVersion};
pub(crate) use compiler::{Asking, Chosen, NoCompiler, is_program};
pub(crate) use incoming::{Incoming, IncomingError};
pub(crate) use outcome::{Kind, Outcome, Unable};
pub(crate) use pump::{Arriving, SearchLists, TreePath};
pub(crate) use question::ask;
pub(crate) use refusal::Refusal;
pub(crate) use root::{JobRoot, sweep};

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
    /// The client's files, in pump mode.
    tree: Option<Box<Tree>>,
}

/// A job whose command is decided.
#[derive(Debug)]
pub(crate) struct Prepared {
    chosen: Chosen,
    command: Command,
    product: Product,
    expected: Option<ObjectFacts>,
    workspace: Workspace,
    tree: Option<Box<Tree>>,
    translation: Option<Translation>,
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
    translation: Option<Translation>,
}

/// A job that has come to its end.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) outcome: Outcome,
    pub(crate) stdout: Printed,
    pub(crate) stderr: Printed,
    pub(crate) usage: Usage,
}

impl Accepted {
    /// Judges a request with a preprocessed source by its arguments, the compiler's name first.
    pub(crate) fn judge(
        version: Version,
        arguments: &[Vec<u8>],
        compilers: &Compilers,
    ) -> Result<Self, Refusal> {
        Self::judge_by(Plan::check, version, arguments, compilers)
    }

    /// Judges a request of pump mode by its working directory, too.
    pub(crate) fn judge_pump(
        directory: &[u8],
        arguments: &[Vec<u8>],
        compilers: &Compilers,
    ) -> Result<(Self, TreePath), Refusal> {
        if !compilers.have_headers() {
            return Err(Refusal::Pump);
        }
        let accepted = Self::judge_by(Plan::check_pump, Version::Pump, arguments, compilers)?;
        let directory = TreePath::parse(directory)
            .map_err(|bad| Refusal::Directory(Shown::new(directory), bad))?;
        Ok((accepted, directory))
    }

    fn judge_by(
        check: fn(Driver, &[Vec<u8>]) -> Result<Plan, argv::Refusal>,
        version: Version,
        arguments: &[Vec<u8>],
        compilers: &Compilers,
    ) -> Result<Self, Refusal> {
        let (name, words) = arguments.split_first().ok_or(Refusal::NoArguments)?;
        let wanted = Wanted::parse(name, compilers)?;
        let plan = check(wanted.driver(), words)?;
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
            tree,
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
        let plan = accepted.plan;
        let room = workspace.path().to_owned();
        let (arguments, directory) = match &tree {
            None => (plan.words(&toolchain.defaults), room.clone()),
            Some(tree) => (
                plan.words_in(tree.layout(), &toolchain.defaults),
                tree.layout().working_directory(),
            ),
        };
        let command = Command {
            program: chosen.program.clone(),
            arguments,
            directory,
            environment: environment(&chosen.program, &room),
            room,
        };
        let open = chosen.other_abis && plan.names_abi();
        let expected = (!open).then(|| toolchain.object.clone());
        Ok(Prepared {
            expected,
            chosen,
            command,
            product: plan.product(),
            workspace,
            translation: tree.as_ref().map(|tree| tree.translation(plan.output())),
            tree,
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

    /// Lets the tree of a pump job show the system headers that its client's compiler has, as far as the compiler here
    /// has them, too.
    pub(crate) async fn link_system(
        &mut self,
        search: &SearchLists,
        children: &Arc<Children>,
        sandbox: &Sandbox,
    ) -> Result<(), Unable> {
        let Some(tree) = self.tree.as_mut().filter(|tree| !tree.system().is_empty()) else {
            return Ok(());
        };
        let served = search.of(&self.command, children, sandbox).await;
        tree.link_system(&served).map_err(Unable::Store)
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
            translation: self.translation,
        }
    }
}

impl Running {
    /// The process that leads the compiler's group.
    pub(crate) fn leader(&self) -> LeaderNumber {
        self.group.leader()
    }

    /// Waits for the compiler and looks at what it made; stops it when `interrupt` says so.
    pub(crate) async fn finish(
        self,
        limit_bytes: u64,
        interrupt: impl Future<Output = Stop>,
    ) -> Result<Finished, Unable> {
        let ended = self
            .group
            .wait(interrupt)
            .await
            .map_err(|broken| Unable::run(&self.program, broken))?;
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
        let finished = Finished {
            outcome: Outcome::of(status, stop, &stderr.bytes, artifact),
            stdout,
            stderr,
            usage,
        };
        Ok(match &self.translation {
            None => finished,
            Some(translation) => {
                let dependencies = || artifact::dependencies(&self.workspace, limit_bytes);
                finished.translated(translation, self.product, dependencies)
            }
        })
    }
}

impl Finished {
    /// The end of a pump job as its client is to see it.
    fn translated(
        mut self,
        translation: &Translation,
        product: Product,
        dependencies: impl FnOnce() -> Result<Vec<u8>, BadArtifact>,
    ) -> Self {
        self.outcome = match self.outcome {
            Outcome::Compiled { object, .. } => dependencies()
                .and_then(|dependencies| {
                    Ok(Outcome::Compiled {
                        object: translation.artifact(product, object)?,
                        dependencies: translation.dependencies(&dependencies),
                    })
                })
                .unwrap_or_else(Outcome::Unsound),
            Outcome::Failed(_) if pump::lacks_a_file(&self.stderr.bytes) => {
                Outcome::Refused(Refusal::FileMissing)
            }
            other => other,
        };
        for printed in [&mut self.stdout, &mut self.stderr] {
            printed.bytes = translation.text(&printed.bytes);
        }
        self
    }
}
