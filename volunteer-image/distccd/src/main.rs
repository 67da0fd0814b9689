//! The compile server as a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    distccd::run(std::env::args_os())
}
