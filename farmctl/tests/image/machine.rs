//! A machine that assembles images: its cache, its keyring, its mirror.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use farmctl::farm::Architecture;
use farmctl::image::{
    Assembler, CompilerSource, Error, Event, Expiry, Image, ImageRequest, Keyring, Lock, Program,
    Programs, Progress, Settings,
};
use tempfile::TempDir;
use volunteer_toolchain::{Class, Compiler, Machine as ElfMachine, ObjectFacts, Toolchain};

use crate::debian::{Deb, Signer, Suite, gcc};
use crate::server::Server;

/// A machine with an empty cache.
pub(crate) struct Machine {
    pub(crate) expiry: Expiry,
    pub(crate) events: Events,
    mirror: String,
    keyring: Keyring,
    folder: TempDir,
}

impl Machine {
    /// A machine that uses the mirror at `mirror` and trusts `signer`.
    pub(crate) fn new(mirror: &str, signer: &Signer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("program"), "the daemon").unwrap();
        Self {
            expiry: Expiry::Refuse,
            events: Events::default(),
            mirror: mirror.to_owned(),
            keyring: signer.keyring(folder.path()),
            folder,
        }
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// The binary that becomes the daemon.
    pub(crate) fn program(&self) -> PathBuf {
        self.folder.path().join("program")
    }

    fn programs(&self) -> Programs {
        let mut programs = Programs::default();
        let program = Program::at(&self.program(), &self.cache()).unwrap();
        for host in [Architecture::Amd64, Architecture::Arm64] {
            programs.set(host, program.clone());
        }
        programs
    }

    pub(crate) fn assembler(&self) -> Assembler {
        let settings = Settings {
            mirror: self.mirror.parse().unwrap(),
            cache: self.cache(),
            keyring: self.keyring.clone(),
            expiry: self.expiry,
            programs: self.programs(),
        };
        Assembler::new(settings, Arc::new(self.events.clone())).unwrap()
    }

    /// Resolves and assembles.
    pub(crate) async fn build(&self, images: &[ImageRequest]) -> Result<(Lock, Vec<Image>), Error> {
        let assembler = self.assembler();
        let lock = assembler.resolve(images, None).await?;
        let built = assembler.assemble(images, &lock).await?;
        Ok((lock, built))
    }

    /// The message and the hint of the error that building an image ends with.
    pub(crate) async fn failure(&self, images: &[ImageRequest]) -> (String, String) {
        let error = self.build(images).await.unwrap_err();
        (error.to_string(), error.hint().unwrap_or_default())
    }
}

/// Collects what is reported.
#[derive(Debug, Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<Event>>>);

impl Progress for Events {
    fn report(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Events {
    pub(crate) fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }
}

/// A mirror of `packages` in the suite `stable`, and a machine that uses it.
pub(crate) async fn mirror_and_machine(packages: &[Deb]) -> (Server, Machine) {
    let signer = Signer::new();
    let suite = Suite {
        name: "stable",
        valid_until: None,
        packages,
    };
    let server = Server::start("/debian", suite.publish(&signer)).await;
    let machine = Machine::new(server.url(), &signer);
    (server, machine)
}

/// The same with GCC 14.
pub(crate) async fn usual() -> (Server, Machine) {
    mirror_and_machine(&gcc(14, "14.2")).await
}

/// An image of `target` with GCC 14 from the suite `stable`.
pub(crate) fn image(target: &str) -> ImageRequest {
    image_of(target, &[(14, "stable")])
}

/// An image of `target` with these GCC versions from these suites.
pub(crate) fn image_of(target: &str, versions: &[(u32, &str)]) -> ImageRequest {
    let triple = "arm-linux-gnueabihf";
    let compilers = versions.iter().map(|(major, _suite)| Compiler {
        major: *major,
        gcc: format!("/usr/bin/{triple}-gcc-{major}").into(),
        gxx: format!("/usr/bin/{triple}-g++-{major}").into(),
    });
    let toolchain = Toolchain {
        target: target.to_owned(),
        triples: vec![triple.to_owned()],
        object: ObjectFacts {
            class: Class::Elf32,
            machine: ElfMachine::Arm,
            attributes: BTreeMap::new(),
        },
        defaults: vec![format!("-march={target}")],
        compilers: compilers.collect(),
        headers: false,
    };
    let sources = versions.iter().map(|(major, suite)| CompilerSource {
        major: *major,
        suite: (*suite).to_owned(),
        packages: vec![format!("g++-{major}-{triple}")],
        leave_out: vec!["*-dev".to_owned()],
        headers: vec![],
        archive: None,
    });
    ImageRequest {
        architecture: Architecture::Amd64,
        toolchain,
        sources: sources.collect(),
    }
}
