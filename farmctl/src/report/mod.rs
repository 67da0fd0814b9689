//! What people see while something happens: all of it on stderr, so that stdout carries only data.
//!
//! On a terminal steps and downloads are bars; elsewhere they are plain lines, one for each thing that ended.

mod assembly;
mod bytes;
mod company;
mod steps;
mod table;

use std::io::Write;
use std::sync::Mutex;

use indicatif::{MultiProgress, ProgressDrawTarget};

pub use assembly::AssemblyReport;
pub use bytes::ByteReport;
pub use steps::StepReport;
pub use table::Table;

/// How much is said, and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Bars and spinners.
    Terminal,
    /// Lines without control characters.
    Plain,
    /// Warnings and errors only.
    Quiet,
}

/// The one place that writes to stderr.
#[derive(Debug)]
pub struct Report {
    style: Style,
    bars: MultiProgress,
    plain: Mutex<()>,
}

impl Report {
    /// A report in the given style.
    pub fn new(style: Style) -> Self {
        let target = match style {
            Style::Terminal => ProgressDrawTarget::stderr(),
            Style::Plain | Style::Quiet => ProgressDrawTarget::hidden(),
        };
        Self {
            style,
            bars: MultiProgress::with_draw_target(target),
            plain: Mutex::new(()),
        }
    }

    /// Something worth knowing.
    pub fn note(&self, text: &str) {
        if self.style != Style::Quiet {
            self.line(text);
        }
    }

    /// Something that the user should act on, though the command goes on.
    pub fn warning(&self, text: &str) {
        let label = owo_colors::OwoColorize::yellow(&"warning");
        self.line(&format!("{label}: {text}"));
    }

    /// Why the command failed.
    pub fn error(&self, text: &str) {
        let label = owo_colors::OwoColorize::red(&"error");
        self.line(&format!("{label}: {text}"));
    }

    /// What to do about it.
    pub fn hint(&self, text: &str) {
        let label = owo_colors::OwoColorize::cyan(&"hint");
        self.line(&format!("{label}: {text}"));
    }

    /// Diagnostics that were laid out elsewhere, with colours where the terminal has them.
    pub fn rendered(&self, text: &str) {
        self.line(text.trim_end());
    }

    fn style(&self) -> Style {
        self.style
    }

    fn line(&self, text: &str) {
        self.bars.suspend(|| {
            let _one_at_a_time = self.plain.lock();
            // Nobody can be told that stderr is gone.
            let _written = writeln!(anstream::stderr(), "{text}");
        });
    }
}
