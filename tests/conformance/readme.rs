//! The differences, for people: `README.md` is written by hand and must not leave one out.

use libtest_mimic::Failed;

use crate::{cases, requests};

const README: &str = include_str!("README.md");

/// Every difference that the data names has a line `| name | reason |`.
pub(crate) fn lists_every_difference() -> Result<(), Failed> {
    let cases = cases::all();
    let cases = cases
        .iter()
        .filter_map(|case| Some((case.name, case.differs?.why)));
    let requests = requests::all();
    let requests = requests
        .iter()
        .filter_map(|raw| Some((raw.name, raw.differs?.1)));
    let lines = cases
        .chain(requests)
        .map(|(name, why)| format!("| {name} | {why} |"));
    let missing: Vec<_> = lines
        .filter(|line| !README.lines().any(|known| known == line))
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("README.md lacks:\n{}", missing.join("\n")).into())
    }
}
