//! Every form of instruction, written by hand or brought about by lengths and distances at the edges.

#[expect(dead_code, reason = "only the noise is needed here")]
mod texts;

use distcc_wire::lzo::{LzoError, MAX_DISTANCE, decode, encode};
use texts::noise;

const END: &[u8] = &[0x11, 0, 0];

#[test]
fn reads_every_form_by_hand() {
    let run = |count: usize| {
        [
            &[17 + u8::try_from(count).expect("it fits the first byte")],
            &*start(count),
        ]
        .concat()
    };
    // 18 + 8 * 255 + 42 literals.
    let long_run = [&[0; 9][..], &[42], &start(2100)].concat();
    let far_run = [vec![0; 1 + 195], vec![18], start(18 + 195 * 255 + 18)].concat();
    for (name, block, expected) in [
        ("nothing", vec![], vec![]),
        ("first literals, few", run(3), start(3)),
        ("first literals, many", run(238), start(238)),
        ("short run", [&[1][..], &start(4)].concat(), start(4)),
        (
            "longest short run",
            [&[15][..], &start(18)].concat(),
            start(18),
        ),
        ("long run", [&[0, 1][..], &start(19)].concat(), start(19)),
        ("longer run", long_run.clone(), start(2100)),
        (
            "match of 2 after trailing literals, with one more literal",
            [&run(3)[..], &[0b0000_0101, 0], b"!"].concat(),
            then(start(3), 2, 2, b"!"),
        ),
        (
            "match of 3 beyond 2048 after a run",
            [&long_run[..], &[0b0000_1110, 5], b"!?"].concat(),
            then(start(2100), 2049 + 3 + (5 << 2), 3, b"!?"),
        ),
        (
            "match of 3 and 4 within 2048",
            [&run(20)[..], &[0b0100_1000, 0, 0b0110_0001, 1], b"!"].concat(),
            then(then(start(20), 3, 3, b""), 9, 4, b"!"),
        ),
        (
            "match of 8 within 2048",
            [&long_run[..], &[0b1111_1100, 255]].concat(),
            then(start(2100), 2048, 8, b""),
        ),
        (
            "match of 3 within 16384",
            [&long_run[..], &[0b0010_0001, 0b1010_0011, 1], b"abc"].concat(),
            then(start(2100), (0b1_1010_0011 >> 2) + 1, 3, b"abc"),
        ),
        (
            "match of 34 at distance 1, overlapping itself",
            [&run(4)[..], &[0b0010_0000, 1, 0, 0]].concat(),
            then(start(4), 1, 34, b""),
        ),
        (
            "match of 543 at distance 3, overlapping itself",
            [&run(4)[..], &[0b0010_0000, 0, 255, 8, 0]].concat(),
            then(start(4), 3, 543, b""),
        ),
        (
            "match of 9 beyond 16384",
            [&far_run[..], &[0b0001_0111, 4, 0]].concat(),
            then(start(49_761), 16_385, 9, b""),
        ),
        (
            "match of 10 beyond 16384",
            [&far_run[..], &[0b0001_0000, 1, 5, 0], b"!"].concat(),
            then(start(49_761), 16_385, 10, b"!"),
        ),
        (
            "match of 3 beyond 32768",
            [&far_run[..], &[0b0001_1001, 0, 0]].concat(),
            then(start(49_761), 32_768, 3, b""),
        ),
        (
            "match at the greatest distance",
            [&far_run[..], &[0b0001_1001, 0xfc, 0xff]].concat(),
            then(start(49_761), MAX_DISTANCE, 3, b""),
        ),
    ] {
        let block = [&*block, END].concat();
        assert_eq!(decode(&block, 1 << 20), Ok(expected.clone()), "{name}");
        let mut output = vec![0; expected.len()];
        let length = lzokay::decompress::decompress(&block, &mut output);
        assert_eq!(
            (length, output),
            (Ok(expected.len()), expected),
            "{name}, by the oracle"
        );
    }
}

#[test]
fn rejects_what_no_encoder_writes() {
    let before_start = |distance, produced| LzoError::BeforeStart { distance, produced };
    for (name, block, error) in [
        ("no instruction", vec![], LzoError::Truncated),
        (
            "match at the start",
            vec![0x11, 4, 0],
            before_start(16_385, 0),
        ),
        (
            "match one too far",
            vec![18, b'a', 0b0000_0100, 0],
            before_start(2, 1),
        ),
        (
            "far match",
            vec![18, b'a', 0x1f, 0, 0],
            before_start(32_768, 1),
        ),
        (
            "end marker of length 2 with extension",
            vec![0x10, 1, 0, 0],
            LzoError::BadEndMarker,
        ),
        (
            "end marker of length 4",
            vec![18, b'a', 0x12, 0, 0],
            LzoError::BadEndMarker,
        ),
        (
            "end marker with trailing literals",
            vec![0x11, 1, 0],
            LzoError::BadEndMarker,
        ),
        (
            "bytes after the end",
            vec![0x11, 0, 0, 0x11, 0, 0],
            LzoError::TrailingBytes,
        ),
        ("half an extension", vec![0, 0, 0], LzoError::Truncated),
        ("half an end marker", vec![0x11, 0], LzoError::Truncated),
    ] {
        assert_eq!(decode(&block, 1 << 20), Err(error), "{name}");
    }
}

#[test]
fn encodes_matches_of_every_length_at_every_distance() {
    let distances = [
        1,
        2,
        3,
        4,
        7,
        8,
        15,
        16,
        17,
        2047,
        2048,
        2049,
        16_383,
        16_384,
        16_385,
        32_767,
        32_768,
        32_769,
        49_150,
        MAX_DISTANCE,
        49_152,
    ];
    let lengths = [4, 5, 8, 9, 10, 33, 34, 263, 264, 265, 288, 289, 600];
    for distance in distances {
        for length in lengths {
            survives(&then(start(distance), distance, length, b"the end"));
        }
    }
}

#[test]
fn encodes_literals_of_every_count() {
    for count in (0..300).chain([527, 528, 529, 782, 783, 784]) {
        survives(&start(count));
        let after_match = [
            &*start(40),
            &*start(40),
            &*noise(7).take(count).collect::<Vec<_>>(),
        ];
        survives(&after_match.concat());
    }
}

fn survives(text: &[u8]) {
    let block = encode(text);
    assert_eq!(decode(&block, text.len() as u64).as_deref(), Ok(text));
    let mut output = vec![0; text.len()];
    assert_eq!(
        lzokay::decompress::decompress(&block, &mut output),
        Ok(text.len())
    );
    assert_eq!(output, text);
}

/// `count` bytes in which nothing is repeated.
fn start(count: usize) -> Vec<u8> {
    noise(1).take(count).collect()
}

/// `text`, then `length` bytes from `distance` before, then `literals`.
fn then(mut text: Vec<u8>, distance: usize, length: usize, literals: &[u8]) -> Vec<u8> {
    for _ in 0..length {
        text.push(text[text.len() - distance]);
    }
    text.extend(literals);
    text
}
