//! One piece of work that is measured in bytes.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Report, Style};

const BAR: &str = "  {spinner} {msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";

/// A bar on a terminal, which goes with this, and elsewhere a line when the work is done.
#[derive(Debug)]
pub struct ByteReport {
    report: Arc<Report>,
    what: String,
    bar: Option<ProgressBar>,
}

impl ByteReport {
    /// Work called `what`, such as `packing`, of so many bytes.
    pub fn new(report: &Arc<Report>, what: &str, total: u64) -> Self {
        let bar = (report.style == Style::Terminal).then(|| {
            let bar = report.bars.add(ProgressBar::new(total));
            let style = ProgressStyle::with_template(BAR);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self {
            report: Arc::clone(report),
            what: what.to_owned(),
            bar,
        }
    }

    /// So many bytes more.
    pub fn advance(&self, bytes: u64) {
        self.bar.iter().for_each(|bar| bar.inc(bytes));
    }

    /// All of it is done.
    pub fn done(&self) {
        self.report.note(&format!("   done {}", self.what));
    }
}

impl Drop for ByteReport {
    fn drop(&mut self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}
