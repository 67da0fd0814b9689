//! Properties of the codec, on its own and beside another implementation.

mod texts;

use distcc_wire::lzo::{Decoder, Encoder, LzoError, decode, encode};
use proptest::prelude::*;
use texts::{long_texts, noise, texts};

/// More than any text here.
const AMPLE: u64 = 1 << 20;

/// What one call may append.
const STEP: usize = 256 << 10;

proptest! {
    #[test]
    fn decodes_what_it_encoded(text in long_texts()) {
        let block = encode(&text);
        prop_assert!(block.len() <= text.len() + text.len() / 64 + 19);
        prop_assert_eq!(decode(&block, text.len() as u64), Ok(text.clone()));
        prop_assert_eq!(oracle(&block, text.len()), Some(text));
    }

    #[test]
    fn decodes_what_another_encoder_made(text in texts()) {
        // That encoder makes an invalid block of nothing.
        prop_assume!(!text.is_empty());
        let block = lzokay::compress::compress(&text).unwrap();
        prop_assert_eq!(decode(&block, AMPLE), Ok(text));
    }

    #[test]
    fn decodes_alike_in_pieces_of_any_size(text in long_texts(), sizes in prop::collection::vec(1..5_000_usize, 1..9)) {
        let block = encode(&text);
        prop_assert_eq!(decode_in_pieces(&block, sizes.into_iter().cycle()), Ok(text));
    }

    #[test]
    fn decodes_alike_byte_by_byte(text in texts()) {
        prop_assert_eq!(decode_in_pieces(&encode(&text), [1].into_iter().cycle()), Ok(text));
    }

    #[test]
    fn reports_every_prefix_as_truncated(text in texts()) {
        let block = encode(&text);
        let step = block.len() / 300 + 1;
        for end in (0..block.len()).step_by(step).chain(block.len() - 3..block.len()) {
            prop_assert_eq!(decode(&block[..end], AMPLE), Err(LzoError::Truncated));
            let pieces = decode_in_pieces(&block[..end], [97].into_iter().cycle());
            prop_assert_eq!(pieces, Err(LzoError::Truncated));
        }
    }

    #[test]
    fn reports_every_trailing_byte(text in texts(), byte: u8) {
        let mut block = encode(&text);
        block.push(byte);
        prop_assert_eq!(decode(&block, AMPLE), Err(LzoError::TrailingBytes));
    }

    #[test]
    fn expands_to_the_cap_and_no_further(text in texts()) {
        prop_assume!(!text.is_empty());
        let (block, cap) = (encode(&text), text.len() as u64);
        prop_assert!(decode(&block, cap).is_ok());
        prop_assert_eq!(decode(&block, cap - 1), Err(LzoError::OverCap { cap: cap - 1 }));
    }

    #[test]
    fn does_not_remember_earlier_blocks(texts in prop::collection::vec(texts(), 1..4)) {
        let mut encoder = Encoder::new();
        for text in texts {
            let mut block = b"kept".to_vec();
            encoder.encode_into(&text, &mut block);
            prop_assert_eq!(&block[..4], b"kept");
            prop_assert_eq!(&block[4..], encode(&text));
        }
    }

    #[test]
    fn judges_damaged_blocks_as_another_decoder_does(
        text in texts(),
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6),
    ) {
        let mut block = encode(&text);
        for (place, byte, kind) in damages {
            let place = place.index(block.len());
            match kind {
                0 => block[place] = byte,
                1 => block.insert(place, byte),
                _ if block.len() > 1 => drop(block.remove(place)),
                _ => {}
            }
        }
        compare_with_oracle(&block)?;
    }

    #[test]
    fn judges_random_blocks_as_another_decoder_does(block in random_blocks()) {
        compare_with_oracle(&block)?;
    }
}

#[test]
fn decodes_in_steps_of_bounded_size() {
    let bomb = encode(&vec![0; 20 << 20]);
    let mut decoder = Decoder::new(20 << 20);
    let (mut rest, mut output, mut total) = (&*bomb, Vec::new(), 0);
    while !rest.is_empty() {
        output.clear();
        decoder.push(&mut rest, &mut output).unwrap();
        assert!(output.len() <= STEP, "{}", output.len());
        total += output.len();
    }
    assert_eq!((total, decoder.finish()), (20 << 20, Ok(20 << 20)));
}

#[test]
fn stops_a_bomb_at_the_cap() {
    let bomb = encode(&vec![0; 20 << 20]);
    let mut decoder = Decoder::new(1 << 20);
    let mut output = Vec::new();
    let error = decoder.push(&mut &*bomb, &mut output).unwrap_err();
    assert_eq!(error, LzoError::OverCap { cap: 1 << 20 });
    assert!(output.len() <= STEP, "nothing of it was expanded before");
    assert_eq!(
        decoder.push(&mut &b""[..], &mut output),
        Err(error),
        "the error stays"
    );
    assert_eq!(decoder.finish(), Err(error));
}

#[test]
fn noise_hardly_grows() {
    let noise: Vec<u8> = noise(1).take(1 << 20).collect();
    assert!(encode(&noise).len() < noise.len() + noise.len() / 200);
}

fn random_blocks() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), Just(0), Just(0x11), 0..40_u8];
    (prop::collection::vec(byte, 0..40), any::<bool>()).prop_map(|(mut block, is_ended)| {
        if is_ended {
            block.extend([0x11, 0, 0]);
        }
        block
    })
}

fn compare_with_oracle(block: &[u8]) -> Result<(), TestCaseError> {
    let ours = decode(block, AMPLE);
    prop_assert_eq!(&decode_in_pieces(block, [7].into_iter().cycle()), &ours);
    if ours != Err(LzoError::BadEndMarker) {
        // It lets any two low bits pass in the end marker.
        prop_assert_eq!(oracle(block, 1 << 20), ours.ok());
    }
    Ok(())
}

fn oracle(block: &[u8], cap: usize) -> Option<Vec<u8>> {
    let mut output = vec![0; cap];
    let length = lzokay::decompress::decompress(block, &mut output).ok()?;
    output.truncate(length);
    Some(output)
}

/// Decodes with a buffer that is emptied after each step, as a server does that writes to a file.
fn decode_in_pieces(
    mut block: &[u8],
    mut sizes: impl Iterator<Item = usize>,
) -> Result<Vec<u8>, LzoError> {
    let mut decoder = Decoder::new(AMPLE);
    let (mut buffer, mut text) = (Vec::new(), Vec::new());
    while !block.is_empty() {
        let size = sizes.next().unwrap_or(1).min(block.len());
        let (mut piece, rest) = block.split_at(size);
        block = rest;
        while !piece.is_empty() {
            buffer.clear();
            decoder.push(&mut piece, &mut buffer)?;
            text.extend_from_slice(&buffer);
        }
    }
    decoder.finish()?;
    Ok(text)
}
