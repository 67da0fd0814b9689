//! No command line of a pump job names anything outside the job's own directory.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| distccd::fuzzing::pump_arguments(bytes));
