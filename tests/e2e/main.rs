//! The whole farm against a real Docker engine.

mod compile;
mod hosts;
mod lifecycle;
mod master;
mod posture;
mod printed;

use std::process::ExitCode;

use farm_tests::docker_tests;

fn main() -> ExitCode {
    let mut tests = docker_tests![
        lifecycle::up_makes_five_volunteers_and_prints_what_masters_need,
        lifecycle::a_second_up_changes_nothing_and_says_so,
        hosts::only_the_lines_go_to_stdout,
        hosts::an_unknown_target_is_refused_with_the_known_ones,
        posture::every_volunteer_is_locked_in,
        posture::volunteers_share_no_network_with_others,
        lifecycle::down_removes_what_up_made_and_nothing_else,
        master::has_what_a_board_has,
        hosts::a_board_reads_its_own_line_out_of_makepkg_conf,
    ];
    tests.extend(compile::tests());
    tests.extend(docker_tests![
        lifecycle::status_tells_all_of_every_volunteer
    ]);
    farm_tests::suite::run(tests)
}
