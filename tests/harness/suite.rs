//! Runs trials against an engine, or skips them with the reason.

use std::any::Any;
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, anyhow};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::runtime::Runtime;

use crate::Scenario;
use crate::scenario::{Run, Skip};

/// A trial that needs an engine.
pub struct DockerTest {
    name: String,
    body: Box<dyn Fn(Scenario) -> BoxFuture<'static, Result<()>> + Send>,
}

impl std::fmt::Debug for DockerTest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DockerTest").field(&self.name).finish()
    }
}

impl DockerTest {
    /// A trial; its name is a sentence.
    pub fn new<Body>(
        name: impl Into<String>,
        body: impl Fn(Scenario) -> Body + Send + 'static,
    ) -> Self
    where
        Body: Future<Output = Result<()>> + Send + 'static,
    {
        Self {
            name: name.into(),
            body: Box::new(move |scenario| body(scenario).boxed()),
        }
    }
}

/// Trials by their paths, which are also their names.
#[macro_export]
macro_rules! docker_tests {
    ($($module:ident :: $name:ident),* $(,)?) => {
        vec![$($crate::suite::DockerTest::new(
            concat!(stringify!($module), "::", stringify!($name)),
            $module::$name,
        )),*]
    };
}

/// Runs the trials in the given order, one after the other: all farms have the same five ports.
pub fn run(tests: Vec<DockerTest>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let Ok(runtime) = Runtime::new() else {
        return ExitCode::FAILURE;
    };
    let stage = Arc::new(Stage {
        runtime,
        run: OnceLock::new(),
    });
    let trials = tests
        .into_iter()
        .map(|test| {
            let stage = Arc::clone(&stage);
            Trial::ignorable_test(test.name.clone(), move || stage.perform(&test))
        })
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if stage.end().is_err() {
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

/// Where trials are performed; the run begins with the first of them.
struct Stage {
    runtime: Runtime,
    run: OnceLock<Result<Arc<Run>, Obstacle>>,
}

/// Why no trial can be performed.
#[derive(Debug, Clone)]
enum Obstacle {
    Skip(String),
    Broken(String),
}

impl Stage {
    fn perform(&self, test: &DockerTest) -> Result<Completion, Failed> {
        let run = match self.run.get_or_init(|| self.begin()) {
            Ok(run) => Arc::clone(run),
            Err(Obstacle::Skip(reason)) => return skipped(reason),
            Err(Obstacle::Broken(reason)) => return Err(reason.into()),
        };
        match self.attempt(test, &run) {
            Err(failed) if in_ci() => {
                // The engine and the machine are shared there. Once more tells a hiccup from a fault; the log keeps both.
                let told = format!(
                    "{}: failed once, and is held again: {}\n",
                    test.name,
                    words(&failed)
                );
                let _nobody_listens = std::io::stderr().write_all(told.as_bytes());
                self.attempt(test, &run)
            }
            outcome => outcome,
        }
    }

    fn attempt(&self, test: &DockerTest, run: &Arc<Run>) -> Result<Completion, Failed> {
        let scenario = Scenario::new(Arc::clone(run), &test.name);
        self.runtime.block_on(async {
            let body = AssertUnwindSafe((test.body)(scenario.clone())).catch_unwind();
            let outcome = body
                .await
                .unwrap_or_else(|panic| Err(as_error(panic.as_ref())));
            let artifacts = match outcome {
                Ok(()) => String::new(),
                Err(_) => scenario.artifacts().await,
            };
            let ended = scenario.end().await;
            match outcome.and(ended) {
                Ok(()) => Ok(Completion::Completed),
                Err(error) => match error.downcast::<Skip>() {
                    Ok(reason) => skipped(&reason.to_string()),
                    Err(error) => Err(format!("{}\n{artifacts}", with_causes(&error)).into()),
                },
            }
        })
    }

    fn begin(&self) -> Result<Arc<Run>, Obstacle> {
        let begun = self.runtime.block_on(Run::begin());
        begun
            .map(Arc::new)
            .map_err(|error| match error.downcast::<Skip>() {
                Ok(reason) => Obstacle::Skip(reason.to_string()),
                Err(error) => Obstacle::Broken(with_causes(&error)),
            })
    }

    fn end(&self) -> Result<()> {
        match self.run.get() {
            Some(Ok(run)) => self
                .runtime
                .block_on(run.end())
                .context("cannot remove what the run made"),
            _ => Ok(()),
        }
    }
}

fn words(failed: &Failed) -> &str {
    failed.message().unwrap_or("without a message")
}

/// A panic is how `assert_eq!` fails; what the trial made must be removed all the same.
fn as_error(panic: &(dyn Any + Send)) -> anyhow::Error {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    anyhow!("panicked: {}", text.unwrap_or("without a message"))
}

fn with_causes(error: &anyhow::Error) -> String {
    let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
    causes.join("\n  because: ")
}

/// Where nobody looks at the reasons, a test that was not run has failed.
fn skipped(reason: &str) -> Result<Completion, Failed> {
    if in_ci() {
        return Err(format!("skipped tests fail in CI: {reason}").into());
    }
    Ok(Completion::ignored_with(reason))
}

/// Whether this is a run that nobody watches.
pub fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false")
}
