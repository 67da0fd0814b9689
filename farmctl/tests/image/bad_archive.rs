//! Archives that are not to be believed, and packages that are not what they should be.

use std::time::{Duration, SystemTime};

use farmctl::image::Sha256;
use tar::EntryType;

use crate::debian::{
    Deb, Signer, Suite, gcc, index_path, library, pool_path, release_path, yesterday,
};
use crate::machine::{Machine, image, mirror_and_machine, usual};
use crate::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn refuses_an_index_signed_by_somebody_else() {
    let (server, _machine) = usual().await;
    let stranger = Machine::new(server.url(), &Signer::new());
    let (message, hint) = stranger.failure(&[image("armv7h")]).await;
    assert!(
        message
            .starts_with("bad signature: the index of suite stable is not signed by a trusted key"),
        "{message}"
    );
    assert!(hint.contains("FARMCTL_KEYRING"), "{hint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_an_index_that_was_changed_after_signing() {
    let (server, machine) = usual().await;
    let signed = String::from_utf8(server.content(&release_path("stable"))).unwrap();
    server.replace(
        &release_path("stable"),
        signed
            .replace("Origin: Tests", "Origin: Other")
            .into_bytes(),
    );
    let (message, _hint) = machine.failure(&[image("armv7h")]).await;
    assert!(message.starts_with("bad signature"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_an_unsigned_index_whatever_stands_around_it() {
    let (server, machine) = usual().await;
    let signed = String::from_utf8(server.content(&release_path("stable"))).unwrap();
    let bare = signed.split("\n\n").nth(1).unwrap().to_owned();
    for text in [
        bare.clone(),
        format!("{bare}\n\n{signed}"),
        "<html>log in</html>".to_owned(),
        String::new(),
    ] {
        server.replace(&release_path("stable"), text.into_bytes());
        let (message, _hint) = machine.failure(&[image("armv7h")]).await;
        assert!(
            message.starts_with("the index of suite stable is not signed"),
            "{message}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_an_expired_index_and_names_the_option() {
    let signer = Signer::new();
    let packages = gcc(14, "14.2");
    let suite = Suite {
        name: "stable",
        valid_until: Some(yesterday()),
        packages: &packages,
    };
    let server = Server::start("/debian", suite.publish(&signer)).await;
    let (message, hint) = Machine::new(server.url(), &signer)
        .failure(&[image("armv7h")])
        .await;
    assert!(
        message.starts_with("the index of suite stable expired on "),
        "{message}"
    );
    assert!(hint.contains("--allow-expired"), "{hint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_an_index_that_will_expire() {
    let signer = Signer::new();
    let packages = gcc(14, "14.2");
    let tomorrow = SystemTime::now() + Duration::from_hours(24);
    let suite = Suite {
        name: "stable",
        valid_until: Some(tomorrow),
        packages: &packages,
    };
    let server = Server::start("/debian", suite.publish(&signer)).await;
    Machine::new(server.url(), &signer)
        .build(&[image("armv7h")])
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_another_suite_than_it_asked_for() {
    let signer = Signer::new();
    let packages = gcc(14, "14.2");
    let mut files = Suite {
        name: "oldstable",
        valid_until: None,
        packages: &packages,
    }
    .publish(&signer);
    files.insert(
        release_path("stable"),
        files[&release_path("oldstable")].clone(),
    );
    let server = Server::start("/debian", files).await;
    let (message, _hint) = Machine::new(server.url(), &signer)
        .failure(&[image("armv7h")])
        .await;
    assert_eq!(message, "the mirror serves suite oldstable as stable");
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_files_with_the_wrong_checksum() {
    for path in [index_path("stable"), pool_path("libc6", "2.41")] {
        let (server, machine) = usual().await;
        let good = server.content(&path);
        let mut bad = good.clone();
        bad[good.len() / 2] ^= 1;
        server.replace(&path, bad.clone());
        let (message, hint) = machine.failure(&[image("armv7h")]).await;
        let expected = format!(
            "has SHA-256 {}, expected {}",
            Sha256::of(&bad),
            Sha256::of(&good)
        );
        assert!(
            message.starts_with("wrong checksum: http://127.0.0.1") && message.ends_with(&expected),
            "{message}"
        );
        assert!(hint.contains("name another mirror"), "{hint}");

        // Nothing of it is left to be trusted: with the mirror in order again all is well.
        server.replace(&path, good);
        machine.build(&[image("armv7h")]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_a_file_longer_than_announced() {
    let (server, machine) = usual().await;
    let path = pool_path("libc6", "2.41");
    let longer = [server.content(&path), vec![0; 100]].concat();
    server.replace(&path, longer);
    let (message, _hint) = machine.failure(&[image("armv7h")]).await;
    assert!(
        message.contains("libc6_2.41_amd64.deb is larger than the"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_packages_that_reach_out_of_the_image() {
    let cases = [
        (
            EntryType::Regular,
            "../../etc/passwd",
            "",
            "path '../../etc/passwd' leads out of the image",
        ),
        (
            EntryType::Regular,
            "/etc/passwd",
            "",
            "path '/etc/passwd' is absolute",
        ),
        (
            EntryType::Char,
            "./dev/mem",
            "",
            "/dev/mem is neither file, link nor folder",
        ),
        (
            EntryType::Fifo,
            "./tmp/pipe",
            "",
            "/tmp/pipe is neither file, link nor folder",
        ),
        (
            EntryType::Symlink,
            "./usr/lib/libevil.so",
            "../../../etc",
            "path '../../../etc' leads out of the image",
        ),
        (
            EntryType::Link,
            "./usr/lib/libevil.so",
            "./etc/shadow",
            "/usr/lib/libevil.so is a hard link to ./etc/shadow, which is not among the files kept",
        ),
    ];
    for (kind, path, target, message) in cases {
        let mut packages = gcc(14, "14.2");
        packages.retain(|deb| !deb.is("libsframe1"));
        packages.push(Deb::new("libsframe1", "2.44").member(kind, path, target, vec![]));
        let (_server, machine) = mirror_and_machine(&packages).await;
        let (actual, _hint) = machine.failure(&[image("armv7h")]).await;
        assert_eq!(
            actual,
            format!("cannot unpack package libsframe1: {message}")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn says_which_library_or_program_is_missing() {
    let replace = |name: &str, deb: Deb| {
        let mut packages = gcc(14, "14.2");
        packages.retain(|other| !other.is(name));
        packages.push(deb);
        packages
    };
    let folder = "./usr/lib/x86_64-linux-gnu";
    let cases = [
        (
            replace(
                "libsframe1",
                Deb::new("libsframe1", "2.44")
                    .file(&format!("{folder}/libsframe.so.2"), library(&[])),
            ),
            "no package brings libsframe.so.1, which a compiler needs",
        ),
        (
            replace(
                "cpp-14-arm-linux-gnueabihf",
                Deb::new("cpp-14-arm-linux-gnueabihf", "14.2").depends("libc6, libgmp10"),
            ),
            "the packages of gcc 14 do not hold cc1",
        ),
        (
            replace(
                "binutils-arm-linux-gnueabihf",
                Deb::new("binutils-arm-linux-gnueabihf", "2.44"),
            ),
            "the packages of armv7h hold no assembler",
        ),
        (
            replace(
                "libgmp10",
                Deb::new("libgmp10", "2:6.3")
                    .file(&format!("{folder}/libgmp.so.10"), b"text".to_vec()),
            ),
            "libgmp.so.10 is no ELF program: ",
        ),
    ];
    for (packages, message) in cases {
        let (_server, machine) = mirror_and_machine(&packages).await;
        let (actual, _hint) = machine.failure(&[image("armv7h")]).await;
        assert!(actual.starts_with(message), "{actual}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn suggests_a_package_that_exists() {
    let (_server, machine) = mirror_and_machine(&gcc(13, "13.1")).await;
    let (message, hint) = machine.failure(&[image("armv7h")]).await;
    assert_eq!(
        message,
        "suite stable has no package g++-14-arm-linux-gnueabihf"
    );
    assert_eq!(hint, "did you mean g++-13-arm-linux-gnueabihf?");
}
