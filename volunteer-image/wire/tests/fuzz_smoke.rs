//! What the fuzz targets check, for their corpora and for a few thousand changed copies, the same in every run.
//!
//! The targets themselves need sanitizers and time; see FUZZING.md.

#[path = "../fuzz/checks/lzo.rs"]
mod lzo;
#[path = "../fuzz/checks/reply.rs"]
mod reply;
#[path = "../fuzz/checks/request.rs"]
mod request;

use std::fs;
use std::path::Path;

/// Changed copies of each file of a corpus.
const COPIES: u64 = 300;

#[test]
fn blocks_of_lzo() {
    run("lzo", lzo::check);
}

#[test]
fn requests() {
    run("request", request::check);
}

#[test]
fn replies() {
    run("reply", reply::check);
}

fn run(target: &str, check: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut files: Vec<_> = fs::read_dir(corpus)
        .expect("the corpus is there")
        .map(|entry| entry.expect("the corpus can be listed").path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let mut chance = Chance(1);
    for file in files {
        let bytes = fs::read(file).expect("the corpus can be read");
        check(&bytes);
        for _ in 0..COPIES {
            check(&changed(bytes.clone(), &mut chance));
        }
    }
}

/// Changes a few bytes, and perhaps the length.
fn changed(mut bytes: Vec<u8>, chance: &mut Chance) -> Vec<u8> {
    for _ in 0..=chance.below(4) {
        let place = chance.below(bytes.len());
        match chance.below(5) {
            0 => bytes.insert(place, chance.byte()),
            1 => bytes.truncate(place),
            2 => bytes.extend_from_within(place..),
            _ if bytes.is_empty() => {}
            3 => bytes[place] ^= 1 << chance.below(8),
            _ => bytes[place] = chance.byte(),
        }
    }
    bytes
}

/// A sequence of numbers without order: xorshift64 (Marsaglia, "Xorshift RNGs").
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`, or 0 if there is none.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).expect("lengths fit 64 bits");
        usize::try_from(self.next() % end).expect("it is below a length")
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}
