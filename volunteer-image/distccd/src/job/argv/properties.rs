//! What must hold for every argument list, the table aside.

use proptest::prelude::*;

use super::soundness::{DANGEROUS, PREPROCESSING, assert_sound};
use super::*;

fn word() -> impl Strategy<Value = Vec<u8>> {
    let ordinary = prop::sample::select(vec![
        "-c",
        "-S",
        "-o",
        "-x",
        "c",
        "c++",
        "none",
        "a.c",
        "dir/b.cc",
        "/abs/c.i",
        "-O2",
        "-g",
        "-std=c11",
        "--param",
        "-Xlinker",
        "-Xpreprocessor",
        "-Xassembler",
        "-Wa,",
        "-D",
        "-MT",
        "-fdebug-prefix-map=/a=/b",
        "-frandom-seed=x/y",
        "",
        "-",
        "--",
    ]);
    let dangerous = prop::sample::select([DANGEROUS, PREPROCESSING].concat());
    let ending = prop::sample::select(vec!["", "=x", "=/etc/passwd", "../x", ",-o,/x", " "]);
    prop_oneof![
        4 => ordinary.prop_map(|word| word.as_bytes().to_vec()),
        2 => (dangerous, ending).prop_map(|(word, ending)| format!("{word}{ending}").into_bytes()),
        1 => "-[a-zA-Z]{1,3}[=,/.@a-z]{0,6}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ]
}

fn driver() -> impl Strategy<Value = Driver> {
    prop::sample::select(vec![Driver::C, Driver::Cxx])
}

fn arguments() -> impl Strategy<Value = Vec<Vec<u8>>> {
    // Half of the lists have what a compile needs, so that the interesting words are the only reason to refuse.
    (prop::collection::vec(word(), 0..8), any::<bool>()).prop_map(|(mut list, complete)| {
        if complete {
            list.extend(["-c", "a.c"].map(|word| word.as_bytes().to_vec()));
        }
        list
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_is_sound(driver in driver(), arguments in arguments()) {
        if let Ok(plan) = Plan::check(driver, &arguments) {
            assert_sound(&plan);
        }
    }
}
