//! What a volunteer says of its jobs: one line of JSON each, on its standard error.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::Container;

/// A job that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The source's name, as the client gave it.
    pub source: String,
    /// How it ended, in one word; `compiled` is success.
    pub outcome: String,
    /// The GCC version that compiled it.
    pub gcc: Option<u64>,
}

/// Every job that the volunteer finished since it was made.
///
/// # Errors
/// The engine does not answer, or the log has something else than lines of JSON.
pub async fn jobs(volunteer: &Container) -> Result<Vec<Job>> {
    let (_stdout, stderr) = volunteer.logs().await?;
    parse(&stderr)
}

/// How many compiled jobs there are of each source.
pub fn compiled(jobs: &[Job]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for job in jobs.iter().filter(|job| job.outcome == "compiled") {
        *counts.entry(job.source.clone()).or_default() += 1;
    }
    counts
}

fn parse(log: &[u8]) -> Result<Vec<Job>> {
    let mut jobs = Vec::new();
    for line in log
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let entry: Value = serde_json::from_slice(line)
            .with_context(|| format!("no JSON: {}", String::from_utf8_lossy(line)))?;
        if let Some(outcome) = entry["outcome"].as_str() {
            jobs.push(Job {
                source: entry["name"].as_str().unwrap_or_default().to_owned(),
                outcome: outcome.to_owned(),
                gcc: entry["gcc"].as_u64(),
            });
        }
    }
    Ok(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_compiled_jobs_are_counted() {
        let log = b"{\"message\":\"listening\"}\n\
            {\"message\":\"client: a\",\"name\":\"a.c\",\"outcome\":\"compiled\",\"gcc\":14}\n\
            {\"message\":\"client: a\",\"name\":\"a.c\",\"outcome\":\"failed\"}\n\
            {\"message\":\"client: a\",\"outcome\":\"client-gone\"}\n";
        let jobs = parse(log).unwrap();
        assert_eq!(jobs.len(), 3);
        assert_eq!(compiled(&jobs), BTreeMap::from([("a.c".to_owned(), 1)]));
        assert!(parse(b"panicked\n").is_err());
    }
}
