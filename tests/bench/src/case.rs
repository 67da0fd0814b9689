//! What is measured: each case is one kind of job, one number of clients, and those who are compared.

use anyhow::Result;
use distcc_wire::Version;
use serde::Serialize;

use crate::compilers::{Compilers, NullCompiler};
use crate::exchange::Verdict;
use crate::load::Load;
use crate::source::Source;

/// Who does the jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Contender {
    /// The compiler alone; for processor time only.
    Direct,
    /// The stock daemon.
    Stock,
    /// Our daemon.
    Ours,
    /// Our daemon behind a door.
    Door,
}

/// One kind of job under one load.
#[derive(Debug)]
pub struct Case {
    /// For the command line.
    pub name: String,
    /// For people.
    pub title: String,
    /// What is compiled.
    pub source: Source,
    /// With which options besides its own.
    pub options: &'static [&'static str],
    /// What is to come of it.
    pub expected: Verdict,
    /// The protocol that carries it.
    pub version: Version,
    /// By what.
    pub compilers: Compilers,
    /// How many, by how many clients.
    pub load: Load,
    /// The first is what the others are compared with.
    pub contenders: &'static [Contender],
}

const DAEMONS: &[Contender] = &[Contender::Stock, Contender::Ours];
const DOOR: &[Contender] = &[Contender::Ours, Contender::Door];
const ALL: &[Contender] = &[Contender::Direct, Contender::Stock, Contender::Ours];

/// Clients at once, and jobs of all of them in one run of a second or two.
const SMALL: [(usize, usize); 4] = [(1, 1000), (4, 2000), (16, 2000), (64, 4000)];
/// No more: a packet filter that counts connections, as container engines bring one, remembers each for two minutes.
const REFUSED: Load = Load {
    connections: 4,
    jobs: 4000,
};
const LARGE: Load = Load {
    connections: 4,
    jobs: 200,
};
const REAL: Load = Load {
    connections: 2,
    jobs: 6,
};

/// All cases.
///
/// # Errors
/// There is no GCC on this machine.
pub fn all(null: &NullCompiler) -> Result<Vec<Case>> {
    let large = Source::large()?;
    let small = SMALL.into_iter().map(|(connections, jobs)| Case {
        name: format!("small-{connections}"),
        title: "null compiler, source of one line, version 1".to_owned(),
        source: Source::small(),
        options: &[],
        expected: Verdict::Compiled,
        version: Version::Plain,
        compilers: null.compilers(),
        load: Load { connections, jobs },
        contenders: DAEMONS,
    });
    let versions = [(Version::Plain, 1), (Version::Lzo, 2)];
    let heavy = versions.map(|(version, number)| Case {
        name: format!("large-v{number}"),
        title: format!("null compiler, {}, version {number}", described(&large)),
        source: large.clone(),
        options: &[],
        expected: Verdict::Compiled,
        version,
        compilers: null.compilers(),
        load: LARGE,
        contenders: DAEMONS,
    });
    let real = Case {
        name: "real".to_owned(),
        title: format!("GCC, {}, version 2", described(&large)),
        source: large.clone(),
        options: &[],
        expected: Verdict::Compiled,
        version: Version::Lzo,
        compilers: Compilers::of_this_machine()?,
        load: REAL,
        contenders: ALL,
    };
    let all = small.chain(heavy).chain([real]).chain(doors(null));
    Ok(all.collect())
}

/// What a door costs where a job costs next to nothing.
fn doors(null: &NullCompiler) -> [Case; 3] {
    let case = |name: &str, what, load, options, expected| Case {
        name: name.to_owned(),
        title: format!("{what}, source of one line, version 1, with and without a door"),
        source: Source::small(),
        options,
        expected,
        version: Version::Plain,
        compilers: null.compilers(),
        load,
        contenders: DOOR,
    };
    let compiled = |name, (connections, jobs)| {
        let load = Load { connections, jobs };
        case(name, "null compiler", load, &[], Verdict::Compiled)
    };
    let refused = &["-fplugin=none.so"];
    [
        compiled("door-4", SMALL[1]),
        compiled("door-64", SMALL[3]),
        case(
            "door-refused",
            "refused at once",
            REFUSED,
            refused,
            Verdict::Failed,
        ),
    ]
}

fn described(source: &Source) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a source of some megabytes")]
    let megabytes = source.text.len() as f64 / 1e6;
    format!("{megabytes:.1} MB of C++")
}
