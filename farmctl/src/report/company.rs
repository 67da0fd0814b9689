//! Something that may take a while.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Report, Style};

/// What is done sooner needs no company.
const SOON: Duration = Duration::from_secs(1);

impl Report {
    /// Waits for `work`; if it takes longer than a moment, a terminal shows what is being done.
    pub async fn accompany<T>(&self, text: &str, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        if let Ok(done) = tokio::time::timeout(SOON, &mut work).await {
            return done;
        }
        if self.style != Style::Terminal {
            return work.await;
        }
        let bar = self.bars.add(ProgressBar::new_spinner());
        let style = ProgressStyle::with_template("  {spinner} {msg} {elapsed:.dim}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message(text.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        let done = work.await;
        bar.finish_and_clear();
        done
    }
}
