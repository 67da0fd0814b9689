//! Alternating runs, and what they come to.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::case::{Case, Contender};
use crate::daemon::{Daemon, Kind, Setup};
use crate::direct;
use crate::exchange::Prepared;
use crate::load::Done;
use crate::processes::{cpu_of_ended_children, load_average, wait_for_all};

/// One run of one contender.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Run {
    /// Jobs that ended as expected, per second.
    pub jobs_per_second: f64,
    /// Processor time of the daemon and all that it started, its own start and end included, for each of them.
    pub cpu_ms_per_job: f64,
    /// Half of the jobs took no longer.
    pub p50_ms: f64,
    /// Nor did 99 of 100.
    pub p99_ms: f64,
    /// Jobs that ended otherwise.
    pub failed: usize,
}

/// All runs of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The case.
    pub title: String,
    /// Clients at once.
    pub connections: usize,
    /// Jobs in each run.
    pub jobs: usize,
    /// Of the machine when the last run had ended; what was measured is part of it.
    pub load_average: f64,
    /// The runs of each contender in their order, the first contender being the one to compare with.
    pub runs: Vec<(Contender, Vec<Run>)>,
}

/// The middle of several runs, and how far they are apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Half of the runs are not above.
    pub median: f64,
    /// The least of them.
    pub least: f64,
    /// The most of them.
    pub most: f64,
}

impl Comparison {
    /// Runs `case` for all of its contenders in turn, `rounds` times.
    ///
    /// # Errors
    /// A daemon does not start, or ends by itself.
    pub fn measure(case: &Case, setup: &Setup, rounds: usize) -> Result<Self> {
        let request = Prepared::new(&case.source.request(case.version, case.options))?;
        let mut runs: Vec<_> = case
            .contenders
            .iter()
            .map(|contender| (*contender, Vec::new()))
            .collect();
        for _ in 0..rounds {
            for (contender, runs) in &mut runs {
                runs.push(run(case, setup, *contender, &request)?);
            }
        }
        Ok(Self {
            title: case.title.clone(),
            connections: case.load.connections,
            jobs: case.load.jobs,
            load_average: load_average(),
            runs,
        })
    }

    /// What a figure of `contender` is of the same figure of the first contender: the median over the rounds, each of
    /// which has its own ratio, because what else the machine does changes slowly.
    pub fn ratio(&self, contender: Contender, figure: impl Fn(&Run) -> f64) -> Option<f64> {
        let (_, base) = self.runs.first()?;
        let (_, others) = self.runs.iter().find(|(its, _)| *its == contender)?;
        let ratios = others
            .iter()
            .zip(base)
            .map(|(other, base)| figure(other) / figure(base));
        Some(Spread::of(ratios)?.median)
    }
}

fn run(case: &Case, setup: &Setup, contender: Contender, request: &Prepared) -> Result<Run> {
    let before = cpu_of_ended_children()?;
    let done = match contender {
        Contender::Direct => direct::run(case.load, &case.source, &case.compilers, &setup.folder)?,
        Contender::Stock => served(case, setup, Kind::Stock, request)?,
        Contender::Ours => served(case, setup, Kind::Ours, request)?,
        Contender::Door => served(case, setup, Kind::BehindDoor, request)?,
    };
    // The stock daemon leaves its workers behind.
    wait_for_all()?;
    let cpu = cpu_of_ended_children()?.saturating_sub(before);
    Ok(Run::new(&done, cpu))
}

fn served(case: &Case, setup: &Setup, kind: Kind, request: &Prepared) -> Result<Done> {
    let daemon = Daemon::start(setup, kind, &case.compilers)?;
    let done = case.load.run(daemon.address(), request, case.expected);
    daemon.end()?;
    Ok(done)
}

impl Run {
    fn new(done: &Done, cpu: Duration) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "no run has so many jobs")]
        let jobs = done.latencies.len() as f64;
        Self {
            jobs_per_second: jobs / done.wall.as_secs_f64(),
            cpu_ms_per_job: milliseconds(cpu) / jobs,
            p50_ms: milliseconds(done.percentile(0.5)),
            p99_ms: milliseconds(done.percentile(0.99)),
            failed: done.failed,
        }
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

impl Spread {
    /// Of at least one figure.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<_> = figures.into_iter().collect();
        figures.sort_unstable_by(f64::total_cmp);
        let (least, most) = (*figures.first()?, *figures.last()?);
        let upper = figures.get(figures.len() / 2)?;
        let lower = figures.get((figures.len() - 1) / 2)?;
        Some(Self {
            median: f64::midpoint(*lower, *upper),
            least,
            most,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle_of_any_order() {
        let cases = [
            (vec![3.0, 1.0, 2.0], 2.0, 1.0, 3.0),
            (vec![4.0, 1.0, 2.0, 3.0], 2.5, 1.0, 4.0),
            (vec![7.0], 7.0, 7.0, 7.0),
        ];
        for (figures, median, least, most) in cases {
            let expected = Spread {
                median,
                least,
                most,
            };
            assert_eq!(Spread::of(figures), Some(expected));
        }
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn rounds_are_compared_with_themselves() {
        let run = |cpu_ms_per_job| Run {
            jobs_per_second: 1.0,
            cpu_ms_per_job,
            p50_ms: 1.0,
            p99_ms: 1.0,
            failed: 0,
        };
        let comparison = Comparison {
            title: String::new(),
            connections: 1,
            jobs: 1,
            load_average: 0.0,
            runs: vec![
                (Contender::Stock, vec![run(2.0), run(20.0), run(4.0)]),
                (Contender::Ours, vec![run(1.0), run(10.0), run(3.0)]),
            ],
        };
        let ratio = |contender| comparison.ratio(contender, |run| run.cpu_ms_per_job);
        assert_eq!(ratio(Contender::Ours), Some(0.5));
        assert_eq!(ratio(Contender::Stock), Some(1.0));
        assert_eq!(ratio(Contender::Direct), None);
    }
}
