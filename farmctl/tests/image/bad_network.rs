//! Mirrors that are out of reach, slow to answer or cut connections.

use farmctl::image::Event;

use crate::debian::{Signer, pool_path, release_path};
use crate::machine::{Machine, image, usual};
use crate::server::{Fault, Server};

/// The package whose download is disturbed.
fn package() -> String {
    pool_path("cpp-14-arm-linux-gnueabihf", "14.2")
}

fn retries(events: &[Event]) -> usize {
    events
        .iter()
        .filter(|event| matches!(event, Event::Retried { .. }))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn asks_for_the_rest_of_a_cut_download() {
    let (server, machine) = usual().await;
    server.fault(&package(), Fault::CutOnceAfter(1000));
    machine.build(&[image("armv7h")]).await.unwrap();
    let asked: Vec<_> = server
        .requests(&package())
        .iter()
        .map(|request| request.from)
        .collect();
    assert_eq!(asked, [None, Some(1000)]);
    assert_eq!(retries(&machine.events.all()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_over_where_the_mirror_does_not_know_ranges() {
    let (server, machine) = usual().await;
    server.fault(&package(), Fault::CutOnceAfter(1000));
    server.fault(&package(), Fault::IgnoreRanges);
    machine.build(&[image("armv7h")]).await.unwrap();
    assert_eq!(server.requests(&package()).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_always_cuts_is_an_error_and_the_next_run_goes_on_from_there() {
    let (server, machine) = usual().await;
    server.fault(&package(), Fault::IgnoreRanges);
    server.fault(&package(), Fault::CutAfter(1000));
    let (message, hint) = machine.failure(&[image("armv7h")]).await;
    assert!(
        message.starts_with("download cut after 1000 bytes: "),
        "{message}"
    );
    assert!(hint.ends_with("what was downloaded is kept"), "{hint}");

    let before = server.requests(&package()).len();
    server.behave();
    machine.build(&[image("armv7h")]).await.unwrap();
    let asked: Vec<_> = server.requests(&package())[before..]
        .iter()
        .map(|request| request.from)
        .collect();
    assert_eq!(asked, [Some(1000)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_run_left_behind_is_not_trusted() {
    let (server, machine) = usual().await;
    let good = server.content(&package());
    let name = farmctl::image::Sha256::of(&good).to_string();
    let folder = machine.cache().join("partial");
    std::fs::create_dir_all(&folder).unwrap();
    for left_behind in [vec![0; 500], vec![0; good.len()], vec![0; good.len() + 1]] {
        std::fs::write(folder.join(&name), left_behind).unwrap();
        machine.build(&[image("armv7h")]).await.unwrap();
        assert_eq!(
            std::fs::read(machine.cache().join("archive").join(&name)).unwrap(),
            good
        );
        std::fs::remove_dir_all(machine.cache().join("archive")).unwrap();
        std::fs::remove_dir_all(machine.cache().join("layers")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_file_in_the_cache_is_fetched_again() {
    let (server, machine) = usual().await;
    machine.build(&[image("armv7h")]).await.unwrap();
    let name = farmctl::image::Sha256::of(&server.content(&package())).to_string();
    std::fs::write(machine.cache().join("archive").join(name), "half").unwrap();
    std::fs::remove_dir_all(machine.cache().join("layers")).unwrap();
    machine.build(&[image("armv7h")]).await.unwrap();
    assert_eq!(server.requests(&package()).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_mirror_is_asked_again() {
    let (server, machine) = usual().await;
    server.fault(&package(), Fault::BusyOnce);
    server.fault(&release_path("stable"), Fault::BusyOnce);
    machine.build(&[image("armv7h")]).await.unwrap();
    assert_eq!(server.requests(&package()).len(), 2);
    assert_eq!(server.requests(&release_path("stable")).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_is_gone_is_not_asked_for_again() {
    let (server, machine) = usual().await;
    server.remove(&package());
    let (message, hint) = machine.failure(&[image("armv7h")]).await;
    assert_eq!(
        message,
        format!("the mirror does not have {}/{}", server.url(), package())
    );
    assert!(hint.contains("farmctl update"), "{hint}");
    assert_eq!(server.requests(&package()).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn says_that_the_mirror_is_out_of_reach() {
    let signer = Signer::new();
    let gone = Server::start("/debian", [].into()).await;
    let url = gone.url().to_owned();
    gone.stop().await;
    let (message, hint) = Machine::new(&url, &signer)
        .failure(&[image("armv7h")])
        .await;
    assert!(
        message.starts_with("mirror unreachable: Connection refused"),
        "{message}"
    );
    assert!(hint.contains("FARMCTL_MIRROR"), "{hint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_without_the_suite_says_so() {
    let signer = Signer::new();
    let empty = Server::start("/debian", [].into()).await;
    let (message, _hint) = Machine::new(empty.url(), &signer)
        .failure(&[image("armv7h")])
        .await;
    assert_eq!(
        message,
        format!(
            "the mirror has no suite stable ({}/dists/stable/InRelease)",
            empty.url()
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_cannot_be_written_is_an_error() {
    let (_server, machine) = usual().await;
    std::fs::write(machine.cache(), "a file, not a folder").unwrap();
    let (message, hint) = machine.failure(&[image("armv7h")]).await;
    assert!(message.starts_with("cannot use "), "{message}");
    assert!(hint.contains("XDG_CACHE_HOME"), "{hint}");
}
