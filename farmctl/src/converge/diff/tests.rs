use std::net::{IpAddr, Ipv4Addr};

use super::super::desired::Intent;
use super::super::fixture::{attic, live, spec, standing, wanted};
use super::*;
use crate::engine::{Health, LiveNetwork, LiveState, LiveVolume, PortHolder};
use crate::farm::{Stats, volume_name};

fn plan(desired: &Desired, observed: &Observed) -> String {
    diff(desired, observed).expect("no conflict").to_string()
}

fn conflicts(desired: &Desired, observed: &Observed) -> Vec<String> {
    let conflicts = diff(desired, observed).expect_err("a conflict");
    conflicts.iter().map(ToString::to_string).collect()
}

fn only(target: &str) -> Scope {
    Scope::of([target.parse().unwrap()])
}

#[test]
fn a_farm_on_an_empty_engine_is_made_from_nothing() {
    assert_eq!(
        plan(&attic(), &Observed::default()),
        "+ images farmctl/aarch64:1, farmctl/armv7h:1 (missing)\n\
         + network farmctl-attic (missing)\n\
         + door armv7h on port 3635 (missing)\n\
         + volunteer armv7h as farmctl-attic-armv7h (missing)\n\
         + door aarch64 on port 3636 (missing)\n\
         + volunteer aarch64 as farmctl-attic-aarch64 (missing)\n"
    );
}

#[test]
fn an_unchanged_farm_plans_nothing() {
    assert_eq!(plan(&attic(), &standing()), "");
}

#[test]
fn nothing_desired_removes_everything_of_the_farm() {
    assert_eq!(
        plan(&Desired::nothing(attic().farm), &standing()),
        "- container farmctl-attic-armv7h (not wanted)\n\
         - container farmctl-attic-aarch64 (not wanted)\n\
         - container farmctl-attic-armv7h-door (not wanted)\n\
         - container farmctl-attic-aarch64-door (not wanted)\n\
         - network farmctl-attic (not wanted)\n\
         - volume farmctl-attic-armv7h (not wanted)\n\
         - volume farmctl-attic-aarch64 (not wanted)\n"
    );
}

#[test]
fn a_part_of_the_farm_goes_and_the_rest_stays() {
    let nothing = Desired::nothing(attic().farm).only(only("armv7h"));
    assert_eq!(
        plan(&nothing, &standing()),
        "- container farmctl-attic-armv7h (not wanted)\n\
         - container farmctl-attic-armv7h-door (not wanted)\n\
         - volume farmctl-attic-armv7h (not wanted)\n"
    );
}

#[test]
fn a_target_that_left_the_manifest_goes_only_with_the_whole_farm() {
    let desired = wanted(vec![spec("armv7h", 3635)]);
    assert_eq!(
        plan(&desired, &standing()),
        "- container farmctl-attic-aarch64 (not in the manifest)\n\
         - container farmctl-attic-aarch64-door (not in the manifest)\n\
         - volume farmctl-attic-aarch64 (not wanted)\n"
    );
    assert_eq!(plan(&desired.only(only("armv7h")), &standing()), "");
}

#[test]
fn a_stopped_container_is_started() {
    for state in [LiveState::Exited, LiveState::Created] {
        let mut observed = standing();
        observed.volunteers[0].state = state;
        assert_eq!(
            plan(&attic(), &observed),
            "~ container farmctl-attic-armv7h (not running)\n"
        );
        observed.doors[0].state = state;
        assert_eq!(
            plan(&attic(), &observed),
            "~ container farmctl-attic-armv7h-door (not running)\n\
             ~ container farmctl-attic-armv7h (not running)\n"
        );
    }
}

#[test]
fn a_paused_container_goes_on() {
    let mut observed = standing();
    observed.volunteers[0].state = LiveState::Paused;
    observed.doors[1].state = LiveState::Paused;
    assert_eq!(
        plan(&attic(), &observed),
        "~ unpause farmctl-attic-armv7h (paused)\n\
         ~ unpause farmctl-attic-aarch64-door (paused)\n"
    );
}

#[test]
fn a_dead_volunteer_is_made_again() {
    for state in [LiveState::Dead, LiveState::Restarting] {
        let mut observed = standing();
        observed.volunteers[0].state = state;
        assert_eq!(
            plan(&attic(), &observed),
            "- container farmctl-attic-armv7h (broken)\n\
             + volunteer armv7h as farmctl-attic-armv7h (broken)\n"
        );
    }
}

#[test]
fn a_changed_volunteer_ends_when_its_successor_compiles() {
    let mut desired = attic();
    desired.targets[0].image = ImageTag::new("farmctl/armv7h:2");
    let plan = diff(&desired, &standing()).expect("no conflict");
    assert_eq!(
        plan.to_string(),
        "+ image farmctl/armv7h:2 (missing)\n\
         + volunteer armv7h as farmctl-attic-armv7h-2 (image changed)\n\
         = until farmctl-attic-armv7h-2 compiles (image changed)\n\
         - container farmctl-attic-armv7h (image changed)\n"
    );
    let after: Vec<_> = plan.steps().iter().map(|step| step.after.clone()).collect();
    let id = |n| vec![StepId(n)];
    assert_eq!(after, [vec![], id(0), id(1), id(2)]);
}

#[test]
fn options_that_drifted_are_named() {
    let mut observed = standing();
    observed.volunteers[0].shape.memory = 1;
    observed.volunteers[0]
        .shape
        .foreign
        .insert("Privileged".to_owned());
    assert_eq!(
        plan(&attic(), &observed),
        "+ volunteer armv7h as farmctl-attic-armv7h-2 (memory, Privileged changed)\n\
         = until farmctl-attic-armv7h-2 compiles (memory, Privileged changed)\n\
         - container farmctl-attic-armv7h (memory, Privileged changed)\n"
    );
}

#[test]
fn a_door_changes_without_its_volunteer() {
    let mut desired = attic();
    desired.targets[0].stats = Stats::Lan;
    assert_eq!(
        plan(&desired, &standing()),
        "- container farmctl-attic-armv7h-door (command, ports changed)\n\
         + door armv7h on port 3635 (command, ports changed)\n"
    );
}

#[test]
fn a_door_of_an_older_image_stays() {
    let mut observed = standing();
    observed.doors[0].shape.image = ImageTag::new("farmctl/armv7h:0");
    observed.doors[0].image_id = "sha256:old".to_owned();
    assert_eq!(plan(&attic(), &observed), "");
}

#[test]
fn a_renamed_container_gets_its_name_back() {
    let mut observed = standing();
    observed.volunteers[0].name = "by-hand".to_owned();
    observed.doors[1].name = "by-hand-too".to_owned();
    assert_eq!(
        plan(&attic(), &observed),
        "~ rename by-hand to farmctl-attic-armv7h (renamed)\n\
         ~ rename by-hand-too to farmctl-attic-aarch64-door (renamed)\n"
    );
    let mut observed = standing();
    observed.volunteers[0].name.push_str("-2");
    assert_eq!(plan(&attic(), &observed), "");
}

#[test]
fn a_successor_of_a_plan_that_was_broken_off_is_awaited() {
    let mut observed = standing();
    observed.volunteers[0].shape.memory = 1;
    let mut new = live(&spec("armv7h", 3635), "c");
    new.name.push_str("-2");
    new.health = Health::Starting;
    observed.volunteers.push(new);
    assert_eq!(
        plan(&attic(), &observed),
        "= until farmctl-attic-armv7h-2 compiles (one too many)\n\
         - container farmctl-attic-armv7h (one too many)\n"
    );
    observed.volunteers[2].health = Health::Healthy;
    assert_eq!(
        plan(&attic(), &observed),
        "- container farmctl-attic-armv7h (one too many)\n"
    );
}

#[test]
fn where_both_names_are_taken_one_is_put_aside() {
    let mut observed = standing();
    observed.volunteers[0].shape.memory = 1;
    let mut second = live(&spec("armv7h", 3635), "c");
    second.name.push_str("-2");
    second.shape.memory = 2;
    observed.volunteers.push(second);
    assert_eq!(
        plan(&attic(), &observed),
        "~ rename farmctl-attic-armv7h to farmctl-aside-a (its name is needed)\n\
         + volunteer armv7h as farmctl-attic-armv7h (memory changed)\n\
         = until farmctl-attic-armv7h compiles (memory changed)\n\
         - container farmctl-attic-armv7h (memory changed)\n\
         - container farmctl-attic-armv7h-2 (memory changed)\n"
    );
}

#[test]
fn a_second_container_of_a_target_is_removed_and_the_right_one_kept() {
    let mut observed = standing();
    let mut twin = live(&spec("armv7h", 3635), "c");
    twin.name = "by-hand".to_owned();
    observed.volunteers.insert(0, twin);
    assert_eq!(
        plan(&attic(), &observed),
        "- container by-hand (one too many)\n"
    );
}

#[test]
fn a_container_that_holds_the_port_of_another_target_goes_first() {
    let mut observed = standing();
    observed.doors[0].target = Some("armv6h".parse().unwrap());
    let plan = diff(&attic(), &observed).expect("no conflict");
    let is_door = |step: &&super::super::Step| matches!(step.action, Action::RunDoor(_));
    let run = plan.steps().iter().find(is_door).expect("a door");
    assert_eq!(run.after, [StepId(0), StepId(0)], "{plan}");
}

#[test]
fn a_container_that_published_its_own_port_makes_room_for_a_door() {
    let mut observed = standing();
    let door = observed.doors.remove(0);
    observed.volunteers[0].shape.ports = door.shape.ports;
    assert_eq!(
        plan(&attic(), &observed),
        "- container farmctl-attic-armv7h (ports changed)\n\
         + door armv7h on port 3635 (missing)\n\
         + volunteer armv7h as farmctl-attic-armv7h (ports changed)\n"
    );
}

#[test]
fn a_lost_image_is_loaded_again() {
    let tag = ImageTag::new("farmctl/armv7h:1");
    let mut observed = standing();
    observed.images.remove(&tag);
    assert_eq!(
        plan(&attic(), &observed),
        "+ image farmctl/armv7h:1 (missing)\n"
    );
    let mut observed = standing();
    let other = observed.images[&ImageTag::new("farmctl/aarch64:1")].clone();
    observed.images.insert(tag, other);
    assert_eq!(
        plan(&attic(), &observed),
        "+ image farmctl/armv7h:1 (missing)\n"
    );
}

#[test]
fn a_container_of_another_image_under_the_right_tag_is_replaced() {
    let mut observed = standing();
    observed.volunteers[0].image_id = "sha256:other".to_owned();
    assert!(plan(&attic(), &observed).contains("(image changed)"));
}

#[test]
fn an_image_that_nobody_may_make_is_a_conflict() {
    let mut desired = attic();
    desired.targets[0].source = ImageSource::Never;
    let mut observed = standing();
    assert_eq!(plan(&desired, &observed), "");
    observed.images.clear();
    assert_eq!(
        conflicts(&desired, &observed),
        ["image farmctl/armv7h:1 for target armv7h is not there"]
    );
}

#[test]
fn an_image_of_a_registry_is_pulled() {
    let mut desired = attic();
    let tag = ImageTag::new("registry.lan/farmctl/armv7h:9");
    desired.targets[0].source = ImageSource::Pull("registry.lan/farmctl/armv7h:9".parse().unwrap());
    desired.targets[0].image = tag;
    let text = plan(&desired, &standing());
    assert!(
        text.starts_with("+ image registry.lan/farmctl/armv7h:9 from its registry (missing)\n"),
        "{text}"
    );
}

#[test]
fn a_second_network_is_removed() {
    let mut observed = standing();
    observed.networks.push(LiveNetwork {
        id: "m".to_owned(),
        name: "farmctl-attic".to_owned(),
        is_isolated: true,
    });
    assert_eq!(
        plan(&attic(), &observed),
        "- network farmctl-attic (not wanted)\n"
    );
}

#[test]
fn a_network_that_isolates_nobody_is_made_again_with_its_doors() {
    let mut observed = standing();
    observed.networks[0].is_isolated = false;
    assert_eq!(
        plan(&attic(), &observed),
        "- container farmctl-attic-armv7h-door (network changed)\n\
         - container farmctl-attic-aarch64-door (network changed)\n\
         - network farmctl-attic (options changed)\n\
         + network farmctl-attic (missing)\n\
         + door armv7h on port 3635 (network changed)\n\
         + door aarch64 on port 3636 (network changed)\n"
    );
}

#[test]
fn a_lost_volume_is_made_again_with_its_containers() {
    let mut observed = standing();
    observed.volumes.remove(0);
    assert_eq!(
        plan(&attic(), &observed),
        "- container farmctl-attic-armv7h-door (volume changed)\n\
         + door armv7h on port 3635 (volume changed)\n\
         + volunteer armv7h as farmctl-attic-armv7h-2 (volume changed)\n\
         = until farmctl-attic-armv7h-2 compiles (volume changed)\n\
         - container farmctl-attic-armv7h (volume changed)\n"
    );
}

#[test]
fn restart_replaces_what_is_as_described() {
    assert_eq!(
        plan(
            &attic().only(only("armv7h")).with(Intent::Restart),
            &standing()
        ),
        "+ volunteer armv7h as farmctl-attic-armv7h-2 (restart)\n\
         = until farmctl-attic-armv7h-2 compiles (restart)\n\
         - container farmctl-attic-armv7h (restart)\n"
    );
}

#[test]
fn a_drained_target_stays_so_until_it_is_undrained() {
    let drain = attic().only(only("armv7h")).with(Intent::Drain);
    assert_eq!(
        plan(&drain, &standing()),
        "~ rename farmctl-attic-armv7h to farmctl-attic-armv7h-drained (drained)\n\
         ~ stop farmctl-attic-armv7h (drained)\n\
         ~ stop farmctl-attic-armv7h-door (drained)\n"
    );
    let mut observed = standing();
    for drained in [&mut observed.volunteers[0], &mut observed.doors[0]] {
        drained.state = LiveState::Exited;
        drained.shape.restart = crate::farm::Restart::No;
    }
    observed.volunteers[0].name.push_str("-drained");
    for intent in [Intent::Keep, Intent::Restart] {
        let desired = attic().only(only("armv7h")).with(intent);
        assert_eq!(plan(&desired, &observed), "");
        assert_eq!(drained(&desired, &observed), ["armv7h".parse().unwrap()]);
    }
    assert_eq!(plan(&drain, &observed), "");
    assert_eq!(
        plan(&attic().with(Intent::Undrain), &observed),
        "- container farmctl-attic-armv7h-door (restart policy changed)\n\
         + door armv7h on port 3635 (restart policy changed)\n\
         - container farmctl-attic-armv7h-drained (restart policy changed)\n\
         + volunteer armv7h as farmctl-attic-armv7h (restart policy changed)\n"
    );
}

#[test]
fn a_drain_that_was_broken_off_is_finished_by_any_plan() {
    let mut observed = standing();
    observed.volunteers[0].name.push_str("-drained");
    assert_eq!(
        plan(&attic(), &observed),
        "~ stop farmctl-attic-armv7h-drained (drained)\n\
         ~ stop farmctl-attic-armv7h-door (drained)\n"
    );
}

#[test]
fn strangers_in_the_way_are_all_named_and_never_touched() {
    let address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let names = ["farmctl-attic-aarch64", "farmctl-attic-aarch64-2"];
    let observed = Observed {
        taken_ports: vec![PortHolder {
            port: 3635,
            address,
            container: "web".to_owned(),
        }],
        taken_names: names.map(str::to_owned).into(),
        ..Observed::default()
    };
    assert_eq!(
        conflicts(&attic(), &observed),
        [
            "port 3635 for target armv7h is taken by container web",
            "a container named farmctl-attic-aarch64 exists and does not belong to this farm",
        ]
    );
}

#[test]
fn a_strangers_volume_is_not_taken_over() {
    let desired = attic();
    let name = volume_name(&desired.farm, &desired.targets[0].target);
    let observed = Observed {
        volumes: vec![LiveVolume {
            name,
            is_ours: false,
            target: None,
            options: None,
        }],
        ..Observed::default()
    };
    assert_eq!(
        conflicts(&desired, &observed),
        ["a volume named farmctl-attic-armv7h exists and does not belong to this farm"]
    );
}

#[test]
fn a_stranger_on_another_address_is_not_in_the_way() {
    let address = IpAddr::from([127, 0, 0, 1]);
    let observed = Observed {
        taken_ports: vec![PortHolder {
            port: 3635,
            address,
            container: "web".to_owned(),
        }],
        ..Observed::default()
    };
    assert!(diff(&attic(), &observed).is_ok());
}
