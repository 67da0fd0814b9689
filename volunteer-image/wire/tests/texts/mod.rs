//! Bytes as they come in builds: with repetitions near and far.

use proptest::prelude::*;

/// What a text is made of.
#[derive(Debug, Clone)]
enum Part {
    /// Bytes that may never have been there.
    Fresh(Vec<u8>),
    /// Bytes that are there already, `back` bytes ago if there are that many.
    Again { back: usize, length: usize },
    /// One byte many times.
    Run { byte: u8, length: usize },
}

/// Texts of up to some tens of kilobytes.
pub(crate) fn texts() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(parts(), 0..40).prop_map(|parts| parts.iter().fold(Vec::new(), append))
}

/// Texts that reach farther than a match can, so that every form of distance occurs.
pub(crate) fn long_texts() -> impl Strategy<Value = Vec<u8>> {
    (texts(), any::<u32>(), 0..60_000_usize, texts()).prop_map(|(start, seed, length, end)| {
        let filler = noise(seed).take(length);
        start
            .iter()
            .copied()
            .chain(filler)
            .chain(start.iter().copied())
            .chain(end)
            .collect()
    })
}

/// Bytes without repetitions.
pub(crate) fn noise(seed: u32) -> impl Iterator<Item = u8> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(seed), next).map(|state| state.to_be_bytes()[0])
}

fn parts() -> impl Strategy<Value = Part> {
    let back = prop_oneof![1..20_usize, 1..3_000_usize, 1..20_000_usize];
    let length = || prop_oneof![1..10_usize, 1..50_usize, 1..1_000_usize];
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..30).prop_map(Part::Fresh),
        prop::collection::vec(b'a'..b'e', 0..300).prop_map(Part::Fresh),
        (back, length()).prop_map(|(back, length)| Part::Again { back, length }),
        (any::<u8>(), length()).prop_map(|(byte, length)| Part::Run { byte, length }),
    ]
}

fn append(mut text: Vec<u8>, part: &Part) -> Vec<u8> {
    match part {
        Part::Fresh(bytes) => text.extend(bytes),
        Part::Run { byte, length } => text.resize(text.len() + length, *byte),
        Part::Again { back, length } if *back <= text.len() => {
            for _ in 0..*length {
                text.push(text[text.len() - back]);
            }
        }
        Part::Again { .. } => {}
    }
    text
}
