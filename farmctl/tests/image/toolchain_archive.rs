//! Toolchains that come as one archive.

use std::collections::BTreeMap;
use std::io::{Read, Write as _};
use std::path::Path;

use farmctl::image::{ArchiveSource, Event, Image, ImageRequest, Lock, Sha256, Work, load_stream};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::TryStreamExt;
use tar::{Builder, EntryType, Header};

use crate::debian::{gcc, library, program, program_searching, xz};
use crate::machine::{Machine, image, mirror_and_machine};
use crate::server::{Fault, Server};

const TRIPLE: &str = "arm-unknown-linux-gnueabihf";
const DIRECTORY: &str = "x-tools7h/arm-unknown-linux-gnueabihf";
const INSTALLED: &str = "/opt/x-tools7h";

/// The tree that crosstool-NG makes, with hard links where it has them and with much that compiling does not need.
fn members() -> Vec<(EntryType, String, String, Vec<u8>)> {
    let needs = ["libmpfr.so.6", "libstdc++.so.6", "libc.so.6"];
    let own = Some("$ORIGIN/../../../../lib");
    let file = |path: &str, content| (EntryType::Regular, path.to_owned(), String::new(), content);
    let link = |kind, path: String, target: String| (kind, path, target, vec![]);
    let proper = format!("libexec/gcc/{TRIPLE}/15.2.0");
    vec![
        file(
            &format!("bin/{TRIPLE}-gcc-15.2.0"),
            program("gcc", &["libc.so.6"]),
        ),
        link(
            EntryType::Link,
            format!("bin/{TRIPLE}-gcc"),
            format!("{DIRECTORY}/bin/{TRIPLE}-gcc-15.2.0"),
        ),
        link(
            EntryType::Symlink,
            format!("bin/{TRIPLE}-cc"),
            format!("{TRIPLE}-gcc"),
        ),
        file(&format!("bin/{TRIPLE}-g++"), program("g++", &["libc.so.6"])),
        file(
            &format!("bin/{TRIPLE}-gcc-ar"),
            program("gcc-ar", &["libc.so.6"]),
        ),
        file(&format!("bin/{TRIPLE}-ld"), program("ld", &["libc.so.6"])),
        file(&format!("{TRIPLE}/bin/as"), program("as", &["libc.so.6"])),
        link(
            EntryType::Link,
            format!("bin/{TRIPLE}-as"),
            format!("{DIRECTORY}/{TRIPLE}/bin/as"),
        ),
        file(
            &format!("{proper}/cc1"),
            program_searching("cc1", &needs, own),
        ),
        file(
            &format!("{proper}/cc1plus"),
            program_searching("cc1plus", &needs, own),
        ),
        file(
            &format!("{proper}/lto1"),
            program("lto1", &["libnowhere.so"]),
        ),
        file(
            &format!("{proper}/liblto_plugin.so"),
            library(&["libnowhere.so"]),
        ),
        file(
            &format!("lib/gcc/{TRIPLE}/15.2.0/include/stddef.h"),
            b"header".to_vec(),
        ),
        link(
            EntryType::Symlink,
            "lib/libmpfr.so.6".to_owned(),
            "libmpfr.so.6.2".to_owned(),
        ),
        file(
            "lib/libmpfr.so.6.2",
            library(&["libc.so.6", "libgmp.so.10"]),
        ),
        file("lib/libgmp.so.10", library(&["libc.so.6"])),
        file("lib/libcc1.so.0", library(&["libc.so.6"])),
        file(
            &format!("{TRIPLE}/sysroot/lib/libc.so.6"),
            b"of another machine".to_vec(),
        ),
        link(
            EntryType::Symlink,
            format!("{TRIPLE}/sysroot/lib64"),
            "/lib".to_owned(),
        ),
    ]
}

fn packed(members: Vec<(EntryType, String, String, Vec<u8>)>) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for (kind, path, target, content) in members {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o755);
        header.set_size(content.len() as u64);
        let path = format!("{DIRECTORY}/{path}");
        match kind {
            EntryType::Regular => archive.append_data(&mut header, path, content.as_slice()),
            _ => archive.append_link(&mut header, path, target),
        }
        .unwrap();
    }
    archive.into_inner().unwrap()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

/// A mirror with the libraries, and a server with the archive.
struct Upstream {
    mirror: Server,
    server: Server,
    machine: Machine,
    archive: Vec<u8>,
}

impl Upstream {
    async fn with(archive: Vec<u8>) -> Self {
        let mut packages = gcc(14, "14.2");
        packages.push(
            crate::debian::Deb::new("libstdc++6", "14")
                .depends("libc6")
                .file(
                    "./usr/lib/x86_64-linux-gnu/libstdc++.so.6",
                    library(&["libc.so.6"]),
                ),
        );
        let (mirror, machine) = mirror_and_machine(&packages).await;
        let files = BTreeMap::from([("x-tools7h.tar.xz".to_owned(), archive.clone())]);
        Self {
            mirror,
            server: Server::start("/xtools", files).await,
            machine,
            archive,
        }
    }

    fn url(&self) -> String {
        format!("{}/x-tools7h.tar.xz", self.server.url())
    }

    fn request(&self) -> ImageRequest {
        request(&self.url(), &self.archive)
    }
}

fn request(url: &str, archive: &[u8]) -> ImageRequest {
    let mut image = image("armv7h");
    let sum = Sha256::of(archive).to_string();
    let compiler = &mut image.toolchain.compilers[0];
    compiler.major = 15;
    compiler.gcc = format!("{INSTALLED}/bin/{TRIPLE}-gcc").into();
    compiler.gxx = format!("{INSTALLED}/bin/{TRIPLE}-g++").into();
    let source = &mut image.sources[0];
    source.major = 15;
    source.packages = vec!["libstdc++6".to_owned()];
    source.archive =
        Some(ArchiveSource::new(url, &sum, Path::new(DIRECTORY), Path::new(INSTALLED)).unwrap());
    image
}

/// The paths of each layer but folders, links with their targets.
async fn layers(image: &Image) -> Vec<Vec<String>> {
    let chunks: Vec<_> = load_stream(std::slice::from_ref(image))
        .try_collect()
        .await
        .unwrap();
    let stream = listed(&chunks.concat());
    let manifest: serde_json::Value = serde_json::from_slice(&stream["manifest.json"]).unwrap();
    let layers = manifest[0]["Layers"].as_array().unwrap().iter();
    layers
        .map(|layer| {
            listed(&stream[layer.as_str().unwrap()])
                .into_keys()
                .collect()
        })
        .collect()
}

fn listed(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut path = entry.path().unwrap().display().to_string();
        if let Some(target) = entry.link_name().unwrap() {
            path = format!("{path} -> {}", target.display());
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (path, content)
    });
    let is_file = |(path, _content): &(String, Vec<u8>)| !path.ends_with('/');
    entries.filter(is_file).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_holds_the_compilers_of_the_archive_where_they_find_each_other() {
    let expected = [
        format!("opt/x-tools7h/{TRIPLE}/bin/as"),
        format!("opt/x-tools7h/bin/{TRIPLE}-g++"),
        format!("opt/x-tools7h/bin/{TRIPLE}-gcc"),
        "opt/x-tools7h/lib/libgmp.so.10".to_owned(),
        "opt/x-tools7h/lib/libmpfr.so.6 -> libmpfr.so.6.2".to_owned(),
        "opt/x-tools7h/lib/libmpfr.so.6.2".to_owned(),
        format!("opt/x-tools7h/libexec/gcc/{TRIPLE}/15.2.0/cc1"),
        format!("opt/x-tools7h/libexec/gcc/{TRIPLE}/15.2.0/cc1plus"),
    ];
    let plain = packed(members());
    let mut ids = Vec::new();
    for archive in [xz(&plain), gzipped(&plain), plain] {
        let upstream = Upstream::with(archive).await;
        let (lock, images) = upstream.machine.build(&[upstream.request()]).await.unwrap();
        let layers = layers(&images[0]).await;
        assert_eq!(layers.len(), 4, "{layers:?}");
        assert_eq!(layers[1], expected);
        let libraries = layers[0].join("\n");
        assert!(libraries.contains("libstdc++.so.6") && libraries.contains("libc.so.6"));
        assert!(!libraries.contains("libmpfr"), "the archive has its own");
        assert!(!lock.to_string().contains("://"), "{lock}");
        assert!(
            lock.to_string()
                .contains(&Sha256::of(&upstream.archive).to_string())
        );
        let parsed: Lock = lock.to_string().parse().unwrap();
        assert_eq!(parsed, lock);
        assert!(lock.covers(&[upstream.request()]));
        ids.push(images[0].layers().nth(1).unwrap().1);
    }
    assert!(
        ids.iter().all(|id| *id == ids[0]),
        "the same files, the same layer"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_through_which_drivers_go_back_is_there() {
    let upstream = Upstream::with(packed(members())).await;
    let (_lock, images) = upstream.machine.build(&[upstream.request()]).await.unwrap();
    let chunks: Vec<_> = load_stream(&images).try_collect().await.unwrap();
    let digest = images[0].layers().nth(1).unwrap().1;
    let stream = listed(&chunks.concat());
    let layer = &stream[&format!("{digest}/layer.tar")];
    let mut archive = tar::Archive::new(layer.as_slice());
    let folder = format!("opt/x-tools7h/lib/gcc/{TRIPLE}/15.2.0/");
    let found = archive
        .entries()
        .unwrap()
        .any(|entry| entry.unwrap().path_bytes().as_ref() == folder.as_bytes());
    assert!(found);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_upstream_replaced_is_refused_before_it_is_unpacked() {
    let upstream = Upstream::with(packed(members())).await;
    let request = upstream.request();
    let replacement = b"<html>not a tar archive at all</html>".to_vec();
    upstream
        .server
        .replace("x-tools7h.tar.xz", replacement.clone());
    let (message, hint) = upstream
        .machine
        .failure(std::slice::from_ref(&request))
        .await;
    let expected = format!(
        "upstream replaced this archive: {} has SHA-256 {}, the toolchain file says {}",
        upstream.url(),
        Sha256::of(&replacement),
        Sha256::of(&upstream.archive)
    );
    assert_eq!(message, expected);
    assert!(hint.contains("`sha256`"), "{hint}");

    upstream
        .server
        .replace("x-tools7h.tar.xz", upstream.archive.clone());
    upstream.machine.build(&[request]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_is_cut_goes_on_where_it_was() {
    let upstream = Upstream::with(packed(members())).await;
    upstream
        .server
        .fault("x-tools7h.tar.xz", Fault::CutOnceAfter(5000));
    upstream.machine.build(&[upstream.request()]).await.unwrap();
    let asked: Vec<_> = upstream
        .server
        .requests("x-tools7h.tar.xz")
        .iter()
        .map(|request| request.from)
        .collect();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(
        asked[1].is_some_and(|from| from > 0 && from <= 5000),
        "{asked:?}"
    );
    let names = upstream.machine.events.all();
    let archive = Work::Archive {
        name: "x-tools7h.tar.xz".to_owned(),
    };
    assert!(names.contains(&Event::Finished { work: archive }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_is_gone_or_too_large_is_refused() {
    let upstream = Upstream::with(packed(members())).await;
    upstream.server.remove("x-tools7h.tar.xz");
    let (message, hint) = upstream.machine.failure(&[upstream.request()]).await;
    assert_eq!(
        message,
        format!("there is no toolchain archive at {}", upstream.url())
    );
    assert!(hint.contains("`url`"), "{hint}");

    upstream
        .server
        .replace("x-tools7h.tar.xz", upstream.archive.clone());
    upstream
        .server
        .fault("x-tools7h.tar.xz", Fault::Announce(1 << 40));
    let (message, _hint) = upstream.machine.failure(&[upstream.request()]).await;
    assert_eq!(
        message,
        format!(
            "{} is larger than the {} bytes expected",
            upstream.url(),
            2_u64 << 30
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn once_fetched_nobody_is_asked_again() {
    let upstream = Upstream::with(packed(members())).await;
    let request = upstream.request();
    let (lock, images) = upstream
        .machine
        .build(std::slice::from_ref(&request))
        .await
        .unwrap();
    let Upstream {
        mirror,
        server,
        machine,
        ..
    } = upstream;
    mirror.stop().await;
    server.stop().await;
    // Without the layers made from them, so that everything is unpacked again.
    std::fs::remove_dir_all(machine.cache().join("layers")).unwrap();
    let assembler = machine.assembler();
    let resolved = assembler
        .resolve(std::slice::from_ref(&request), Some(&lock))
        .await
        .unwrap();
    let again = assembler.assemble(&[request], &resolved).await.unwrap();
    assert_eq!(again[0].id(), images[0].id());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_may_lie_on_this_machine() {
    let upstream = Upstream::with(packed(members())).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x tools.tar");
    std::fs::write(&path, &upstream.archive).unwrap();
    let url = format!("file://{}", path.display()).replace(' ', "%20");
    let local = request(&url, &upstream.archive);
    let (_lock, images) = upstream
        .machine
        .build(std::slice::from_ref(&local))
        .await
        .unwrap();
    assert_eq!(upstream.server.request_count(), 0);
    let assembler = upstream.machine.assembler();
    let lock = assembler
        .resolve(&[upstream.request()], None)
        .await
        .unwrap();
    let reference = assembler.reference(&upstream.request(), &lock).unwrap();
    assert_eq!(images[0].reference, reference, "the place does not matter");

    std::fs::remove_file(&path).unwrap();
    let other = request(&url, b"other");
    let (message, _hint) = upstream.machine.failure(&[other]).await;
    assert!(message.starts_with("cannot read "), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fingerprint_follows_the_archive() {
    let upstream = Upstream::with(packed(members())).await;
    let assembler = upstream.machine.assembler();
    let (one, other) = (
        upstream.request(),
        request(&upstream.url(), b"another archive"),
    );
    let reference = async |image: &ImageRequest| {
        let lock = assembler
            .resolve(std::slice::from_ref(image), None)
            .await
            .unwrap();
        assembler.reference(image, &lock).unwrap()
    };
    assert_ne!(reference(&one).await, reference(&other).await);
    let lock = assembler
        .resolve(std::slice::from_ref(&one), None)
        .await
        .unwrap();
    assert!(!lock.covers(&[other]), "another sum is another request");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_than_the_toolchain_file_says_is_refused() {
    let upstream = Upstream::with(packed(members())).await;
    let mut request = upstream.request();
    request.toolchain.compilers[0].major = 16;
    request.sources[0].major = 16;
    let (message, _hint) = upstream.machine.failure(&[request]).await;
    assert_eq!(
        message,
        "cannot unpack the toolchain archive x-tools7h.tar.xz: it holds GCC 15.2.0, not GCC 16"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_and_an_archive_go_together() {
    let upstream = Upstream::with(packed(members())).await;
    let mut both = image("armv7h");
    let archive = upstream.request();
    both.toolchain.compilers.extend(archive.toolchain.compilers);
    both.sources.extend(archive.sources);
    let (_lock, images) = upstream.machine.build(&[both]).await.unwrap();
    let layers = layers(&images[0]).await;
    assert_eq!(layers.len(), 6, "{layers:?}");
    assert!(
        layers[1].iter().any(
            |path| path == "usr/arm-linux-gnueabihf/bin/as -> ../../bin/arm-linux-gnueabihf-as"
        )
    );
    assert!(layers[3].iter().any(|path| path.ends_with("15.2.0/cc1")));
}
