//! The master's image, made of whole Debian packages and kept between runs.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use bollard::Docker;
use bollard::query_parameters::CreateImageOptionsBuilder;
use bytes::Bytes;
use farmctl::image::{DebianArchive, LockedPackage};
use futures_util::future::try_join_all;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};

use super::{folder, rootfs};
use crate::debian::SUITE;

/// What a master runs; what these depend on follows.
const PACKAGES: [&str; 13] = [
    "bash",
    "binutils",
    "coreutils",
    "dash",
    "distcc",
    "g++-14-aarch64-linux-gnu",
    "g++-14-arm-linux-gnueabi",
    "g++-14-arm-linux-gnueabihf",
    "g++-14-x86-64-linux-gnu",
    "libstdc++-14-dev",
    "make",
    "qemu-user",
    "sed",
];

/// Needed only by maintainer scripts, which are not run, or by programs that are not used.
pub(crate) const LEAVE_OUT: [&str; 16] = [
    "adduser",
    "base-files",
    "debconf*",
    "init-system-helpers",
    "libasan*",
    "libc-bin",
    "libcc1-0",
    "libhwasan*",
    "libitm1*",
    "liblsan*",
    "libquadmath0*",
    "libtsan*",
    "libubsan*",
    "netbase",
    "perl*",
    "sysvinit-utils",
];

/// An image of whole packages, and of folders of this machine.
#[derive(Debug)]
pub(crate) struct Contents<'a> {
    pub(crate) repository: &'a str,
    /// What these depend on follows.
    pub(crate) packages: &'a [&'a str],
    /// Name patterns of what is not wanted all the same.
    pub(crate) leave_out: &'a [&'a str],
    /// Folders of this machine, and where the image has them.
    pub(crate) folders: Vec<(PathBuf, String)>,
}

/// The name of the master's image, which the engine has afterwards.
pub(super) async fn ensure(docker: &Docker, archive: &DebianArchive) -> Result<String> {
    let contents = Contents {
        repository: "farmtest/master",
        packages: &PACKAGES,
        leave_out: &LEAVE_OUT,
        folders: Vec::new(),
    };
    contents.ensure(docker, archive, "").await
}

impl Contents<'_> {
    /// The name of the image, which the engine has afterwards; `version` says when its folders are others.
    pub(crate) async fn ensure(
        self,
        docker: &Docker,
        archive: &DebianArchive,
        version: &str,
    ) -> Result<String> {
        let packages = archive.close(SUITE, self.packages, self.leave_out).await?;
        let tag = tag(&packages, version);
        let name = format!("{}:{tag}", self.repository);
        if docker.inspect_image(&name).await.is_err() {
            let debs = packages.iter().map(|package| fetch(archive, package));
            let debs = try_join_all(debs).await?;
            import(docker, self.repository, &tag, debs, self.folders).await?;
        }
        Ok(name)
    }
}

async fn fetch(archive: &DebianArchive, package: &LockedPackage) -> Result<PathBuf> {
    let file = archive.file(&package.path, package.size, package.sha256);
    file.await
        .with_context(|| format!("cannot fetch package {}", package.name))
}

/// The same packages and the same additions have the same tag.
fn tag(packages: &[LockedPackage], version: &str) -> String {
    let mut text = rootfs::additions_text() + version;
    for package in packages {
        let _infallible = writeln!(text, "{} {}", package.name, package.sha256);
    }
    hex::encode(&Sha256::digest(text)[..8])
}

async fn import(
    docker: &Docker,
    repository: &str,
    tag: &str,
    debs: Vec<PathBuf>,
    folders: Vec<(PathBuf, String)>,
) -> Result<()> {
    let options = CreateImageOptionsBuilder::default()
        .from_src("-")
        .repo(repository)
        .tag(tag)
        .build();
    let body = bollard::body_try_stream(root_file_system(debs, folders));
    docker
        .create_image(Some(options), Some(body), None)
        .try_for_each(|_progress| std::future::ready(Ok(())))
        .await
        .context("the engine does not take the image")
}

/// One tar archive of all packages, decompressed on every core while the engine reads.
fn root_file_system(
    debs: Vec<PathBuf>,
    folders: Vec<(PathBuf, String)>,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let taken = Arc::new(rootfs::Taken::default());
    let packages = stream::iter(debs)
        .map(move |deb| {
            let taken = Arc::clone(&taken);
            tokio::task::spawn_blocking(move || rootfs::entries_of(&deb, &taken))
        })
        .buffer_unordered(workers)
        .map(|outcome| match outcome {
            Ok(entries) => entries.map(Bytes::from).map_err(std::io::Error::other),
            Err(panicked) => Err(std::io::Error::other(panicked)),
        });
    let rest = stream::once(async { rootfs::additions().map(Bytes::from) });
    let folders = stream::iter(folders).flat_map(|(from, to)| folder::entries(from, to));
    packages.chain(folders).chain(rest)
}
