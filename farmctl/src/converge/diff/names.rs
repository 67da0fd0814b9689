//! Who has which name, and how a name becomes free.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Desired;
use super::super::plan::{Action, Cause, Contained, Plan, StepId};
use super::conflict::Conflict;
use crate::engine::{LiveContainer, Observed};

/// The names of all containers of an engine, as they will be while a plan is carried out.
pub(super) struct Names<'a> {
    /// The farm's own containers in scope, by the names that they have by now.
    held: BTreeMap<String, &'a LiveContainer>,
    /// By now, by the containers' ids; the step that gave a container its name.
    renamed: BTreeMap<&'a str, (String, StepId)>,
    strangers: BTreeSet<String>,
    /// Names that are promised to containers yet to be made or renamed.
    promised: BTreeSet<String>,
    /// Names that become free in the course of the plan, after a step.
    freed: BTreeMap<String, StepId>,
}

impl<'a> Names<'a> {
    pub(super) fn of(desired: &Desired, observed: &'a Observed) -> Self {
        let mut strangers: BTreeSet<_> = observed.taken_names.iter().cloned().collect();
        let mut held = BTreeMap::new();
        for live in observed.containers() {
            if desired.scope.holds(live.target.as_ref()) {
                held.insert(live.name.clone(), live);
            } else {
                strangers.insert(live.name.clone());
            }
        }
        Self {
            held,
            renamed: BTreeMap::new(),
            strangers,
            promised: BTreeSet::new(),
            freed: BTreeMap::new(),
        }
    }

    /// The name of `live` is free once it is removed.
    pub(super) fn free(&mut self, live: &LiveContainer, after: StepId) {
        let name = self.current(live);
        if self.held.remove(&name).is_some() {
            self.freed.insert(name, after);
        }
    }

    pub(super) fn current(&self, live: &LiveContainer) -> String {
        let renamed = self.renamed.get(live.id.as_str());
        renamed.map_or_else(|| live.name.clone(), |(name, _)| name.clone())
    }

    /// Promises one of `wanted`, and says what must be done before. Where another container of the farm has all of
    /// them, it is put aside.
    pub(super) fn claim(
        &mut self,
        wanted: &[String],
        plan: &mut Plan,
    ) -> Result<(String, Vec<StepId>), Conflict> {
        let is_free = |name: &&String| {
            !self.held.contains_key(*name)
                && !self.strangers.contains(*name)
                && !self.promised.contains(*name)
        };
        if let Some(name) = wanted.iter().find(is_free) {
            self.promised.insert(name.clone());
            return Ok((
                name.clone(),
                self.freed.get(name).copied().into_iter().collect(),
            ));
        }
        let own = wanted
            .iter()
            .find(|name| self.held.contains_key(*name) && !self.promised.contains(*name));
        let Some(name) = own else {
            let name = wanted.first().cloned().unwrap_or_default();
            return Err(Conflict::Name { name });
        };
        let Some(holder) = self.held.get(name).copied() else {
            return Err(Conflict::Name { name: name.clone() });
        };
        let step = self.rename(holder, aside(holder), Cause::Misplaced, Vec::new(), plan);
        self.promised.insert(name.clone());
        Ok((name.clone(), vec![step]))
    }

    /// Gives `live` another name; its old one is free afterwards.
    pub(super) fn rename(
        &mut self,
        live: &'a LiveContainer,
        to: String,
        cause: Cause,
        mut after: Vec<StepId>,
        plan: &mut Plan,
    ) -> StepId {
        let old = self.current(live);
        after.extend(self.renamed.get(live.id.as_str()).map(|(_, step)| *step));
        let container = Contained {
            name: old.clone(),
            ..Contained::from(live)
        };
        let action = Action::RenameContainer {
            container,
            to: to.clone(),
        };
        let step = plan.add(action, cause, after);
        self.held.remove(&old);
        self.freed.insert(old, step);
        self.held.insert(to.clone(), live);
        self.renamed.insert(&live.id, (to, step));
        step
    }

    /// The step that gave `live` its present name, if one did: others that name it come later.
    pub(super) fn renaming(&self, live: &LiveContainer) -> Option<StepId> {
        self.renamed.get(live.id.as_str()).map(|(_, step)| *step)
    }
}

/// A name that nobody else wants.
fn aside(live: &LiveContainer) -> String {
    let id: String = live.id.chars().take(12).collect();
    format!("farmctl-aside-{id}")
}
