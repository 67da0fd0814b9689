//! Compression and decompression, beside another codec.

mod samples;

use std::{env, fs};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use distcc_wire::lzo::{Decoder, Encoder, decode};

criterion_group!(benches, encoding, decoding);
criterion_main!(benches);

fn encoding(criterion: &mut Criterion) {
    for (name, sample) in samples() {
        let mut group = criterion.benchmark_group(format!("encode {name}"));
        group
            .throughput(Throughput::Bytes(sample.len() as u64))
            .sample_size(20);
        let mut encoder = Encoder::new();
        let mut block = Vec::new();
        group.bench_function("ours", |bencher| {
            bencher.iter(|| {
                block.clear();
                encoder.encode_into(&sample, &mut block);
                block.len()
            });
        });
        // It takes a second for what ours does in a hundredth.
        let start = sample.get(..256 << 10).unwrap_or(&sample);
        group
            .throughput(Throughput::Bytes(start.len() as u64))
            .sample_size(10);
        group.bench_function("lzokay", |bencher| {
            bencher.iter(|| lzokay::compress::compress(start));
        });
        group.finish();
    }
}

fn decoding(criterion: &mut Criterion) {
    for (name, sample) in samples() {
        let mut group = criterion.benchmark_group(format!("decode {name}"));
        group
            .throughput(Throughput::Bytes(sample.len() as u64))
            .sample_size(20);
        let mut block = Vec::new();
        Encoder::new().encode_into(&sample, &mut block);
        let cap = sample.len() as u64;
        group.bench_function("ours, whole", |bencher| {
            bencher.iter(|| decode(&block, cap));
        });
        group.bench_function("ours, in pieces of 64 KiB", |bencher| {
            bencher.iter(|| streamed(&block, cap));
        });
        let mut output = vec![0; sample.len()];
        group.bench_function("lzokay", |bencher| {
            bencher.iter(|| lzokay::decompress::decompress(&block, &mut output));
        });
        group.finish();
    }
}

fn streamed(block: &[u8], cap: u64) -> u64 {
    let mut decoder = Decoder::new(cap);
    let mut output = Vec::new();
    for mut piece in block.chunks(64 << 10) {
        while !piece.is_empty() {
            output.clear();
            decoder
                .push(&mut piece, &mut output)
                .expect("our own block is sound");
        }
    }
    decoder.finish().expect("our own block is complete")
}

fn samples() -> [(&'static str, Vec<u8>); 2] {
    [
        ("preprocessed C++", samples::preprocessed()),
        ("object", object()),
    ]
}

/// Machine code and its debugging information: this very program, at most 4 MiB of it.
fn object() -> Vec<u8> {
    let program = env::current_exe().expect("a running program has a path");
    let mut bytes = fs::read(program).expect("a running program can be read");
    bytes.truncate(4 << 20);
    bytes
}
