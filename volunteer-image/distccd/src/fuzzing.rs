//! The argument policy as a fuzz target sees it: bytes in, a panic if it lets something through.

use crate::job::{CheckedArguments, Driver, assert_sound};

/// Takes `bytes` for the words of a command line, each but the first with a NUL in front, and checks what the policy makes
/// of them. An odd number of bytes means the C++ driver.
///
/// # Panics
/// A plan is not sound.
pub fn arguments(bytes: &[u8]) {
    let driver = if bytes.len().is_multiple_of(2) {
        Driver::C
    } else {
        Driver::Cxx
    };
    let words: Vec<_> = bytes.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    if let Ok(plan) = CheckedArguments::check(driver, &words) {
        assert_sound(&plan);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    #[test]
    fn the_corpus_of_the_fuzz_target_passes() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/arguments");
        let entries: Vec<_> = fs::read_dir(corpus).unwrap().collect();
        assert!(!entries.is_empty());
        for entry in entries {
            super::arguments(&fs::read(entry.unwrap().path()).unwrap());
        }
    }
}
