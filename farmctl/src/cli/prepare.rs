//! A plan with everything that it was made from: everything of `up` that changes nothing.

use super::context::{Context, only_host, publish_address};
use super::images::{ImageArgs, Images, Pins};
use super::observe::{Snapshot, snapshot};
use super::safe_publish::{self, Chosen};
use super::{Exit, Failure, targets};
use crate::converge::{Action, Desired, Intent, Plan, Scope, Surroundings, desired, diff, drained};
use crate::farm::{DoorSpec, Farm, Host};

/// What is to be done, and why.
pub(super) struct Prepared {
    pub(super) farm: Farm,
    pub(super) host: Host,
    pub(super) snapshot: Snapshot,
    pub(super) images: Images,
    pub(super) desired: Desired,
    pub(super) plan: Plan,
    /// What had to be chosen so that volunteers see who their clients are.
    pub(super) chosen: Vec<Chosen>,
}

/// Plans for `names` among the farm's targets, or for all of it.
pub(super) async fn prepare(
    args: &ImageArgs,
    names: &[String],
    intent: Intent,
    context: &Context,
) -> Result<Prepared, Failure> {
    let farm = context.farm()?;
    let mut host = only_host(&farm)?.clone();
    let scope = Scope::of(targets::chosen(&farm, names)?);
    let snapshot = snapshot(context, &farm.name).await?;
    let own_address = publish_address(&host)?;
    let daemon = context.daemon_settings();
    let chosen = safe_publish::choose(&mut host, &snapshot.system, &daemon, own_address);
    let images = Images::resolve(&farm, &host, Pins::Kept, args, context).await?;
    let surroundings = Surroundings {
        engine: &snapshot.facts,
        publish: own_address,
        images: images.tags(),
    };
    let desired = desired(&farm.name, &farm.allow, &host, &surroundings)
        .map_err(|error| Failure::new(Exit::Failed, error, None))?
        .only(scope)
        .with(intent);
    let plan = diff(&desired, &snapshot.observed)?;
    Ok(Prepared {
        farm,
        host,
        snapshot,
        images,
        desired,
        plan,
        chosen,
    })
}

impl Prepared {
    /// The doors that the plan makes.
    pub(super) fn new_doors(&self) -> impl Iterator<Item = &DoorSpec> {
        self.plan
            .steps()
            .iter()
            .filter_map(|step| match &step.action {
                Action::RunDoor(spec) => Some(spec.as_ref()),
                _ => None,
            })
    }

    /// Says which targets are left alone because the user once said so.
    pub(super) fn tell_drained(&self, context: &Context) {
        for target in drained(&self.desired, &self.snapshot.observed) {
            context.report.note(&format!(
                "target {target} is drained and stays so: farmctl undrain {target} lets it serve again"
            ));
        }
    }
}
