//! Comparisons for people, as text or as a table in Markdown. JSON is what serde makes of them.

use std::fmt::Write;

use crate::case::Contender;
use crate::comparison::{Comparison, Run, Spread};
use crate::memory::Footprint;
use crate::soak::{Seen, Soak};

/// A figure of a run: its name, its value, and whether the ratio to the other contender says something.
type Figure = (&'static str, fn(&Run) -> f64, bool);

const FIGURES: [Figure; 4] = [
    ("jobs/s", |run| run.jobs_per_second, true),
    ("cpu per job, ms", |run| run.cpu_ms_per_job, true),
    ("p50, ms", |run| run.p50_ms, false),
    ("p99, ms", |run| run.p99_ms, false),
];

impl Contender {
    fn name(self) -> &'static str {
        match self {
            Self::Direct => "compiler alone",
            Self::Stock => "stock distccd",
            Self::Ours => "our distccd",
            Self::Door => "behind a door",
        }
    }
}

/// The comparison in some lines.
pub fn text(comparison: &Comparison) -> String {
    let mut text = format!("{}\n", heading(comparison));
    for (contender, runs) in &comparison.runs {
        let _ = writeln!(text, "  {} ({} failed)", contender.name(), failed(runs));
        for (name, figure, _) in FIGURES {
            let Some(spread) = Spread::of(runs.iter().map(figure)) else {
                continue;
            };
            let _ = write!(
                text,
                "    {name:<16} {:>9.3}   [{:.3} … {:.3}]",
                spread.median, spread.least, spread.most
            );
            let _ = writeln!(
                text,
                "{}",
                ratio(comparison, *contender, figure)
                    .map(|ratio| format!("   {ratio:.3} ×"))
                    .unwrap_or_default()
            );
        }
    }
    text
}

/// The comparison as rows of [`MARKDOWN_HEAD`]'s table.
pub fn markdown(comparison: &Comparison) -> String {
    let mut rows = String::new();
    for (contender, runs) in &comparison.runs {
        let _ = write!(
            rows,
            "| {}, {} at once | {} |",
            comparison.title,
            comparison.connections,
            contender.name()
        );
        for (_, figure, compared) in FIGURES {
            let Some(spread) = Spread::of(runs.iter().map(figure)) else {
                continue;
            };
            let _ = write!(
                rows,
                " {:.2} [{:.2} … {:.2}]",
                spread.median, spread.least, spread.most
            );
            let ratio = ratio(comparison, *contender, figure).filter(|_| compared);
            let _ = write!(
                rows,
                "{} |",
                ratio
                    .map(|ratio| format!(", **{ratio:.3} ×**"))
                    .unwrap_or_default()
            );
        }
        let _ = writeln!(rows, " {} | {:.1} |", failed(runs), comparison.load_average);
    }
    rows
}

/// The head of the table in Markdown.
pub const MARKDOWN_HEAD: &str = "\
| case | who | jobs/s | cpu per job, ms | p50, ms | p99, ms | failed | load |
|---|---|---|---|---|---|---|---|
";

/// What daemons take of the memory.
pub fn footprint(name: &str, footprint: &Footprint) -> String {
    format!(
        "{name}: idle {:.1} MiB, with uploads in version 1 {:.1} MiB, in version 2 {:.1} MiB\n",
        mebibytes(footprint.idle_bytes),
        mebibytes(footprint.plain_peak_bytes),
        mebibytes(footprint.lzo_peak_bytes),
    )
}

/// What was seen of very many jobs.
pub fn soak(soak: Soak, seen: &Seen) -> String {
    let [early, late] = seen.calm;
    format!(
        "{} jobs, {} at once, in {:.0} s: all as they should be\n\
         after a tenth of them {} descriptors and {:.1} MiB, after all {} and {:.1} MiB; no process, no file left\n",
        soak.jobs,
        soak.connections,
        seen.wall.as_secs_f64(),
        early.descriptors,
        mebibytes(early.resident_bytes),
        late.descriptors,
        mebibytes(late.resident_bytes),
    )
}

#[expect(clippy::cast_precision_loss, reason = "no process has so much memory")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn heading(comparison: &Comparison) -> String {
    let rounds = comparison.runs.first().map_or(0, |(_, runs)| runs.len());
    format!(
        "{}, {} at once ({rounds} runs of {} jobs each, load average {:.1})",
        comparison.title, comparison.connections, comparison.jobs, comparison.load_average
    )
}

fn failed(runs: &[Run]) -> usize {
    runs.iter().map(|run| run.failed).sum()
}

/// Nothing for the first contender, with whom the others are compared.
fn ratio(comparison: &Comparison, contender: Contender, figure: fn(&Run) -> f64) -> Option<f64> {
    let (first, _) = comparison.runs.first()?;
    (*first != contender).then(|| comparison.ratio(contender, figure))?
}
