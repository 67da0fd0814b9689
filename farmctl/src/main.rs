//! One binary, two names: called as `distccd` it is the compile server, else the orchestrator.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let called_as = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&called_as).file_name();
    if name.is_some_and(|name| name == "distccd") {
        distccd::run(std::env::args_os())
    } else {
        farmctl::run(std::env::args_os())
    }
}
