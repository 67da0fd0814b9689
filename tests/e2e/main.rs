//! The whole farm against a real Docker engine.

mod master;

use std::process::ExitCode;

use farm_tests::docker_tests;

fn main() -> ExitCode {
    farm_tests::suite::run(docker_tests![master::has_what_a_board_has])
}
