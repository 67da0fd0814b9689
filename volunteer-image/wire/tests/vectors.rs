//! Byte-exact sessions of the stock programs (distcc 3.4), and LZO blocks made by their codec.

use std::num::NonZeroU8;

use distcc_wire::{
    Entry, Failure, Limits, Outcome, Payload, Reply, Request, Token, Version, WaitStatus,
    encode_body, head, lzo, reply,
};

const SOURCE: &str = r#"# 0 "hello.c"
# 0 "<built-in>"
# 0 "<command-line>"
# 1 "/usr/include/stdc-predef.h" 1 3 4
# 0 "<command-line>" 2
# 1 "hello.c"
int main(void){return 42;}
"#;

const COMMAND: &str = "x86_64-linux-gnu-gcc -O1 -c hello.c -o hello.o";

/// `distcc gcc -O1 -c hello.c -o hello.o` in version 1.
fn v1_request() -> Vec<u8> {
    bytes(include_str!("golden/v1-request.hex"))
}

/// The source of the same command as the stock client compresses it.
fn v2_source() -> Vec<u8> {
    bytes(include_str!("golden/v2-source.hex"))
}

/// `distcc gcc -O1 -Iincl -MMD -MF a.d -c src/a.c -o a.o` in `/w/p`, where `incl` is a link to `inc`, in version 3.
fn v3_request() -> Vec<u8> {
    bytes(include_str!("golden/v3-request.hex"))
}

/// The stock server's reply to it.
fn v3_reply() -> Vec<u8> {
    bytes(include_str!("golden/v3-reply.hex"))
}

#[test]
fn reads_and_writes_the_stock_client_in_version_1() {
    let request = Request {
        arguments: words(COMMAND),
        payload: Payload::Plain(SOURCE.into()),
    };
    assert_eq!(
        Request::decode(&v1_request(), &Limits::default()),
        Ok(request.clone())
    );
    assert_eq!(request.encode(), Ok(v1_request()));
}

#[test]
fn reads_the_stock_client_in_version_2() {
    let mut bytes = v1_request();
    let source = bytes
        .windows(4)
        .position(|window| window == b"DOTI")
        .unwrap();
    bytes.truncate(source);
    bytes[11] = b'2';
    bytes.extend(head(Token::Doti, 0x84));
    bytes.extend(v2_source());
    let request = Request {
        arguments: words(COMMAND),
        payload: Payload::Lzo(SOURCE.into()),
    };
    assert_eq!(Request::decode(&bytes, &Limits::default()), Ok(request));
}

#[test]
fn decompresses_the_stock_client() {
    assert_eq!(lzo::decode(&v2_source(), 155), Ok(SOURCE.into()));
}

#[test]
fn reads_the_stock_client_in_version_3() {
    let file = |name: &str, contents: &str| Entry::File {
        name: name.into(),
        contents: contents.into(),
    };
    let link = |name: &str, target: String| Entry::Link {
        name: name.into(),
        target: target.into(),
    };
    let up = |count, to: &str| "../".repeat(count) + to;
    let source = "#include <stddef.h>\n#include \"foo.h\"\nint f(void){return FOO;}\n";
    let gcc = "/usr/lib/gcc/x86_64-linux-gnu/12/include";
    let request = Request {
        arguments: words("x86_64-linux-gnu-gcc -O1 -Iincl -MMD -MF a.d -c src/a.c -o a.o -MT a.o"),
        payload: Payload::Pump {
            directory: b"/w/p".to_vec(),
            entries: vec![
                file("/w/p/src/a.c", source),
                file("/w/p/inc/foo.h", "#define FOO 42\n"),
                link(gcc, up(26, &gcc[1..])),
                link("/usr/local/include", up(23, "usr/local/include")),
                link("/usr/include", up(22, "usr/include")),
                link("/w/p/incl", "/w/p/inc".into()),
                file("/w/p/src/forcing_technique_271828", ""),
                file("/w/p/inc/forcing_technique_271828", ""),
            ],
        },
    };
    assert_eq!(
        Request::decode(&v3_request(), &Limits::default()),
        Ok(request.clone())
    );

    // That client did not look for matches; all but the one body that has any must be the same.
    let literal_only = [b"FILE00000042\x4f", source.as_bytes(), b"\x11\0\0"].concat();
    let mut ours = Vec::new();
    let mut encoder = lzo::Encoder::new();
    encode_body(
        Version::Pump,
        Token::File,
        source.as_bytes(),
        &mut encoder,
        &mut ours,
    )
    .unwrap();
    assert_eq!(
        request.encode(),
        Ok(replace(&v3_request(), &literal_only, &ours))
    );
}

#[test]
fn reads_the_stock_server_in_version_3() {
    let reply = Reply::decode(Version::Pump, &v3_reply(), &Limits::default()).unwrap();
    let Outcome::Compiled {
        object,
        dependencies,
    } = reply.outcome
    else {
        panic!("the stock server compiled it");
    };
    assert_eq!(
        (object.len(), object.starts_with(b"\x7fELF\x02\x01\x01")),
        (1080, true)
    );
    assert_eq!(dependencies, b"a.o: src/a.c incl/foo.h\n");
    assert_eq!((reply.stderr, reply.stdout), (Vec::new(), Vec::new()));
}

#[test]
fn writes_a_success_as_the_stock_server() {
    let object = vec![0x7f; 1088];
    let reply = Reply {
        version: Version::Plain,
        outcome: Outcome::Compiled {
            object: object.clone(),
            dependencies: Vec::new(),
        },
        stderr: Vec::new(),
        stdout: Vec::new(),
    };
    let mut expected = b"DONE00000001STAT00000000SERR00000000SOUT00000000DOTO00000440".to_vec();
    expected.extend(object);
    assert_eq!(expected.len(), 1148);
    assert_eq!(reply.encode(), Ok(expected));
}

#[test]
fn writes_a_compile_error_as_the_stock_server() {
    let reply = Reply {
        version: Version::Plain,
        outcome: Outcome::Failed(Failure::exit(NonZeroU8::MIN)),
        stderr: vec![b'e'; 197],
        stdout: Vec::new(),
    };
    let text = "e".repeat(197);
    let expected = format!("DONE00000001STAT00000100SERR000000c5{text}SOUT00000000DOTO00000000");
    assert_eq!(expected.len(), 257);
    assert_eq!(reply.encode(), Ok(expected.into_bytes()));
}

#[test]
fn promises_nothing_before_the_status() {
    let opening = |status| reply::opening(Version::Lzo, status);
    let success = opening(WaitStatus::Success);
    let refusal = opening(WaitStatus::Failure(Failure::REFUSED));
    assert_eq!(&success, b"DONE00000002STAT00000000");
    assert_eq!(&refusal, b"DONE00000002STAT0000c800");
    assert_eq!(
        success[..reply::PROMISE_BYTES],
        refusal[..reply::PROMISE_BYTES]
    );
    assert_eq!(&success[..reply::PROMISE_BYTES], b"DONE00000002STAT");
}

#[test]
fn writes_the_stock_dependency_body() {
    let body = b"a.o: src/a.c incl/foo.h\n";
    let golden = v3_reply();
    let literal_only = golden.split_at(golden.len() - 28).1;
    assert_eq!(lzo::encode(body), literal_only);
    assert_eq!(lzo::encode(b""), b"\x11\0\0");
    assert_eq!(lzo::decode(b"\x11\0\0", 0), Ok(Vec::new()));
}

fn bytes(hex_lines: &str) -> Vec<u8> {
    hex::decode(hex_lines.replace('\n', "")).expect("the recordings are in hexadecimal")
}

/// `bytes` with the only occurrence of `old` made `new`.
fn replace(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = bytes
        .windows(old.len())
        .position(|window| window == old)
        .expect("it occurs");
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

fn words(command: &str) -> Vec<Vec<u8>> {
    command
        .split(' ')
        .map(|word| word.as_bytes().to_vec())
        .collect()
}
