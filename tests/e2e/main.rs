//! The whole farm against a real Docker engine.

mod compile;
mod master;

use std::process::ExitCode;

use farm_tests::docker_tests;

fn main() -> ExitCode {
    let mut tests = docker_tests![master::has_what_a_board_has];
    tests.extend(compile::tests());
    farm_tests::suite::run(tests)
}
