//! Downloads and layers while images are assembled.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{BinaryBytes, ProgressBar, ProgressStyle};

use super::{Report, Style};
use crate::image::{Event, Progress, Work};

/// Shows one assembly: a bar for all downloads together and a spinner for each layer.
#[derive(Debug)]
pub struct AssemblyReport {
    report: Arc<Report>,
    shown: Mutex<Shown>,
}

#[derive(Debug, Default)]
struct Shown {
    downloads: Option<ProgressBar>,
    others: HashMap<Work, ProgressBar>,
}

impl AssemblyReport {
    /// A report on one assembly.
    pub fn new(report: Arc<Report>) -> Self {
        Self {
            report,
            shown: Mutex::default(),
        }
    }

    fn bar(&self, bar: ProgressBar, style: &str) -> ProgressBar {
        let bar = self.report.bars.add(bar);
        bar.set_style(
            ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.enable_steady_tick(TICK);
        bar
    }
}

const TICK: Duration = Duration::from_millis(120);
const DOWNLOADS: &str =
    "  {spinner} downloading {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
const OTHER: &str = "  {spinner} {msg} {elapsed:.dim}";

impl Progress for AssemblyReport {
    fn report(&self, event: Event) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Planned { files: 0, .. }
            | Event::Started {
                work: Work::Package { .. },
                ..
            } => {}
            Event::Planned { files, bytes } => {
                self.report.note(&format!(
                    "downloading {files} packages, {}",
                    BinaryBytes(bytes)
                ));
                if self.report.style == Style::Terminal {
                    shown.downloads = Some(self.bar(ProgressBar::new(bytes), DOWNLOADS));
                }
            }
            Event::Started { work, .. } => {
                if self.report.style == Style::Terminal {
                    let bar = self.bar(ProgressBar::new_spinner(), OTHER);
                    bar.set_message(work.to_string());
                    shown.others.insert(work, bar);
                }
            }
            Event::Advanced {
                work: Work::Package { .. },
                bytes,
            } => {
                shown.downloads.iter().for_each(|bar| bar.inc(bytes));
            }
            Event::Advanced { .. } => {}
            Event::Retried { work, reason } => self
                .report
                .warning(&format!("{work}: {reason}; trying again")),
            Event::Finished {
                work: Work::Package { .. },
            } => finish_downloads(&mut shown),
            Event::Finished { work } => {
                if let Some(bar) = shown.others.remove(&work) {
                    bar.finish_and_clear();
                }
                self.report.note(&format!("   done {work}"));
            }
        }
    }
}

fn finish_downloads(shown: &mut Shown) {
    let finished = shown
        .downloads
        .take_if(|bar| bar.length().is_some_and(|length| bar.position() >= length));
    finished.iter().for_each(ProgressBar::finish_and_clear);
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index { suite } => write!(f, "index of {suite}"),
            Self::Package { name } => write!(f, "package {name}"),
            Self::Archive { name } => write!(f, "archive {name}"),
            Self::Layer { name } => write!(f, "layer {name}"),
        }
    }
}
