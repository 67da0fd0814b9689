//! Labels on containers and networks: what makes a resource ours, and what it was made from.

use std::collections::HashMap;

use crate::farm::{FarmName, Fingerprint, GccMajor, Slots, TargetName, VolunteerSpec};

const FARM: &str = "farmctl.farm";
const TARGET: &str = "farmctl.target";
const FINGERPRINT: &str = "farmctl.fingerprint";
const SLOTS: &str = "farmctl.slots";
const GCC: &str = "farmctl.gcc";

/// The filter that finds a farm's resources and no others.
pub(super) fn filter(farm: &FarmName) -> String {
    format!("{FARM}={farm}")
}

/// The label that every assembled image has, whatever its value.
pub(super) fn of_images() -> String {
    TARGET.to_owned()
}

/// The label of a farm's network.
pub(super) fn of_network(farm: &FarmName) -> HashMap<String, String> {
    HashMap::from([(FARM.to_owned(), farm.to_string())])
}

/// The labels of a volunteer's container.
pub(super) fn of_volunteer(spec: &VolunteerSpec) -> HashMap<String, String> {
    let gcc: Vec<_> = spec.gcc.iter().map(ToString::to_string).collect();
    HashMap::from([
        (FARM.to_owned(), spec.farm.to_string()),
        (TARGET.to_owned(), spec.target.to_string()),
        (
            FINGERPRINT.to_owned(),
            spec.fingerprint().as_str().to_owned(),
        ),
        (SLOTS.to_owned(), spec.slots.to_string()),
        (GCC.to_owned(), gcc.join(",")),
    ])
}

/// What a container's labels say; fields that are missing or damaged are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VolunteerLabels {
    pub(super) farm: FarmName,
    pub(super) target: Option<TargetName>,
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) slots: Option<Slots>,
    pub(super) gcc: Vec<GccMajor>,
}

/// Reads a container's labels; `None` means that the container is not ours.
pub(super) fn read(labels: &HashMap<String, String>) -> Option<VolunteerLabels> {
    let number = |text: &str| text.parse::<u64>().ok();
    Some(VolunteerLabels {
        farm: labels.get(FARM)?.parse().ok()?,
        target: labels.get(TARGET).and_then(|name| name.parse().ok()),
        fingerprint: labels.get(FINGERPRINT).map(Fingerprint::from_label),
        slots: labels
            .get(SLOTS)
            .and_then(|n| Slots::try_from(number(n)?).ok()),
        gcc: labels
            .get(GCC)
            .map(|list| {
                list.split(',')
                    .filter_map(|n| GccMajor::try_from(number(n)?).ok())
                    .collect()
            })
            .unwrap_or_default(),
    })
}
