//! Real projects, built by masters: fetched as Debian source packages, with the options that people build them with.

use anyhow::{Result, bail, ensure};

use crate::debian::upstream_source;
use crate::{Board, Command, Files, Finished, Master, debian};

/// A project, and how it is built and tried.
#[derive(Debug, Clone, Copy)]
pub struct Project {
    /// Debian's source package.
    pub package: &'static str,
    /// The compiler's name after the triple.
    pub compiler: &'static str,
    /// What a preprocessed source's name ends with.
    pub preprocessed: &'static str,
    /// Options of every compile.
    pub options: &'static [&'static str],
    /// It has at least so many translation units.
    pub least_units: usize,
    /// Where make runs, below the unpacked source.
    folder: &'static str,
    /// A makefile for projects without one.
    makefile: Option<&'static str>,
    /// Arguments of the built program, and a file for it to read.
    trial: Trial,
}

/// How to tell that the built program works.
#[derive(Debug, Clone, Copy)]
enum Trial {
    /// It runs this script, with this output.
    Script {
        program: &'static str,
        script: &'static str,
        output: &'static str,
    },
    /// It tests itself, and says how many tests it ran.
    SelfTest { program: &'static str },
}

/// The Lua interpreter and compiler, in C.
pub const LUA: Project = Project {
    package: "lua5.4",
    compiler: "gcc",
    preprocessed: "i",
    options: &[
        "-O2",
        "-Wall",
        "-Wextra",
        "-DLUA_COMPAT_5_3",
        "-DLUA_USE_LINUX",
    ],
    least_units: 30,
    folder: "src",
    makefile: None,
    trial: Trial::Script {
        program: "lua",
        script: include_str!("../fixtures/lua.lua"),
        output: include_str!("../fixtures/lua.expected"),
    },
};

/// The double-conversion library and its tests, in C++, with debugging information.
pub const DOUBLE_CONVERSION: Project = Project {
    package: "double-conversion",
    compiler: "g++",
    preprocessed: "ii",
    options: &["-O2", "-g", "-Wall", "-I."],
    least_units: 5,
    folder: ".",
    makefile: Some(include_str!("../fixtures/double-conversion.mk")),
    trial: Trial::SelfTest { program: "cctest" },
};

/// A project that was built with the farm's help.
#[derive(Debug)]
pub struct Build {
    /// Every object, by its path without `.o`.
    pub objects: Files,
    /// Every source as the client sent it, by the same paths.
    pub sources: Files,
    folder: String,
}

impl Project {
    /// Builds the project on `master` for `board`; every compile goes to `hosts` or fails.
    ///
    /// # Errors
    /// The source cannot be fetched, or does not compile or link.
    pub async fn build(&self, master: &Master, board: &Board, hosts: &str) -> Result<Build> {
        let root = format!("/work/{}/{}", board.target, self.package);
        let folder = format!("{root}/source/{}", self.folder);
        let kept = format!("{root}/kept");
        // Another trial may have built the same with another farm's help.
        let clear = Command::new(["/usr/bin/rm", "-rf", &root]);
        master.run(&clear).await?.success()?;
        let source = upstream_source(&debian::archive()?, self.package).await?;
        master.copy_in(&format!("{root}/source"), &source).await?;
        if let Some(makefile) = self.makefile {
            let mut files = Files::new();
            files.insert("Makefile", makefile);
            master.copy_in(&folder, &files).await?;
        }
        let client = format!("{root}/distcc");
        let prepare = Command::new(["/usr/bin/mkdir", "-p", &kept, &client]);
        master.run(&prepare).await?.success()?;

        let make = Command::new(self.make(board))
            .folder(&folder)
            .env("DISTCC_HOSTS", hosts)
            .env("DISTCC_FALLBACK", "0")
            .env("DISTCC_DIR", &client)
            // Keeps the very bytes that were sent.
            .env("DISTCC_SAVE_TEMPS", "1")
            .env("TMPDIR", &kept);
        master.run(&make).await?.success()?;
        Ok(Build {
            objects: objects(&master.copy_out(&folder).await?),
            sources: sources(&master.copy_out(&kept).await?)?,
            folder,
        })
    }

    /// Runs what was built, under an emulator where that is needed.
    ///
    /// # Errors
    /// It does not work.
    pub async fn try_out(&self, master: &Master, board: &Board, build: &Build) -> Result<()> {
        match self.trial {
            Trial::Script {
                program,
                script,
                output,
            } => {
                let mut files = Files::new();
                files.insert("trial.script", script);
                master.copy_in(&build.folder, &files).await?;
                let ran = run(master, board, build, &[program, "trial.script"]).await?;
                ensure!(ran.stdout_text()? == output, "unexpected output of {ran}");
            }
            Trial::SelfTest { program } => {
                let listed = run(master, board, build, &[program, "--list"]).await?;
                let tests = listed.stdout_text()?.lines().count();
                ensure!(tests > 0, "no tests in {listed}");
                let ran = run(master, board, build, &[program]).await?;
                let expected = format!("Ran {tests} tests.");
                ensure!(
                    ran.stdout_text()?.trim() == expected,
                    "expected '{expected}': {ran}"
                );
            }
        }
        Ok(())
    }

    fn make(&self, board: &Board) -> Vec<String> {
        let mut words = ["make", "-s", "-j4", "all"].map(str::to_owned).to_vec();
        words.extend([
            format!("CC=distcc {}-{}", board.triple, self.compiler),
            format!("CFLAGS={}", self.options.join(" ")),
            format!("AR={}-ar rc", board.debian_triple),
            format!("RANLIB={}-ranlib", board.debian_triple),
            "SYSLIBS=-Wl,-E -ldl".to_owned(),
        ]);
        words
    }
}

async fn run(master: &Master, board: &Board, build: &Build, program: &[&str]) -> Result<Finished> {
    let mut words = board.emulator.to_vec();
    let path = format!("./{}", program[0]);
    words.push(&path);
    words.extend(&program[1..]);
    let command = Command::new(words).folder(&build.folder);
    master.run(&command).await?.success()
}

fn objects(built: &Files) -> Files {
    let mut objects = Files::new();
    for (unit, object) in built.with_suffix(".o") {
        objects.insert(unit, object);
    }
    objects
}

/// The client names its files at random; the first line marker names the source: `# 0 "lapi.c"`.
fn sources(kept: &Files) -> Result<Files> {
    let mut sources = Files::new();
    let extension = |path: &str| {
        path.rsplit_once('.')
            .map(|(_, extension)| extension.to_owned())
    };
    let preprocessed = |path: &str| matches!(extension(path).as_deref(), Some("i" | "ii"));
    for (path, source) in kept.iter().filter(|(path, _)| preprocessed(path)) {
        let Some(name) = main_file(source) else {
            bail!("{path} does not say what it was made from");
        };
        let unit = name
            .rsplit_once('.')
            .map_or(name.as_str(), |(unit, _extension)| unit);
        sources.insert(unit, source);
    }
    Ok(sources)
}

fn main_file(source: &[u8]) -> Option<String> {
    let line = source.split(|byte| *byte == b'\n').next()?;
    let line = str::from_utf8(line).ok()?;
    let name = line.strip_prefix("# 0 \"")?.strip_suffix('"')?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_known_by_their_line_markers() {
        let mut kept = Files::new();
        kept.insert("distcc_0a1b.i", *b"# 0 \"lib/a.cc\"\n# 0 \"<built-in>\"\n");
        assert!(sources(&kept).unwrap().read("lib/a").is_ok());
        kept.insert("distcc_server_stderr_0a1b.txt", *b"warning\n");
        assert_eq!(sources(&kept).unwrap().len(), 1);
        kept.insert("distcc_2c3d.ii", *b"int main;\n");
        assert!(sources(&kept).is_err());
    }
}
