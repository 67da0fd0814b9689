//! What comes out when all goes well.

use std::collections::BTreeMap;
use std::io::Read;

use farmctl::farm::Architecture;
use farmctl::image::{Event, Expiry, Image, ImageRequest, Lock, Sha256, load_bytes, load_stream};
use futures_util::TryStreamExt;

use crate::debian::{Deb, Signer, Suite, gcc, index_path, release_path};
use crate::machine::{Machine, image, image_of, mirror_and_machine, usual};
use crate::server::Server;

/// The entries of a tar archive by path.
fn entries(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if let Some(target) = entry.link_name().unwrap() {
            content = format!("-> {}", target.display()).into_bytes();
        }
        (path, content)
    });
    entries.collect()
}

async fn loaded(images: &[Image]) -> BTreeMap<String, Vec<u8>> {
    let chunks: Vec<_> = load_stream(images).try_collect().await.unwrap();
    entries(&chunks.concat())
}

fn ids(images: &[Image]) -> Vec<String> {
    images.iter().map(Image::id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_holds_what_compiling_needs_and_nothing_else() {
    let (_server, machine) = usual().await;
    let (_lock, images) = machine.build(&[image("armv7h")]).await.unwrap();
    let stream = loaded(&images).await;

    let manifest: serde_json::Value = serde_json::from_slice(&stream["manifest.json"]).unwrap();
    assert_eq!(manifest[0]["RepoTags"][0], images[0].reference.as_str());
    let paths: Vec<Vec<String>> = manifest[0]["Layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| {
            entries(&stream[layer.as_str().unwrap()])
                .into_keys()
                .filter(|path| !path.ends_with('/'))
                .collect()
        })
        .collect();
    assert_eq!(
        paths,
        [
            vec![
                "bin",
                "lib",
                "lib64",
                "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
                "usr/lib/x86_64-linux-gnu/libc.so.6",
                "usr/lib/x86_64-linux-gnu/libgmp.so.10",
                "usr/lib/x86_64-linux-gnu/libgmp.so.10.5.0",
                "usr/lib64/ld-linux-x86-64.so.2",
            ],
            vec![
                "usr/arm-linux-gnueabihf/bin/as",
                "usr/bin/arm-linux-gnueabihf-as",
                "usr/lib/x86_64-linux-gnu/libbfd-arm-linux-gnueabihf.so",
                "usr/lib/x86_64-linux-gnu/libsframe.so.1",
            ],
            vec![
                "usr/bin/arm-linux-gnueabihf-g++-14",
                "usr/bin/arm-linux-gnueabihf-gcc-14",
                "usr/libexec/gcc-cross/arm-linux-gnueabihf/14/cc1",
                "usr/libexec/gcc-cross/arm-linux-gnueabihf/14/cc1plus",
            ],
            vec!["usr/bin/distccd"],
            vec!["etc/distccd/toolchain.json"],
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_a_layer_of_their_own_and_only_where_they_are_asked_for() {
    let triple = "usr/arm-linux-gnueabihf";
    let library = Deb::new("libc6-dev-armhf-cross", "2.41")
        .depends("libc6-armhf-cross, linux-libc-dev")
        .file(
            &format!("./{triple}/include/stdio.h"),
            b"int puts();".to_vec(),
        )
        .link(
            &format!("./{triple}/include/asm"),
            "../../lib/linux/uapi/arm/asm",
        )
        .file(&format!("./{triple}/lib/libc.a"), b"archive".to_vec());
    let packages: Vec<_> = gcc(14, "14.2").into_iter().chain([library]).collect();
    let (_server, machine) = mirror_and_machine(&packages).await;
    let without = image("armv7h");
    let mut with = without.clone();
    with.toolchain.headers = true;
    with.sources[0].headers = vec!["libc6-dev-armhf-cross".to_owned()];

    let (plain_lock, plain) = machine.build(&[without]).await.unwrap();
    let (lock, images) = machine.build(&[with.clone()]).await.unwrap();
    assert_ne!(plain[0].reference, images[0].reference);
    assert!(!plain_lock.covers(&[with]));
    assert!(lock.to_string().contains("libc6-dev-armhf-cross=2.41"));
    let stream = loaded(&images).await;
    let manifest: serde_json::Value = serde_json::from_slice(&stream["manifest.json"]).unwrap();
    let headers = entries(&stream[manifest[0]["Layers"][3].as_str().unwrap()]);
    let files: Vec<_> = headers.keys().filter(|path| !path.ends_with('/')).collect();
    assert_eq!(
        files,
        [
            &format!("{triple}/include/asm"),
            &format!("{triple}/include/stdio.h")
        ]
    );
    let toolchain = entries(&stream[manifest[0]["Layers"][5].as_str().unwrap()]);
    let toolchain: serde_json::Value =
        serde_json::from_slice(&toolchain["etc/distccd/toolchain.json"]).unwrap();
    assert_eq!(toolchain["headers"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_runs_the_daemon_as_nobody_and_names_layers_by_digest() {
    let (_server, machine) = usual().await;
    let (_lock, images) = machine.build(&[image("armv7h")]).await.unwrap();
    let stream = loaded(&images).await;
    let manifest: serde_json::Value = serde_json::from_slice(&stream["manifest.json"]).unwrap();

    let config = &stream[manifest[0]["Config"].as_str().unwrap()];
    assert_eq!(images[0].id(), format!("sha256:{}", Sha256::of(config)));
    let config: serde_json::Value = serde_json::from_slice(config).unwrap();
    assert_eq!(config["config"]["User"], "65532:65532");
    assert_eq!(
        config["config"]["Entrypoint"],
        serde_json::json!(["/usr/bin/distccd"])
    );
    assert_eq!(
        config["config"]["Env"],
        serde_json::json!(["PATH=/usr/bin"])
    );
    assert_eq!(
        (&config["os"], &config["architecture"]),
        (&"linux".into(), &"amd64".into())
    );

    let labels = &config["config"]["Labels"];
    assert_eq!(
        (&labels["farmctl.image"], &labels["farmctl.target"]),
        (&images[0].reference.as_str().into(), &"armv7h".into())
    );

    let layers = manifest[0]["Layers"].as_array().unwrap();
    for (layer, diff_id) in layers
        .iter()
        .zip(config["rootfs"]["diff_ids"].as_array().unwrap())
    {
        let digest = Sha256::of(&stream[layer.as_str().unwrap()]);
        assert_eq!(diff_id, &format!("sha256:{digest}"));
    }
    let last = entries(&stream[layers[4].as_str().unwrap()]);
    let toolchain: volunteer_toolchain::Toolchain =
        serde_json::from_slice(&last["etc/distccd/toolchain.json"]).unwrap();
    assert_eq!(toolchain, image("armv7h").toolchain);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_lock_gives_the_same_images_on_another_machine_without_an_index() {
    let signer = Signer::new();
    let packages = gcc(14, "14.2");
    let files = Suite {
        name: "stable",
        valid_until: None,
        packages: &packages,
    }
    .publish(&signer);
    let first = Server::start("/debian", files.clone()).await;
    let images = [image("armv6h"), image("armv7h")];
    let (lock, built) = Machine::new(first.url(), &signer)
        .build(&images)
        .await
        .unwrap();

    let second = Server::start("/other/mirror", files).await;
    second.remove(&release_path("stable"));
    second.remove(&index_path("stable"));
    let other_machine = Machine::new(second.url(), &signer);
    let other = other_machine.assembler();
    let read: Lock = lock.to_string().parse().unwrap();
    let resolved = other.resolve(&images, Some(&read)).await.unwrap();
    assert_eq!(resolved, lock);
    assert_eq!(
        ids(&other.assemble(&images, &resolved).await.unwrap()),
        ids(&built)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complete_lock_and_a_warm_cache_need_no_network() {
    let (server, machine) = usual().await;
    let images = [image("armv7h")];
    let (lock, built) = machine.build(&images).await.unwrap();
    let before = server.request_count();

    let assembler = machine.assembler();
    let resolved = assembler.resolve(&images, Some(&lock)).await.unwrap();
    assert_eq!(
        assembler.reference(&images[0], &resolved).unwrap(),
        built[0].reference
    );
    assert_eq!(
        ids(&assembler.assemble(&images, &resolved).await.unwrap()),
        ids(&built)
    );

    // Even with the layers gone, the packages are there.
    std::fs::remove_dir_all(machine.cache().join("layers")).unwrap();
    assert_eq!(
        ids(&assembler.assemble(&images, &resolved).await.unwrap()),
        ids(&built)
    );
    assert_eq!(server.request_count(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_share_every_layer_but_the_toolchain() {
    let (_server, machine) = usual().await;
    let (_lock, images) = machine
        .build(&[image("armv6h"), image("armv7h")])
        .await
        .unwrap();
    let layers = |image: &Image| {
        image
            .layers()
            .map(|(_name, digest, _bytes)| digest)
            .collect::<Vec<_>>()
    };
    let (left, right) = (layers(&images[0]), layers(&images[1]));
    assert_eq!(left[..4], right[..4]);
    assert_ne!(left[4], right[4]);
    assert!(load_bytes(&images) < images[0].bytes() + images[1].bytes());

    let stream = loaded(&images).await;
    assert_eq!(
        stream
            .keys()
            .filter(|path| path.ends_with("/layer.tar"))
            .count(),
        6
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fingerprint_follows_everything_that_goes_in() {
    let (_server, machine) = usual().await;
    let one = image("armv7h");
    let (lock, _images) = machine.build(std::slice::from_ref(&one)).await.unwrap();
    let assembler = machine.assembler();
    let fingerprint = |image| assembler.fingerprint(image, &lock).unwrap().to_string();

    let mut other = one.clone();
    other.toolchain.defaults.push("-marm".to_owned());
    assert_ne!(fingerprint(&one), fingerprint(&other));

    let newer = lock.to_string().replace("2.44", "2.45").parse().unwrap();
    assert_ne!(
        assembler.fingerprint(&one, &newer).unwrap().to_string(),
        fingerprint(&one)
    );

    std::fs::write(machine.program(), "another daemon").unwrap();
    let rebuilt = machine.assembler().fingerprint(&one, &lock).unwrap();
    assert_ne!(rebuilt.to_string(), fingerprint(&one));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_gcc_versions_live_in_one_image_on_the_newest_libraries() {
    let signer = Signer::new();
    let mut files = Suite {
        name: "stable",
        valid_until: None,
        packages: &gcc(14, "14.2"),
    }
    .publish(&signer);
    let newer: Vec<_> = gcc(16, "16.1")
        .into_iter()
        .map(|deb| deb.newer_unless("-16-"))
        .collect();
    files.extend(
        Suite {
            name: "testing",
            valid_until: None,
            packages: &newer,
        }
        .publish(&signer),
    );
    let server = Server::start("/debian", files).await;
    let machine = Machine::new(server.url(), &signer);

    let both = image_of("armv7h", &[(16, "testing"), (14, "stable")]);
    let (lock, images) = machine.build(&[both, image("armv6h")]).await.unwrap();
    let names: Vec<_> = images[0].layers().map(|(name, ..)| name).collect();
    assert_eq!(
        names,
        [
            "libraries",
            "assembler",
            "gcc 16",
            "gcc 14",
            "daemon",
            "toolchain"
        ]
    );
    let digest =
        |image: &Image, name: &str| image.layers().find(|(found, ..)| *found == name).unwrap().1;
    assert_eq!(
        digest(&images[0], "gcc 14"),
        digest(&images[1], "gcc 14"),
        "a compiler's layer is its own"
    );
    assert!(
        lock.to_string().contains("\"libc6=2.41\"")
            && lock.to_string().contains("\"libc6=2.41.1\"")
    );
    assert_eq!(server.requests("pool/main/libc6_2.41.1_amd64.deb").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lock_gains_what_it_lacks_and_loses_what_nobody_asks_for() {
    let (server, machine) = usual().await;
    let assembler = machine.assembler();
    let one = assembler.resolve(&[image("armv6h")], None).await.unwrap();
    server.replace(&release_path("stable"), b"gone bad".to_vec());
    assembler
        .resolve(&[image("armv7h")], Some(&one))
        .await
        .unwrap_err();
    let none = assembler.resolve(&[], Some(&one)).await.unwrap();
    assert!(none.is_empty());

    let (_server, machine) = usual().await;
    let both = machine
        .assembler()
        .resolve(&[image("armv6h"), image("armv7h")], Some(&one))
        .await
        .unwrap();
    assert!(both.covers(&[image("armv6h"), image("armv7h")]));
    assert!(!one.covers(&[image("armv7h")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_index_is_fine_where_it_is_allowed_and_where_the_lock_makes_it_unnecessary() {
    let signer = Signer::new();
    let packages = gcc(14, "14.2");
    let suite = Suite {
        name: "stable",
        valid_until: Some(crate::debian::yesterday()),
        packages: &packages,
    };
    let server = Server::start("/debian", suite.publish(&signer)).await;
    let mut machine = Machine::new(server.url(), &signer);
    machine.expiry = Expiry::Allow;
    let (lock, _images) = machine.build(&[image("armv7h")]).await.unwrap();

    let other = Machine::new(server.url(), &signer);
    let strict = other.assembler();
    let resolved = strict
        .resolve(&[image("armv7h")], Some(&lock))
        .await
        .unwrap();
    strict
        .assemble(&[image("armv7h")], &resolved)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_as_many_bytes_as_it_planned() {
    let (_server, machine) = usual().await;
    machine.build(&[image("armv7h")]).await.unwrap();
    let events = machine.events.all();
    let planned = events.iter().find_map(|event| match event {
        Event::Planned { files, bytes } => Some((*files, *bytes)),
        _ => None,
    });
    let after_plan = events
        .iter()
        .skip_while(|event| !matches!(event, Event::Planned { .. }));
    let advanced: u64 = after_plan
        .map(|event| {
            if let Event::Advanced { bytes, .. } = event {
                *bytes
            } else {
                0
            }
        })
        .sum();
    let (files, bytes) = planned.unwrap();
    assert_eq!((files, bytes), (gcc(14, "14.2").len(), advanced));
    let count =
        |condition: fn(&Event) -> bool| events.iter().filter(|event| condition(event)).count();
    assert_eq!(
        count(|event| matches!(event, Event::Started { .. })),
        count(|event| matches!(event, Event::Finished { .. }))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_assemblies_at_once_share_a_cache() {
    let (server, machine) = mirror_and_machine(&gcc(14, "14.2")).await;
    let images = [image("armv7h")];
    let (left, right) = tokio::join!(machine.build(&images), machine.build(&images));
    assert_eq!(ids(&left.unwrap().1), ids(&right.unwrap().1));
    for deb in gcc(14, "14.2") {
        assert_eq!(
            server.requests(&deb.pool_path()).len(),
            1,
            "{}",
            deb.pool_path()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_of_both_kinds_get_images_of_their_own_from_one_lock() {
    let amd64 = gcc(14, "14.2");
    let arm64 = gcc(14, "14.2")
        .into_iter()
        .map(|deb| deb.built_for("arm64"));
    let packages: Vec<_> = amd64.clone().into_iter().chain(arm64).collect();
    let (server, machine) = mirror_and_machine(&packages).await;
    let on = |architecture| ImageRequest {
        architecture,
        ..image("armv7h")
    };
    let requests = [on(Architecture::Amd64), on(Architecture::Arm64)];
    let (lock, images) = machine.build(&requests).await.unwrap();

    let text = lock.to_string();
    assert!(text.contains("\"libc6=2.41\""), "{text}");
    assert!(text.contains("\"libc6:arm64=2.41\""), "{text}");
    assert_eq!(text.parse::<Lock>().unwrap(), lock);
    assert_ne!(images[0].reference, images[1].reference);
    let stream = loaded(&images).await;
    let manifest: serde_json::Value = serde_json::from_slice(&stream["manifest.json"]).unwrap();
    for (number, architecture) in ["amd64", "arm64"].iter().enumerate() {
        let config = &stream[manifest[number]["Config"].as_str().unwrap()];
        let config: serde_json::Value = serde_json::from_slice(config).unwrap();
        assert_eq!(config["architecture"], *architecture);
    }
    for deb in &amd64 {
        let both = [deb.clone(), deb.clone().built_for("arm64")].map(|deb| deb.pool_path());
        let fetched = both.map(|path| server.requests(&path).len());
        assert_eq!(fetched[0], fetched[1], "{}", deb.pool_path());
    }

    let alone = machine.build(&requests[..1]).await.unwrap();
    assert_eq!(
        ids(&alone.1),
        ids(&images[..1]),
        "the other host changes nothing"
    );
    assert!(!alone.0.to_string().contains("arm64"));
    assert!(
        !alone.0.covers(&requests),
        "what one host has is not pinned for the other"
    );
    assert!(lock.covers(&requests));
}
