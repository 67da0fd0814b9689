//! Tables that fit the terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table as Rendered};

/// A table for people: a heading and rows of text.
#[derive(Debug)]
pub struct Table {
    rendered: Rendered,
}

impl Table {
    /// A table with the given column names.
    pub fn new<const N: usize>(columns: [&str; N]) -> Self {
        let mut rendered = Rendered::new();
        rendered
            .load_style(NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_header(columns);
        Self { rendered }
    }

    /// Adds a row; its cells stand in the order of the columns.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rendered.add_row(cells);
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.rendered.trim_fmt();
        f.write_str(&text)
    }
}
