//! Who may send jobs.

use crate::farm::{AllowList, AllowRule};
use crate::manifest::error::Findings;
use crate::manifest::problem::Problem;
use crate::manifest::source::Located;

/// The list, which opens the farm to much of the internet only if it says so in a word.
pub(super) fn list(written: &[Located<AllowRule>], findings: &mut Findings) -> AllowList {
    let rules: Vec<AllowRule> = written.iter().map(|rule| rule.value.clone()).collect();
    let list = AllowList::new(rules.clone());
    if list.is_open() || !list.holds_much_of_the_internet() {
        return list;
    }
    let is_much = |rules: &[AllowRule]| AllowList::new(rules.to_vec()).holds_much_of_the_internet();
    let alone: Vec<_> = written
        .iter()
        .filter(|rule| is_much(std::slice::from_ref(&rule.value)))
        .collect();
    for rule in &alone {
        findings.at(Problem::WideRange(rule.value.clone()), &rule.spot);
    }
    let together = (1..=rules.len()).find(|count| is_much(&rules[..*count]));
    if let Some(last) = together.and_then(|count| written.get(count - 1))
        && alone.is_empty()
    {
        findings.at(Problem::WideTogether(last.value.clone()), &last.spot);
    }
    list
}
