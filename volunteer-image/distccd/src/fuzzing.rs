//! What fuzz targets see: bytes in, a panic if something is not as it must be.

pub use crate::job::{check_pump_soundness as pump_arguments, check_soundness as arguments};

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    #[test]
    fn the_corpora_of_the_fuzz_targets_pass() {
        let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        for corpus in ["arguments", "pump_arguments"] {
            let entries: Vec<_> = fs::read_dir(corpora.join(corpus)).unwrap().collect();
            assert!(!entries.is_empty());
            for entry in entries {
                let bytes = fs::read(entry.unwrap().path()).unwrap();
                super::arguments(&bytes);
                super::pump_arguments(&bytes);
            }
        }
    }
}
