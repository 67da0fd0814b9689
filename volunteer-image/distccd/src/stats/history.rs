//! How busy the daemon was lately, in the steps in which the stock daemon tells it.
//!
//! Pure: the time is given, counted from the start of the daemon.

use std::collections::VecDeque;
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);
/// Finished jobs are counted in steps of this length.
const STEP: Duration = Duration::from_secs(3);
const STEPS_PER_MINUTE: u64 = MINUTE.as_secs() / STEP.as_secs();
/// No question goes further back.
const MINUTES: u64 = 15;

/// Running and finished jobs of the last quarter of an hour.
#[derive(Debug, Default)]
pub(crate) struct History {
    running: u32,
    /// Until when the time of running jobs is counted.
    counted: Duration,
    /// Minutes, oldest first, with the time of all jobs that ran in them.
    minutes: VecDeque<(u64, Duration)>,
    /// Steps, oldest first, with the jobs that ended in them.
    steps: VecDeque<(u64, u64)>,
}

impl History {
    /// One more job runs.
    pub(crate) fn started(&mut self, now: Duration) {
        self.count_until(now);
        self.running += 1;
    }

    /// One less job runs.
    pub(crate) fn stopped(&mut self, now: Duration) {
        self.count_until(now);
        self.running = self.running.saturating_sub(1);
    }

    /// A job ended in a way that the stock daemon counts.
    pub(crate) fn finished(&mut self, now: Duration) {
        let step = now.as_secs() / STEP.as_secs();
        match self.steps.back_mut() {
            Some((last, count)) if *last == step => *count += 1,
            _ => self.steps.push_back((step, 1)),
        }
        while self
            .steps
            .front()
            .is_some_and(|(oldest, _)| oldest + MINUTES * STEPS_PER_MINUTE < step)
        {
            self.steps.pop_front();
        }
    }

    /// Jobs that ended in the last `minutes` minutes, at most 15.
    pub(crate) fn finished_within(&self, now: Duration, minutes: u64) -> u64 {
        let step = now.as_secs() / STEP.as_secs();
        let recent = |(then, _): &&(u64, u64)| then + minutes * STEPS_PER_MINUTE > step;
        self.steps
            .iter()
            .filter(recent)
            .map(|(_, count)| count)
            .sum()
    }

    /// Mean number of running jobs in the last `minutes` whole minutes, at most 15.
    pub(crate) fn mean_running(&mut self, now: Duration, minutes: u32) -> u64 {
        self.count_until(now);
        let current = minute_of(now);
        let within = |(minute, _): &&(u64, Duration)| {
            *minute < current && minute + u64::from(minutes) >= current
        };
        let busy: Duration = self
            .minutes
            .iter()
            .filter(within)
            .map(|(_, busy)| *busy)
            .sum();
        busy.as_secs() / (MINUTE * minutes.max(1)).as_secs()
    }

    fn count_until(&mut self, now: Duration) {
        let oldest = now.saturating_sub(MINUTE * 16);
        let mut from = self.counted.max(oldest);
        while from < now {
            let minute = minute_of(from);
            let to = now.min(MINUTE * u32::try_from(minute + 1).unwrap_or(u32::MAX));
            self.add(minute, to.saturating_sub(from) * self.running);
            from = to;
        }
        self.counted = self.counted.max(now);
    }

    fn add(&mut self, minute: u64, busy: Duration) {
        match self.minutes.back_mut() {
            Some((last, sum)) if *last == minute => *sum += busy,
            _ => self.minutes.push_back((minute, busy)),
        }
        while self
            .minutes
            .front()
            .is_some_and(|(oldest, _)| oldest + MINUTES < minute)
        {
            self.minutes.pop_front();
        }
    }
}

fn minute_of(time: Duration) -> u64 {
    time.as_secs() / MINUTE.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn running_jobs_are_averaged_over_whole_minutes() {
        let mut history = History::default();
        history.started(at(30));
        history.started(at(60));
        history.stopped(at(120));
        let means = |history: &mut History, now| {
            [1, 5, 15].map(|minutes| history.mean_running(at(now), minutes))
        };
        assert_eq!(means(&mut history, 59), [0, 0, 0]);
        assert_eq!(means(&mut history, 130), [2, 0, 0]);
        assert_eq!(means(&mut history, 185), [1, 0, 0]);
        history.started(at(240));
        history.started(at(240));
        assert_eq!(means(&mut history, 900), [3, 3, 2]);
        assert_eq!(means(&mut history, 9_000), [3, 3, 3]);
        assert!(history.minutes.len() <= 16);
    }

    #[test]
    fn finished_jobs_are_counted_for_a_quarter_of_an_hour() {
        let mut history = History::default();
        for second in [0, 1, 100, 590] {
            history.finished(at(second));
        }
        let within = |history: &History, now| {
            [1, 5, 15].map(|minutes| history.finished_within(at(now), minutes))
        };
        assert_eq!(within(&history, 599), [1, 1, 4]);
        assert_eq!(within(&history, 899), [0, 0, 4]);
        assert_eq!(within(&history, 905), [0, 0, 2]);
        for second in 0..5_000 {
            history.finished(at(1_000 + second));
        }
        assert!(history.steps.len() <= 302, "{}", history.steps.len());
    }
}
