//! The steps of a plan while they are carried out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Report, Style};
use crate::converge::{Event, Step, StepId};

/// Shows each step of one plan.
#[derive(Debug)]
pub struct StepReport<'a> {
    report: &'a Report,
    /// What stands before each step: whose it is, where that has to be said.
    label: String,
    running: Mutex<HashMap<StepId, ProgressBar>>,
}

impl<'a> StepReport<'a> {
    /// A report on the steps of one execution; each one begins with `label`.
    pub fn new(report: &'a Report, label: impl Into<String>) -> Self {
        Self {
            report,
            label: label.into(),
            running: Mutex::new(HashMap::new()),
        }
    }

    /// Shows what happened to a step.
    pub fn on(&self, step: &Step, event: Event) {
        match event {
            Event::Started(id) if self.report.style() == Style::Terminal => self.spin(id, step),
            Event::Started(_) => {}
            Event::Done(id) => self.end(id, step, "done"),
            Event::Stopped(id) => self.end(id, step, "stopped"),
            Event::Failed(id) => self.end(id, step, "failed"),
        }
    }

    fn spin(&self, id: StepId, step: &Step) {
        let bar = self.report.bars.add(ProgressBar::new_spinner());
        bar.set_style(spinner());
        bar.set_message(format!("{}{step}", self.label));
        bar.enable_steady_tick(Duration::from_millis(120));
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, bar);
    }

    fn end(&self, id: StepId, step: &Step, how: &str) {
        if let Some(bar) = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id)
        {
            bar.finish_and_clear();
        }
        self.report.note(&format!("{how:>7} {}{step}", self.label));
    }
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("  {spinner} {msg} {elapsed:.dim}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}
