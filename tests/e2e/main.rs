//! The whole farm against a real Docker engine.

use std::process::ExitCode;

fn main() -> ExitCode {
    farm_tests::suite::run(Vec::new())
}
