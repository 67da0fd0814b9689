//! The same verdict and the same bytes from us, from us in pieces, and from another decoder; and what we compress is
//! what comes back.

use distcc_wire::lzo::{Decoder, LzoError, decode, encode};

const CAP: usize = 1 << 16;

/// Panics unless it is so.
pub(crate) fn check(block: &[u8]) {
    let decoded = decode(block, CAP as u64);
    assert_eq!(decode_in_pieces(block), decoded);
    if decoded != Err(LzoError::BadEndMarker) {
        assert_eq!(oracle(block), decoded.ok());
    }
    assert_eq!(
        decode(&encode(block), block.len() as u64).as_deref(),
        Ok(block)
    );
}

fn decode_in_pieces(block: &[u8]) -> Result<Vec<u8>, LzoError> {
    let mut decoder = Decoder::new(CAP as u64);
    let (mut buffer, mut text) = (Vec::new(), Vec::new());
    for mut piece in block.chunks(5) {
        while !piece.is_empty() {
            buffer.clear();
            decoder.push(&mut piece, &mut buffer)?;
            text.extend_from_slice(&buffer);
        }
    }
    decoder.finish()?;
    Ok(text)
}

fn oracle(block: &[u8]) -> Option<Vec<u8>> {
    let mut output = vec![0; CAP];
    let length = lzokay::decompress::decompress(block, &mut output).ok()?;
    output.truncate(length);
    Some(output)
}
