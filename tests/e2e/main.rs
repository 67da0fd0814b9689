//! The whole farm against a real Docker engine.

mod archive;
mod arm_host;
mod bundle;
mod compile;
mod compose;
mod dockerfile;
mod doctor;
mod drain;
mod drift;
mod engines_end;
mod exports;
mod fleet;
mod hosts;
mod images;
mod interruption;
mod lifecycle;
mod master;
mod podman;
mod posture;
mod printed;
mod pump;
mod refusals;
mod remote_engines;
mod rolling;
mod survival;
mod swarm;
mod targets;
mod versions;

use std::process::ExitCode;

use farm_tests::docker_tests;

fn main() -> ExitCode {
    let mut tests = docker_tests![
        lifecycle::up_makes_five_volunteers_and_prints_what_masters_need,
        lifecycle::a_second_up_changes_nothing_and_says_so,
        hosts::only_the_lines_go_to_stdout,
        hosts::an_unknown_target_is_refused_with_the_known_ones,
        posture::every_volunteer_is_locked_in,
        posture::every_door_is_locked_in,
        posture::volunteers_have_no_network_and_doors_only_their_own,
        survival::garbage_is_turned_away,
        survival::huge_lengths_are_turned_away,
        survival::clients_may_hang_up_at_any_byte,
        refusals::an_engine_that_does_not_run,
        refusals::a_socket_that_the_user_may_not_use,
        refusals::a_port_that_a_process_has,
        refusals::a_port_that_a_container_has,
        refusals::a_manifest_with_mistakes,
        refusals::a_mirror_out_of_reach,
        refusals::an_index_that_was_changed,
        refusals::a_package_that_was_changed,
        refusals::a_download_that_is_cut_once_goes_on,
        refusals::a_download_that_is_always_cut,
        refusals::a_full_disk,
        lifecycle::down_removes_what_up_made_and_nothing_else,
        images::the_binary_starts_in_an_empty_image,
        images::images_are_small,
        images::the_same_lock_gives_the_same_image,
        drift::whatever_others_do_is_put_right,
        drift::a_recreated_container_is_replaced,
        drift::lost_images_volumes_and_networks_are_made_again,
        drift::another_farm_on_the_engine_is_never_touched,
        drift::a_target_that_left_the_manifest_goes_only_if_confirmed,
        drain::a_drained_target_refuses_until_it_is_undrained,
        drain::a_part_of_the_farm_comes_and_goes,
        interruption::up_that_is_interrupted_leaves_nothing_half_made,
        interruption::up_that_is_interrupted_while_images_load_can_be_repeated,
        interruption::up_that_is_killed_can_be_repeated,
        master::has_what_a_board_has,
        hosts::a_board_reads_its_own_line_out_of_makepkg_conf,
        doctor::a_healthy_farm_has_no_problem,
        doctor::the_doctor_looks_at_one_target_if_asked,
        doctor::the_proof_passes_for_a_board_with_the_right_line,
        doctor::the_wrong_port_is_named_with_the_right_one,
        doctor::mistakes_of_a_masters_configuration_are_found,
    ];
    tests.extend(compile::tests());
    tests.extend(docker_tests![
        targets::further_targets_are_one_file_each,
        rolling::a_build_goes_on_while_everything_is_replaced,
        swarm::a_farm_on_a_swarm_goes_through_everything,
        versions::one_container_has_several_gcc_versions,
        versions::an_expired_index_is_used_only_if_allowed,
        archive::a_farm_compiles_with_a_toolchain_from_an_archive,
        arm_host::an_arm_machine_compiles_for_pcs_and_for_its_own_kind,
        pump::headers_of_the_system_come_with_the_image_if_asked_for,
        exports::what_reads_the_files_takes_them,
        compose::the_first_generation_brings_it_up,
        compose::the_second_generation_brings_it_up,
    ]);
    tests.extend(docker_tests![
        bundle::a_farm_comes_up_from_a_bundle_without_a_network,
        engines_end::a_farm_comes_back_after_a_restart,
        engines_end::a_farm_comes_back_after_a_power_cut,
        engines_end::up_without_power_can_be_repeated,
        engines_end::up_goes_on_after_the_engine_was_killed,
        remote_engines::a_farm_on_an_engine_over_tls,
        remote_engines::a_cable_is_pulled_while_an_image_goes_over_tls,
        remote_engines::a_farm_on_an_engine_behind_ssh,
        remote_engines::ssh_ends_while_an_image_goes_through,
        podman::a_farm_lives_on_podman,
        dockerfile::the_dockerfile_makes_the_same_image,
    ]);
    tests.extend(docker_tests![fleet::two_engines_are_one_farm]);
    tests.extend(docker_tests![
        lifecycle::status_tells_all_of_every_volunteer
    ]);
    farm_tests::suite::run(tests)
}
