//! What became of each image, for the verbs that bring images to engines.

use serde::Serialize;

use super::fleet::Fleet;
use super::{Failure, stdout};
use crate::report::Table;

/// One line of the table; its JSON names are a contract.
#[derive(Debug, Serialize)]
pub(super) struct ImageRow {
    pub(super) host: String,
    pub(super) target: String,
    pub(super) image: String,
    pub(super) outcome: &'static str,
}

/// Prints a line for each image.
pub(super) fn print_table(rows: &[&ImageRow], fleet: &Fleet) -> Result<(), Failure> {
    let columns = ["TARGET", "IMAGE", "OUTCOME"];
    let mut table = Table::with_hosts(fleet.has_several_hosts(), &columns);
    for row in rows {
        let outcome = row.outcome.to_owned();
        table.row_of(&row.host, [row.target.clone(), row.image.clone(), outcome]);
    }
    stdout::print(&format!("{table}\n"))
}
