//! What labels say, read back.

use std::collections::BTreeMap;

use crate::farm::{FarmName, Fingerprint, GccMajor, Role, Slots, TargetName, labels};

/// The filter that finds a farm's resources and no others.
pub(super) fn filter(farm: &FarmName) -> String {
    format!("{}={farm}", labels::FARM)
}

/// The label that every assembled image has, whatever its value.
pub(super) fn of_images() -> String {
    labels::TARGET.to_owned()
}

/// Whether labels are those of something of `farm`.
pub(super) fn is_of(labels: &BTreeMap<String, String>, farm: &FarmName) -> bool {
    labels.get(labels::FARM).map(String::as_str) == Some(farm.as_str())
}

/// What a container's labels say; fields that are missing or damaged are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ContainerLabels {
    pub(super) target: Option<TargetName>,
    pub(super) role: Option<Role>,
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) slots: Option<Slots>,
    pub(super) gcc: Vec<GccMajor>,
}

/// Reads a container's labels.
pub(super) fn read(labels: &BTreeMap<String, String>) -> ContainerLabels {
    let number = |text: &str| text.parse::<u64>().ok();
    let role = |word: &String| {
        [Role::Door, Role::Volunteer]
            .into_iter()
            .find(|role| role.as_str() == word)
    };
    ContainerLabels {
        target: labels
            .get(labels::TARGET)
            .and_then(|name| name.parse().ok()),
        role: labels.get(labels::ROLE).and_then(role),
        fingerprint: labels.get(labels::FINGERPRINT).map(Fingerprint::from_label),
        slots: labels
            .get(labels::SLOTS)
            .and_then(|n| Slots::try_from(number(n)?).ok()),
        gcc: labels
            .get(labels::GCC)
            .map(|list| {
                list.split(',')
                    .filter_map(|n| GccMajor::try_from(number(n)?).ok())
                    .collect()
            })
            .unwrap_or_default(),
    }
}
