//! What `farmctl` must print for masters, written down independently of it.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use farm_tests::{BOARDS, Board, Scenario};

/// The slots of a volunteer whose manifest names none: two more than the engine has processors.
pub(crate) async fn default_slots(scenario: &Scenario) -> Result<i64> {
    let system = scenario.docker().info().await?;
    Ok(system
        .ncpu
        .context("the engine does not count its processors")?
        + 2)
}

/// `HOST:PORT/LIMIT,OPTIONS`, in the order of the stock grammar.
pub(crate) fn host(address: &str, board: &Board, slots: i64) -> String {
    format!("{address}:{}/{slots},lzo", board.port)
}

/// `farmctl hosts`: right on every board.
pub(crate) fn makepkg_lines(address: &str, slots: i64) -> String {
    let heading =
        "# distcc volunteers for each architecture; BUILDENV must hold distcc, not !distcc.\n";
    by_carch(heading, "", address, slots)
}

/// `farmctl hosts --for env`.
pub(crate) fn env_lines(address: &str, slots: i64) -> String {
    let heading = "# distcc volunteers for each architecture; CARCH must hold its name.\n";
    by_carch(heading, "export ", address, slots)
}

/// `farmctl hosts --for plain`.
pub(crate) fn plain_lines(address: &str, slots: i64) -> String {
    let mut text = String::new();
    for board in BOARDS {
        let host = host(address, &board, slots);
        let _infallible = writeln!(text, "{host} # {}", board.target);
    }
    text
}

fn by_carch(heading: &str, export: &str, address: &str, slots: i64) -> String {
    let mut text = format!("{heading}case \"$CARCH\" in\n");
    for board in BOARDS {
        let host = host(address, &board, slots);
        let _infallible = writeln!(
            text,
            "  {}) {export}DISTCC_HOSTS=\"{host}\" ;;",
            board.carch
        );
    }
    text + "esac\n"
}
