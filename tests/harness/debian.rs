//! Debian's archive, by the same code and with the same cache as farmctl's own.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use deb822_fast::borrowed::{BorrowedParagraph, iter_paragraphs_borrowed};
use farmctl::image::{
    APT_DIRECTORY, DebianArchive, Expiry, Keyring, Mirror, Progress, Sha256, Silent, with_data,
};
use flate2::read::GzDecoder;
use lzma_rust2::XzReader;

use crate::Files;

/// The suite that masters and sources come from.
pub const SUITE: &str = "stable";

/// The archive that farmctl would use on this machine.
///
/// # Errors
/// `FARMCTL_MIRROR` is no mirror, or there is no cache directory.
pub fn archive() -> Result<DebianArchive> {
    let mirror = mirror()?;
    let cache = cache().context("neither XDG_CACHE_HOME nor HOME is set")?;
    let listener: Arc<dyn Progress> = Arc::new(Silent);
    Ok(DebianArchive::new(
        mirror,
        cache,
        Keyring::debian(),
        Expiry::Refuse,
        &listener,
    )?)
}

/// The mirror that farmctl would use on this machine.
///
/// # Errors
/// `FARMCTL_MIRROR` is no mirror.
pub fn mirror() -> Result<Mirror> {
    let named = std::env::var("FARMCTL_MIRROR").ok();
    Ok(Mirror::choose(
        None,
        named.as_deref(),
        Path::new(APT_DIRECTORY),
    )?)
}

/// farmctl's cache directory, so that nothing is downloaded twice.
pub fn cache() -> Option<PathBuf> {
    let folder = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(cache.join("farmctl"))
}

/// Takes one program out of a package of the stable suite.
///
/// # Errors
/// The archive is out of reach, or the package does not have it.
pub async fn program(package: &str, path: &'static str, to: &Path) -> Result<()> {
    let archive = archive()?;
    let packages = archive.close(SUITE, &[package], &["*"]).await?;
    let found = packages.iter().find(|found| found.name == package);
    let found = found.with_context(|| format!("Debian has no package {package}"))?;
    let deb = archive.file(&found.path, found.size, found.sha256).await?;
    let to = to.to_owned();
    tokio::task::spawn_blocking(move || unpack_program(&deb, path, &to)).await?
}

fn unpack_program(deb: &Path, path: &str, to: &Path) -> Result<()> {
    with_data(deb, |data| {
        for entry in tar::Archive::new(data).entries()? {
            let mut entry = entry?;
            if entry.path()?.ends_with(path) {
                std::io::copy(&mut entry, &mut File::create(to)?)?;
                std::fs::set_permissions(to, Permissions::from_mode(0o755))?;
            }
        }
        Ok(())
    })?;
    ensure!(to.exists(), "{} has no {path}", deb.display());
    Ok(())
}

/// The upstream files of a source package, without their common folder.
///
/// # Errors
/// The archive does not have it, or not as one gzipped tar archive.
pub async fn upstream_source(archive: &DebianArchive, package: &str) -> Result<Files> {
    let index = archive.listed(SUITE, "main/source/Sources.xz").await?;
    let name = package.to_owned();
    let tarball = tokio::task::spawn_blocking(move || find(&index, &name)).await??;
    let path = archive
        .file(&tarball.path, tarball.bytes, tarball.sha256)
        .await?;
    tokio::task::spawn_blocking(move || unpack(&path)).await?
}

/// The `.orig` archive of a source package.
struct Tarball {
    path: String,
    bytes: u64,
    sha256: Sha256,
}

fn find(index: &Path, package: &str) -> Result<Tarball> {
    let text = std::io::read_to_string(XzReader::new(File::open(index)?, true))?;
    iter_paragraphs_borrowed(&text)
        .filter_map(Result::ok)
        .filter(|stanza| stanza.get_single("Package") == Some(package))
        .find_map(|stanza| tarball(&stanza))
        .with_context(|| {
            format!("suite {SUITE} has no source package {package} with a .orig.tar.gz")
        })
}

fn tarball(stanza: &BorrowedParagraph<'_>) -> Option<Tarball> {
    let folder = stanza.get_single("Directory")?;
    stanza.get("Checksums-Sha256")?.iter().find_map(|line| {
        let mut words = line.split_whitespace();
        let (sha256, bytes, name) = (words.next()?, words.next()?, words.next()?);
        let wanted = name.ends_with(".orig.tar.gz");
        wanted.then_some(Tarball {
            path: format!("{folder}/{name}"),
            bytes: bytes.parse().ok()?,
            sha256: sha256.parse().ok()?,
        })
    })
}

fn unpack(tarball: &Path) -> Result<Files> {
    let mut archive = Vec::new();
    std::io::copy(&mut GzDecoder::new(File::open(tarball)?), &mut archive)?;
    let all = Files::from_tar(&archive, "")?;
    let mut files = Files::new();
    for (path, contents) in all.iter() {
        if let Some((_common, relative)) = path.split_once('/') {
            files.insert(relative, contents);
        }
    }
    Ok(files)
}
