//! `farm-bench`: the daemon beside the stock one, from the command line.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};
use farm_bench::case::{self, Case};
use farm_bench::comparison::Comparison;
use farm_bench::compilers::NullCompiler;
use farm_bench::daemon::{Kind, Setup};
use farm_bench::memory::Footprint;
use farm_bench::soak::Soak;
use farm_bench::{processes, report};

/// Measures our daemon beside the stock one.
#[derive(Debug, Parser)]
struct Invocation {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Speed and processor time, in alternating runs
    Compare {
        /// Cases, all without any: small-1, small-4, small-16, small-64, large-v1, large-v2, real,
        /// and door-4, door-64, door-refused: ours behind a door beside ours without one
        cases: Vec<String>,
        /// Runs of each contender
        #[arg(long, default_value_t = 7)]
        rounds: usize,
        /// Also write all figures of all runs to a file
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
        /// Also write a table to a file
        #[arg(long, value_name = "FILE")]
        markdown: Option<PathBuf>,
        #[command(flatten)]
        daemons: Daemons,
    },
    /// Memory, idle and with 64 uploads of 8 MiB at once
    Memory {
        #[command(flatten)]
        daemons: Daemons,
    },
    /// Very many jobs, good and bad, and what they leave behind
    Soak {
        /// How many
        #[arg(long, default_value_t = 100_000)]
        count: usize,
        /// Clients at once
        #[arg(long, default_value_t = 8)]
        connections: usize,
        #[command(flatten)]
        daemons: Daemons,
    },
}

#[derive(Debug, Args)]
struct Daemons {
    /// Compilers at once
    #[arg(long, default_value_t = 4)]
    jobs: usize,
    /// Our daemon, instead of the one that is part of this program
    #[arg(long, value_name = "PROGRAM")]
    ours: Option<OsString>,
    /// The stock daemon
    #[arg(long, value_name = "PROGRAM", default_value = "/usr/bin/distccd")]
    stock: PathBuf,
    /// Where jobs have their files; in memory, so that no disk is measured
    #[arg(long, value_name = "FOLDER", default_value = "/dev/shm")]
    folder: PathBuf,
}

/// The first word that makes this program our daemon.
const DAEMON: &str = "distccd";

fn main() -> ExitCode {
    let mut words = env::args_os().skip(1);
    if words.next().is_some_and(|word| word == DAEMON) {
        return distccd::run([OsString::from(DAEMON)].into_iter().chain(words));
    }
    match run(Invocation::parse().what) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(what: What) -> Result<()> {
    let null = NullCompiler::build()?;
    match what {
        What::Compare {
            cases,
            rounds,
            json,
            markdown,
            daemons,
        } => {
            let comparisons = compare(&chosen(&cases, &null)?, rounds, &daemons.setup()?)?;
            if let Some(file) = json {
                fs::write(file, serde_json::to_vec_pretty(&comparisons)?)?;
            }
            if let Some(file) = markdown {
                let rows: String = comparisons.iter().map(report::markdown).collect();
                fs::write(file, format!("{}{rows}", report::MARKDOWN_HEAD))?;
            }
            Ok(())
        }
        What::Memory { daemons } => {
            processes::adopt_orphans()?;
            let setup = daemons.setup()?;
            for (name, kind) in [("stock distccd", Kind::Stock), ("our distccd", Kind::Ours)] {
                let footprint = Footprint::measure(&setup, kind, &null.compilers())?;
                say(&report::footprint(name, &footprint))?;
            }
            Ok(())
        }
        What::Soak {
            count,
            connections,
            daemons,
        } => {
            let soak = Soak {
                jobs: count,
                connections,
            };
            let seen = soak.run(&daemons.setup()?, &null)?;
            say(&report::soak(soak, &seen))
        }
    }
}

fn chosen(names: &[String], null: &NullCompiler) -> Result<Vec<Case>> {
    let all = case::all(null)?;
    for name in names {
        ensure!(
            all.iter().any(|case| case.name == *name),
            "no case is called {name}"
        );
    }
    let wanted = |case: &Case| names.is_empty() || names.contains(&case.name);
    Ok(all.into_iter().filter(wanted).collect())
}

fn compare(cases: &[Case], rounds: usize, setup: &Setup) -> Result<Vec<Comparison>> {
    processes::adopt_orphans()?;
    let mut comparisons = Vec::new();
    for case in cases {
        let comparison = Comparison::measure(case, setup, rounds)?;
        say(&report::text(&comparison))?;
        comparisons.push(comparison);
    }
    Ok(comparisons)
}

impl Daemons {
    fn setup(self) -> Result<Setup> {
        let ours = if let Some(program) = self.ours {
            vec![program]
        } else {
            let own = env::current_exe().context("this program has no name")?;
            vec![own.into_os_string(), DAEMON.into()]
        };
        Ok(Setup {
            ours,
            stock: self.stock,
            jobs: self.jobs,
            folder: self.folder,
        })
    }
}

fn say(text: &str) -> Result<()> {
    io::stdout()
        .write_all(text.as_bytes())
        .context("nobody reads what is measured")
}
