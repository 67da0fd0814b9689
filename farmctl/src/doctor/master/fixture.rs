//! A board on which everything is as it should be.

use std::collections::BTreeMap;
use std::path::PathBuf;

use volunteer_toolchain::objects_of;

use super::super::facts::client::{Client, MasqueradeFolder};
use super::super::facts::compilers::{Compiler, Compilers};
use super::super::facts::master::{
    Compiled, ConfigurationFile, HostAnswer, MasterFacts, Reached, StateFolder,
};
use super::super::proof::{Outcome, Proof, Verdict};
use super::list::{Item, parse};

pub(super) const HOST: &str = "10.30.5.9:3635/20,lzo";

pub(super) fn healthy() -> MasterFacts {
    MasterFacts {
        asked: Vec::new(),
        machine: "armv7l".to_owned(),
        environment: BTreeMap::new(),
        client: Ok(Some(Client {
            path: PathBuf::from("/usr/bin/distcc"),
            version: "3.4".to_owned(),
            has_zeroconf: false,
        })),
        masquerade: vec![MasqueradeFolder {
            path: "/usr/lib/distcc/bin".to_owned(),
            has_compilers: true,
            position: None,
            compiler_position: Some(0),
        }],
        ccache_position: None,
        makepkg_files: vec![ConfigurationFile {
            path: "/etc/makepkg.conf".to_owned(),
            text: Ok(makepkg("CFLAGS=\"-march=armv7-a -O2\"")),
        }],
        host_files: Vec::new(),
        state: StateFolder {
            path: PathBuf::from("/home/me/.distcc"),
            is_writable: Ok(true),
            back_offs: Vec::new(),
        },
        compilers: Ok(Compilers {
            c: Some(compiler("gcc")),
            cxx: Some(compiler("g++")),
        }),
        hosts: vec![answer(HOST)],
        proofs: Ok(vec![proof(Outcome::Compared(Verdict::Identical))]),
    }
}

/// A board's makepkg.conf, with further lines.
pub(super) fn makepkg(further: &str) -> String {
    format!(
        "CARCH=armv7h\nBUILDENV=(distcc color)\nMAKEFLAGS=-j20\nDISTCC_HOSTS=\"{HOST}\"\n{further}\n"
    )
}

fn compiler(name: &str) -> Compiler {
    let triple = "armv7l-unknown-linux-gnueabihf";
    Compiler {
        path: PathBuf::from("/usr/bin").join(name),
        name: name.to_owned(),
        version: "14.2.0".to_owned(),
        triple: triple.to_owned(),
        full_name: Some(format!("{triple}-{name}")),
        object: objects_of(triple),
    }
}

pub(super) fn answer(host: &str) -> HostAnswer {
    let Some(Item::Tcp(host)) = parse(host).unwrap().pop() else {
        panic!("{host} is no host")
    };
    HostAnswer {
        host,
        address: Some("10.30.5.9:3635".parse().unwrap()),
        reached: Reached::Compiled(compiled()),
    }
}

pub(super) fn compiled() -> Compiled {
    Compiled {
        object: objects_of("armv7l-unknown-linux-gnueabihf").unwrap(),
        version: Some("14.2.0".to_owned()),
        own_name: None,
    }
}

pub(super) fn proof(outcome: Outcome) -> Proof {
    Proof {
        place: "10.30.5.9:3635".to_owned(),
        source: "words.c",
        options: &["-O2", "-g"],
        by_distcc: true,
        here: Some("14.2.0".to_owned()),
        there: Some("14.2.0".to_owned()),
        outcome,
    }
}
