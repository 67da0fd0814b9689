//! No command line gets anything dangerous through the argument policy.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| distccd::fuzzing::arguments(bytes));
