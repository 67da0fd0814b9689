//! One binary, two names: called as `distccd` it is the compile server, else the orchestrator.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let called_as = arguments.next().unwrap_or_default();
    if Path::new(&called_as)
        .file_name()
        .is_some_and(|name| name == "distccd")
    {
        distccd::run(arguments)
    } else {
        farmctl::run(arguments)
    }
}
