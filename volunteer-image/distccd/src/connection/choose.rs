//! Decides a job's compiler by what is known of its client, and remembers what the job told.

use std::net::IpAddr;

use super::record::Record;
use crate::accept::Service;
use crate::job::{Prepared, Received, Refusal};
use crate::settings::VersionSkew;

/// Decides the command of `job`, which came from `client`.
pub(super) async fn command(
    service: &Service,
    client: IpAddr,
    job: Received,
    record: &mut Record,
) -> Result<Prepared, Refusal> {
    let told = job.client_compiler().cloned();
    let remembered = told.is_none();
    let known = told.or_else(|| service.acquaintances.recall(client));
    if let Some(compiler) = &known {
        record.client_compiler(compiler, remembered);
    }
    let skew = service.settings.version_skew;
    let chosen = job.choose(
        &service.compilers,
        known.as_ref(),
        &service.children,
        &service.sandbox,
    );
    let chosen = chosen.await?;
    let prepared = job.prepare(chosen, known.as_ref(), skew)?;
    record.chosen(&prepared);
    if let Some(compiler) = known {
        if !remembered {
            service.acquaintances.note(client, &compiler);
        }
        if prepared.reason().is_skewed() && skew == VersionSkew::Warn {
            let jobs = service
                .acquaintances
                .count_skewed(client, &compiler.version);
            // The others are counted, and told when the daemon ends.
            if jobs == 1 {
                tracing::warn!(
                    %client,
                    client_gcc = %compiler.version,
                    gcc = prepared.major(),
                    why = %prepared.reason(),
                    "a client's compiler version is not here, another stands in"
                );
            }
        }
    }
    Ok(prepared)
}

/// Says for which clients another version stood in, and how often.
pub(crate) fn report_skew(service: &Service) {
    for (client, version, jobs) in service.acquaintances.skewed() {
        tracing::info!(%client, client_gcc = %version, jobs, "another version stood in for a client's compiler");
    }
}
