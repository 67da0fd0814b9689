//! See [`check`].
#![no_main]

#[path = "../checks/lzo.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
