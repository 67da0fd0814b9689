//! Compression on all processors: blocks of one size, each a gzip member of its own, in order.
//!
//! Every reader of gzip puts such members together again (RFC 1952, 2.2). How many processors there are does not show.

use std::io::{self, Write};
use std::thread;

use flate2::{Compression, GzBuilder};

/// Large enough that cutting costs next to nothing.
pub(super) const BLOCK_BYTES: u64 = 4 << 20;

/// More at a time would only take memory.
const MOST_AT_ONCE: usize = 16;

/// Compresses the blocks that `next` gives until there are no more, and hands them to `put` in their order.
pub(super) fn pack<E>(
    mut next: impl FnMut() -> Result<Option<Vec<u8>>, E>,
    mut put: impl FnMut(io::Result<Vec<u8>>) -> Result<(), E>,
) -> Result<(), E> {
    let at_once = thread::available_parallelism().map_or(1, |count| count.get().min(MOST_AT_ONCE));
    loop {
        let mut blocks = Vec::new();
        while blocks.len() < at_once {
            match next()? {
                Some(block) => blocks.push(block),
                None => break,
            }
        }
        if blocks.is_empty() {
            return Ok(());
        }
        pack_all(&blocks).into_iter().try_for_each(&mut put)?;
    }
}

fn pack_all(blocks: &[Vec<u8>]) -> Vec<io::Result<Vec<u8>>> {
    thread::scope(|scope| {
        let threads: Vec<_> = blocks
            .iter()
            .map(|block| scope.spawn(|| pack_one(block)))
            .collect();
        let panicked = || io::Error::other("the compressor failed");
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_panic| Err(panicked())))
            .collect()
    })
}

/// Without a time or a name, so that the same block is always the same bytes.
fn pack_one(block: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = GzBuilder::new().write(Vec::new(), Compression::default());
    packed.write_all(block)?;
    packed.finish()
}
