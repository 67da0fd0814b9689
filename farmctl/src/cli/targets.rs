//! Targets as people name them: by name or alias, checked against the farm.

use super::{Exit, Failure};
use crate::farm::{Farm, Target, TargetName};

/// The target of `farm` that goes by `name`.
pub(super) fn one(farm: &Farm, name: &str) -> Result<TargetName, Failure> {
    let goes_by = |target: &&Target| {
        target.name.as_str() == name || target.aliases.iter().any(|alias| alias == name)
    };
    let found = all(farm).find(goes_by);
    found.map(|target| target.name.clone()).ok_or_else(|| {
        let names: Vec<_> = all(farm).map(|target| target.name.as_str()).collect();
        let error = anyhow::anyhow!("this farm has no target named '{name}'");
        let hint = format!("its targets are {}", names.join(", "));
        Failure::new(Exit::Usage, error, Some(hint))
    })
}

/// Those that go by `names`; every mistake is told at once.
pub(super) fn chosen(farm: &Farm, names: &[String]) -> Result<Vec<TargetName>, Failure> {
    let (mut found, mut mistakes) = (Vec::new(), Vec::new());
    for name in names {
        match one(farm, name) {
            Ok(target) => found.push(target),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() {
        Ok(found)
    } else {
        Err(Failure::all(mistakes.into_iter()))
    }
}

fn all(farm: &Farm) -> impl Iterator<Item = &Target> {
    let volunteers = farm.hosts.iter().flat_map(|host| &host.volunteers);
    volunteers.map(|volunteer| volunteer.target.as_ref())
}
