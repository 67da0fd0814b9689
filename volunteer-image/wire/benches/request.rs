//! The request decoder: a source of some megabytes, whole and as many small files. Rates are of the decoded source.

mod samples;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use distcc_wire::{Entry, Event, Limits, Payload, Request, RequestDecoder};

criterion_group!(benches, decoding);
criterion_main!(benches);

fn decoding(criterion: &mut Criterion) {
    let source = samples::preprocessed();
    for (name, request) in requests(&source) {
        let bytes = request.encode().expect("the request fits the protocol");
        let mut group = criterion.benchmark_group(format!("request: {name}"));
        group
            .throughput(Throughput::Bytes(source.len() as u64))
            .sample_size(20);
        group.bench_function("framing, in pieces of 64 KiB", |bencher| {
            bencher.iter(|| framed(&bytes));
        });
        group.bench_function("whole, bodies included", |bencher| {
            bencher.iter(|| Request::decode(&bytes, &Limits::default()));
        });
        group.finish();
    }
}

/// Decodes all but the bodies, and tells how long these are.
fn framed(bytes: &[u8]) -> usize {
    let mut decoder = RequestDecoder::new(Limits::default());
    let mut body_bytes = 0;
    for mut piece in bytes.chunks(64 << 10) {
        while let Some(event) = decoder.next(&mut piece).expect("our own request is sound") {
            if let Event::Chunk(chunk) = event {
                body_bytes += chunk.len();
            }
        }
    }
    body_bytes
}

fn requests(source: &[u8]) -> [(&'static str, Request); 3] {
    let files = source
        .chunks(4 << 10)
        .enumerate()
        .map(|(index, contents)| Entry::File {
            name: format!("/home/user/project/include/part_{index}.h").into_bytes(),
            contents: contents.to_vec(),
        });
    let entries = files.collect();
    let pump = Payload::Pump {
        directory: b"/home/user/project".to_vec(),
        entries,
    };
    [
        ("version 1", request(Payload::Plain(source.to_vec()))),
        ("version 2", request(Payload::Lzo(source.to_vec()))),
        ("version 3, files of 4 KiB", request(pump)),
    ]
}

fn request(payload: Payload) -> Request {
    let command = "arm-linux-gnueabihf-g++-14 -O2 -g -Wall -std=c++20 -fPIC -c main.cpp -o main.o";
    let arguments = command
        .split(' ')
        .map(|word| word.as_bytes().to_vec())
        .collect();
    Request { arguments, payload }
}
