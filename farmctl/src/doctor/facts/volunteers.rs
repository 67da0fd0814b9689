//! Whether volunteers compile, through their published ports.

use std::net::SocketAddr;
use std::time::Duration;

use distccd::probe;
use futures_util::future::join_all;
use volunteer_toolchain::ObjectFacts;

use super::super::proof::comment;
use super::CompilerAnswer;
use super::job::{Job, send};
use crate::farm::GccMajor;

/// How long a volunteer may take for a small job; its slots may all be taken.
const PATIENCE: Duration = Duration::from_secs(20);

/// What one volunteer answered.
#[derive(Debug, Clone)]
pub struct Answers {
    /// Whether C and C++ objects are right.
    pub compiles: Result<(), String>,
    /// The version behind each compiler's name.
    pub compilers: Vec<CompilerAnswer>,
}

/// Has the volunteer at `address` compile with its preferred compiler, then with each one by name.
pub async fn ask(address: SocketAddr, object: &ObjectFacts, gcc: &[GccMajor]) -> Answers {
    match probe(address, object, PATIENCE).await {
        Err(error) => Answers {
            compiles: Err(error.to_string()),
            compilers: Vec::new(),
        },
        Ok(_report) => Answers {
            compiles: Ok(()),
            compilers: join_all(gcc.iter().map(|major| ask_compiler(address, *major))).await,
        },
    }
}

async fn ask_compiler(address: SocketAddr, asked: GccMajor) -> CompilerAnswer {
    let job = Job {
        compiler: format!("gcc-{asked}"),
        options: Vec::new(),
        file: "version.c".to_owned(),
        source: b"# 1 \"version.c\"\nint version;\n".to_vec(),
    };
    let answered = match send(address, &job, PATIENCE).await {
        Ok(object) => {
            comment::version(&object).ok_or_else(|| "its object does not name it".to_owned())
        }
        Err(error) => Err(error.to_string()),
    };
    CompilerAnswer { asked, answered }
}
