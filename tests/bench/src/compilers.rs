//! What the daemons run: the compiler that takes no time, and the machine's own GCC.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use volunteer_toolchain::{Class, Compiler, Machine, ObjectFacts, Toolchain};

/// A C and a C++ driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compilers {
    gcc: PathBuf,
    gxx: PathBuf,
    major: u32,
}

/// The compiler that takes no time, built for the occasion; gone when this is dropped.
#[derive(Debug)]
pub struct NullCompiler {
    folder: TempDir,
}

const SOURCE: &str = include_str!("../null-compiler.c");

/// As small and as soon at work as a program can be.
const OPTIONS: &[&str] = &[
    "-O2",
    "-static",
    "-nostdlib",
    "-fno-builtin",
    "-fno-stack-protector",
];

impl NullCompiler {
    /// Builds it with the machine's `cc`.
    ///
    /// # Errors
    /// There is no `cc`, or it is for another machine.
    pub fn build() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let null = Self { folder };
        let bin = null.folder.path().join("bin");
        fs::create_dir(&bin)?;
        let source = null.folder.path().join("null.c");
        fs::write(&source, SOURCE)?;
        let gcc = bin.join("gcc");
        let mut cc = Command::new("cc");
        cc.args(OPTIONS).arg("-o").arg(&gcc).arg(&source);
        let status = cc.status().context("cannot run cc")?;
        if !status.success() {
            bail!("cc cannot build the null compiler, which is for x86-64 only");
        }
        fs::copy(&gcc, bin.join("g++"))?;
        for open in [null.folder.path(), &bin] {
            // The stock daemon gives up being root.
            fs::set_permissions(open, fs::Permissions::from_mode(0o755))?;
        }
        Ok(null)
    }

    /// Its two names.
    pub fn compilers(&self) -> Compilers {
        let bin = self.folder.path().join("bin");
        Compilers {
            gcc: bin.join("gcc"),
            gxx: bin.join("g++"),
            major: 12,
        }
    }
}

impl Compilers {
    /// The machine's own GCC.
    ///
    /// # Errors
    /// There is none.
    pub fn of_this_machine() -> Result<Self> {
        let version = said(Command::new("/usr/bin/gcc").arg("-dumpversion"))?;
        let major = version.split('.').next().unwrap_or(&version).parse();
        Ok(Self {
            gcc: "/usr/bin/gcc".into(),
            gxx: "/usr/bin/g++".into(),
            major: major.with_context(|| format!("GCC {version} has no version"))?,
        })
    }

    /// The C++ driver.
    pub fn gxx(&self) -> &Path {
        &self.gxx
    }

    /// For `DISTCC_CMDLIST`, the stock daemon's list of compilers.
    pub fn command_list(&self) -> String {
        format!("{}\n{}\n", self.gcc.display(), self.gxx.display())
    }

    /// For our daemon.
    pub fn toolchain(&self) -> Toolchain {
        Toolchain {
            target: "x86_64".to_owned(),
            triples: ["x86_64-linux-gnu", "x86_64-pc-linux-gnu"]
                .map(str::to_owned)
                .to_vec(),
            object: ObjectFacts {
                class: Class::Elf64,
                machine: Machine::X86_64,
                attributes: BTreeMap::new(),
            },
            defaults: Vec::new(),
            headers: false,
            compilers: vec![Compiler {
                major: self.major,
                gcc: self.gcc.clone(),
                gxx: self.gxx.clone(),
            }],
        }
    }
}

fn said(command: &mut Command) -> Result<String> {
    let output = command.output().context("cannot run GCC")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
