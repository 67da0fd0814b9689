//! Images: reproducible, small, and run by a binary that needs nothing.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use bollard::models::ContainerCreateBody;
use farm_tests::alone::Alone;
use farm_tests::{BOARDS, Board, Scenario, TestFarm};

/// Unpacked, one GCC version with C and C++.
const MOST_BYTES_OF_ONE: i64 = 130_000_000;
/// On disk, all five.
const MOST_BYTES_OF_ALL: i64 = 450_000_000;

/// Same lock, same digest, whatever the machine has in its cache.
pub(crate) async fn the_same_lock_gives_the_same_image(scenario: Scenario) -> Result<()> {
    let board = BOARDS[1];
    let farm = scenario.farm("twin", "targets: { armv5: {} }\n").await?;
    farm.make_images_unique(board.target)?;
    let mut ids = Vec::new();
    for cache in ["first", "second"] {
        let cache = farm.folder().join(cache);
        let use_cache = |command: &mut tokio::process::Command| {
            command.env("XDG_CACHE_HOME", &cache);
        };
        let up = farm.run_with(&["up"], use_cache).await?.success()?;
        ensure!(
            up.stderr_text()?.contains("downloading"),
            "a cold cache downloads: {up}"
        );
        let container = farm.volunteer(scenario.docker(), &board).inspect().await?;
        let tag = container
            .config
            .and_then(|config| config.image)
            .context("no image")?;
        ids.push((container.image.context("no image id")?, tag.clone()));
        farm.run(&["down"]).await?.success()?;
        scenario.remove_image(&tag).await?;
    }
    assert_eq!(ids[0], ids[1]);
    Ok(())
}

/// Each by itself, and all together thanks to the layers that they share.
pub(crate) async fn images_are_small(scenario: Scenario) -> Result<()> {
    let farm = scenario.shared_farm().await?;
    let mut layers = BTreeMap::new();
    for board in BOARDS {
        let of_image = layers_of(&scenario, &farm, &board).await?;
        let bytes: i64 = of_image.values().sum();
        ensure!(bytes > 0, "{} has no bytes", board.target);
        ensure!(
            bytes <= MOST_BYTES_OF_ONE,
            "{} has {bytes} bytes",
            board.target
        );
        layers.extend(of_image);
    }
    let bytes: i64 = layers.values().sum();
    ensure!(
        bytes <= MOST_BYTES_OF_ALL,
        "all images together have {bytes} bytes"
    );
    Ok(())
}

/// Sizes in bytes by the layers' digests.
async fn layers_of(
    scenario: &Scenario,
    farm: &TestFarm,
    board: &Board,
) -> Result<BTreeMap<String, i64>> {
    let container = farm.volunteer(scenario.docker(), board).inspect().await?;
    let id = container.image.context("no image id")?;
    let image = scenario.docker().inspect_image(&id).await?;
    let digests = image
        .root_fs
        .and_then(|root| root.layers)
        .context("no layers")?;
    // The history lists the last layer first.
    let history = scenario.docker().image_history(&id).await?;
    let sizes: Vec<_> = history.iter().rev().map(|layer| layer.size).collect();
    assert_eq!(
        digests.len(),
        sizes.len(),
        "every layer has its line in the history"
    );
    Ok(digests.into_iter().zip(sizes).collect())
}

/// No loader, no libraries, no files: the binary starts in both of its roles.
pub(crate) async fn the_binary_starts_in_an_empty_image(scenario: Scenario) -> Result<()> {
    let alone = Alone::new(&scenario).await?;
    for (program, expected) in [("/farmctl", "farmctl "), ("/distccd", "distccd ")] {
        let body = ContainerCreateBody {
            cmd: Some([program, "--version"].map(str::to_owned).to_vec()),
            user: Some("65532:65532".to_owned()),
            ..ContainerCreateBody::default()
        };
        let container = alone.container(&scenario, body).await?;
        container.start().await?;
        let ended = container.wait().await?.success()?;
        let text = ended.stdout_text()?;
        ensure!(
            text.starts_with(expected),
            "expected '{expected}…' of {ended}"
        );
    }
    Ok(())
}
