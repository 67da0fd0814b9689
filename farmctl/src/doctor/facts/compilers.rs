//! The compilers of this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use volunteer_toolchain::ObjectFacts;

use super::super::{Fact, Unknown};
use super::program::{find, run};

/// This machine's compilers; `None` where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compilers {
    /// For C.
    pub c: Option<Compiler>,
    /// For C++.
    pub cxx: Option<Compiler>,
}

/// A compiler of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiler {
    /// Where it is.
    pub path: PathBuf,
    /// The name it is called by.
    pub name: String,
    /// Its version, such as `14.2.0`.
    pub version: String,
    /// What it compiles for, in its own words.
    pub triple: String,
    /// The name with its triple, if there is a program of that name.
    pub full_name: Option<String>,
    /// What its objects are.
    pub object: Option<ObjectFacts>,
}

impl Compiler {
    /// The name by which a present client asks for it.
    pub fn wire_name(&self) -> &str {
        self.full_name.as_deref().unwrap_or(&self.name)
    }
}

/// A job that every working compiler does, and what volunteers are asked as well.
pub const SAMPLE: &str = "double half(double whole) { return whole / 2; }\n";

/// What `CC` and `CXX` name, else `gcc` and `g++`, else `cc` and `c++`, in a PATH without masquerade.
pub async fn compilers(environment: &BTreeMap<String, String>, path: &str) -> Fact<Compilers> {
    let folder = tempfile::tempdir().map_err(Unknown::because)?;
    let of = |variable: &str, usual: [&'static str; 2]| {
        let named = environment
            .get(variable)
            .and_then(|text| last_compiler(text));
        let name = named.unwrap_or_else(|| {
            let found = usual.iter().find(|name| find(name, path).is_some());
            (*found.unwrap_or(&usual[0])).to_owned()
        });
        find(&name, path).map(|program| (name, program))
    };
    let mut compilers = Compilers::default();
    if let Some((name, program)) = of("CC", ["gcc", "cc"]) {
        compilers.c = Some(compiler(name, program, path, folder.path(), "sample.c").await?);
    }
    if let Some((name, program)) = of("CXX", ["g++", "c++"]) {
        compilers.cxx = Some(compiler(name, program, path, folder.path(), "sample.cc").await?);
    }
    Ok(compilers)
}

/// `distcc gcc` and `ccache gcc -pipe` name gcc.
fn last_compiler(text: &str) -> Option<String> {
    let is_wrapper = |word: &&str| ["distcc", "ccache", "icecc", "env"].contains(word);
    text.split_whitespace()
        .find(|word| !is_wrapper(word))
        .map(str::to_owned)
}

async fn compiler(
    name: String,
    program: PathBuf,
    path: &str,
    folder: &Path,
    file: &str,
) -> Fact<Compiler> {
    let answer = async |option: &str| {
        let ran = run(&program, [option], |command| {
            command.env("PATH", path);
        })
        .await?;
        ran.text()
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Unknown(format!("{} does not answer to {option}", program.display())))
    };
    let version = match answer("-dumpfullversion").await {
        Ok(version) => version,
        Err(_older) => answer("-dumpversion").await?,
    };
    let triple = answer("-dumpmachine").await?;
    Ok(Compiler {
        full_name: full_name(&name, &triple, path),
        object: object(&program, path, folder, file).await,
        path: program,
        name,
        version,
        triple,
    })
}

/// The client puts the triple before the plain names of GCC, without `-pc`.
fn full_name(name: &str, triple: &str, path: &str) -> Option<String> {
    let is_plain = ["gcc", "g++"].iter().any(|plain| {
        name == *plain
            || name
                .strip_prefix(plain)
                .is_some_and(|rest| rest.starts_with('-'))
    });
    let full = format!("{}-{name}", triple.replacen("-pc", "", 1));
    (is_plain && find(&full, path).is_some()).then_some(full)
}

async fn object(program: &Path, path: &str, folder: &Path, file: &str) -> Option<ObjectFacts> {
    std::fs::write(folder.join(file), SAMPLE).ok()?;
    let object = folder.join(format!("{file}.o"));
    let arguments = ["-O2", "-c", file, "-o", object.to_str()?];
    run(program, arguments, |command| {
        command.current_dir(folder).env("PATH", path);
    })
    .await
    .ok()?;
    ObjectFacts::read(&std::fs::read(object).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_are_no_compilers() {
        for (text, name) in [
            ("gcc", Some("gcc")),
            ("distcc gcc-14", Some("gcc-14")),
            ("ccache distcc /opt/bin/gcc -pipe", Some("/opt/bin/gcc")),
            ("", None),
        ] {
            assert_eq!(last_compiler(text).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn only_plain_names_of_gcc_get_the_triple() {
        for name in ["clang", "arm-linux-gnueabihf-gcc", "/usr/bin/gcc", "gccgo"] {
            assert_eq!(
                full_name(name, "x86_64-linux-gnu", "/usr/bin"),
                None,
                "{name}"
            );
        }
    }
}
