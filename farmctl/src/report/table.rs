//! Tables that fit the terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table as Rendered};

/// A table for people: a heading and rows of text.
#[derive(Debug)]
pub struct Table {
    rendered: Rendered,
    has_hosts: bool,
}

impl Table {
    /// A table with the given column names.
    pub fn new<const N: usize>(columns: [&str; N]) -> Self {
        Self::with_hosts(false, &columns)
    }

    /// A table whose rows are each about a host, which has a column of its own if `has_hosts`.
    pub fn with_hosts(has_hosts: bool, columns: &[&str]) -> Self {
        let host = has_hosts.then_some(&"HOST");
        let mut rendered = Rendered::new();
        rendered
            .load_style(NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_header(host.into_iter().chain(columns));
        Self {
            rendered,
            has_hosts,
        }
    }

    /// Adds a row; its cells stand in the order of the columns.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rendered.add_row(cells);
    }

    /// Adds a row about `host`.
    pub fn row_of<const N: usize>(&mut self, host: &str, cells: [String; N]) {
        let host = self.has_hosts.then(|| host.to_owned());
        self.rendered.add_row(host.into_iter().chain(cells));
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.rendered.trim_fmt();
        f.write_str(&text)
    }
}
