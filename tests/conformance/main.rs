//! The stock daemon and ours, side by side, with the stock client.
//!
//! One list of [`cases`] runs against both by the same code. What both must do alike is one entry; where they differ the
//! entry holds both and the reason, so a difference that vanishes fails as well as a new one. [`requests`] holds what the
//! stock client never sends, [`answers`] what it makes of replies, and [`circumstances`] what goes on around a job.
//!
//! The program under test is this very file under the name `distccd`: the daemon is linked in, so it is always the one of
//! this source tree.

mod answers;
mod cases;
mod circumstances;
mod client;
mod compare;
mod pump_mode;
mod readme;
mod relay;
mod requests;
mod server;
mod ssh;
mod stage;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use stage::{Stage, Trouble};

fn main() -> ExitCode {
    if server::is_called_distccd() {
        return distccd::run(std::env::args_os());
    }
    let arguments = Arguments::from_args();
    let stage = if arguments.list {
        Err(Trouble::Missing("nothing is run".to_owned()))
    } else {
        Stage::set().map(Box::leak).map(|stage| &*stage)
    };
    let mut trials = Vec::new();
    let mut add = |name: String, body: Body| {
        let stage = stage.clone();
        trials.push(Trial::ignorable_test(name, move || perform(stage, body)));
    };
    for case in cases::all() {
        add(
            format!("case: {}", case.name),
            Box::new(move |stage| compare::both(stage, &case)),
        );
    }
    for request in requests::all() {
        add(
            format!("request: {}", request.name),
            Box::new(move |stage| requests::both(stage, &request)),
        );
    }
    for answer in answers::all() {
        add(
            format!("answer: {}", answer.name),
            Box::new(move |stage| answers::check(stage, &answer)),
        );
    }
    for (name, body) in circumstances::all() {
        add(format!("circumstance: {name}"), Box::new(body));
    }
    trials.push(Trial::test(
        "README.md lists every difference",
        readme::lists_every_difference,
    ));
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Ok(stage) = stage {
        stage.clear();
    }
    conclusion.exit_code()
}

/// What a trial does on the stage.
type Body = Box<dyn FnOnce(&Stage) -> Result<(), Trouble> + Send>;

fn perform(stage: Result<&Stage, Trouble>, body: Body) -> Result<Completion, Failed> {
    match stage.and_then(body) {
        Ok(()) => Ok(Completion::Completed),
        // Where nobody looks at the reasons, a test that was not run has failed.
        Err(Trouble::Missing(what)) if farm_tests::suite::in_ci() => {
            Err(format!("skipped tests fail in CI: {what}").into())
        }
        Err(Trouble::Missing(what)) => Ok(Completion::ignored_with(what)),
        Err(Trouble::Wrong(what)) => Err(what.into()),
    }
}
