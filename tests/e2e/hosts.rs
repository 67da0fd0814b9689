//! The lines that masters need: exactly these on stdout, and accepted by those who read them.

use anyhow::{Result, ensure};
use farm_tests::{BOARDS, Command, Files, Scenario, TestFarm};

use crate::printed;

/// Every consumer, with and without a target, an address and a number of jobs.
pub(crate) async fn only_the_lines_go_to_stdout(scenario: Scenario) -> Result<()> {
    let farm = scenario.shared_farm().await?;
    let address = farm.address().to_string();
    let slots = printed::default_slots(&scenario).await?;
    let armv7h = printed::host(&address, &BOARDS[3], slots);
    let cases: [(&[&str], String); 9] = [
        (&[], printed::makepkg_lines(&address, slots)),
        (
            &["--for", "makepkg"],
            printed::makepkg_lines(&address, slots),
        ),
        (&["--for", "env"], printed::env_lines(&address, slots)),
        (&["--for", "plain"], printed::plain_lines(&address, slots)),
        (&["armv7h"], format!("DISTCC_HOSTS=\"{armv7h}\"\n")),
        (
            &["armhf", "--for", "env"],
            format!("export DISTCC_HOSTS=\"{armv7h}\"\n"),
        ),
        (&["armv7h", "--for", "plain"], format!("{armv7h}\n")),
        (&["--jobs", "20"], printed::makepkg_lines(&address, 20)),
        (
            &["--address", "ryzen.lan", "--jobs", "7"],
            printed::makepkg_lines("ryzen.lan", 7),
        ),
    ];
    for (arguments, expected) in cases {
        let printed = hosts(&farm, arguments).await?;
        assert_eq!(printed, expected, "farmctl hosts {arguments:?}");
    }
    Ok(())
}

async fn hosts(farm: &TestFarm, arguments: &[&str]) -> Result<String> {
    let mut words = vec!["hosts"];
    words.extend(arguments);
    let printed = farm.run(&words).await?.success()?;
    assert_eq!(printed.stderr_text()?, "", "{printed}");
    Ok(printed.stdout_text()?.to_owned())
}

/// One text for all boards: bash picks the right line, and the stock client takes it.
pub(crate) async fn a_board_reads_its_own_line_out_of_makepkg_conf(
    scenario: Scenario,
) -> Result<()> {
    let farm = scenario.shared_farm().await?;
    let master = scenario.master().await?;
    let address = farm.address().to_string();
    let slots = printed::default_slots(&scenario).await?;
    let mut files = Files::new();
    files.insert("makepkg.conf", hosts(&farm, &["--for", "makepkg"]).await?);
    files.insert("environment", hosts(&farm, &["--for", "env"]).await?);
    master.copy_in("/work/hosts", &files).await?;

    for board in BOARDS {
        // makepkg exports the variable after it has read its configuration; the other text does it by itself.
        for read in [". ./makepkg.conf; export DISTCC_HOSTS", ". ./environment"] {
            let script = format!("set -eu; {read}; distcc --show-hosts");
            let command = Command::new(["bash", "-c", &script]);
            let command = command.folder("/work/hosts").env("CARCH", board.carch);
            let shown = master.run(&command).await?.success()?;
            let expected = printed::host(&address, &board, slots);
            assert_eq!(
                shown.stdout_text()?.trim(),
                expected,
                "{}: {read}",
                board.target
            );
        }
    }
    Ok(())
}

/// Usage, not a failure: the fix is in the message.
pub(crate) async fn an_unknown_target_is_refused_with_the_known_ones(
    scenario: Scenario,
) -> Result<()> {
    let farm = scenario.shared_farm().await?;
    let refused = farm.run(&["hosts", "armv8l"]).await?.expect_code(2)?;
    refused.says("error", "'armv8l'")?;
    refused.says("hint", "aarch64")?;
    ensure!(refused.stdout.is_empty(), "{refused}");
    Ok(())
}
