//! Archives that must not be believed.

use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::*;

const HOME: &str = "x-tools/arm-linux";

/// A tar archive of members as they stand, however wrong.
struct Archive(Builder<Vec<u8>>);

impl Archive {
    fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    fn member(mut self, kind: EntryType, path: &str, target: &str, content: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o755);
        header.set_link_name_literal(target).unwrap();
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self
    }

    fn file(self, path: &str, content: &[u8]) -> Self {
        self.member(EntryType::Regular, path, "", content)
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }

    fn fault(self) -> String {
        fault(&self.bytes(), &LIMITS)
    }
}

fn path(text: &str) -> ImagePath {
    ImagePath::from_absolute(text).unwrap()
}

fn fault(bytes: &[u8], limits: &Limits) -> String {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let source = ArchiveSource::new(
        "http://archive.example/x-tools.tar",
        &"0".repeat(64),
        Path::new(HOME),
        Path::new("/opt/x-tools"),
    );
    let wanted = Wanted {
        host: Architecture::Amd64,
        major: 14,
        gcc: path("/opt/x-tools/bin/arm-linux-gcc"),
        gxx: path("/opt/x-tools/bin/arm-linux-g++"),
    };
    let fault = unpack_within(&source.unwrap(), file.path(), &wanted, limits);
    fault.unwrap_err().to_string()
}

#[test]
fn paths_that_lead_elsewhere_are_refused_wherever_they_are() {
    let cases = [
        (
            "/etc/passwd",
            "its member '/etc/passwd' has an absolute path",
        ),
        (
            "../passwd",
            "its member '../passwd' leads out of the archive",
        ),
        (
            "x-tools/../../passwd",
            "its member 'x-tools/../../passwd' leads out of the archive",
        ),
    ];
    for (member, message) in cases {
        assert_eq!(Archive::new().file(member, b"x").fault(), message);
    }
}

#[test]
fn links_that_lead_out_of_the_toolchain_are_refused() {
    let gcc = &format!("{HOME}/bin/arm-linux-gcc");
    for target in ["/usr/bin/gcc", "../../../etc/passwd", "../../x", "../.."] {
        let archive = Archive::new().member(EntryType::Symlink, gcc, target, b"");
        let expected = format!("its link '{gcc}' leads to '{target}', outside the toolchain");
        assert_eq!(archive.fault(), expected);
    }
    let hard = |target| {
        Archive::new()
            .member(EntryType::Link, gcc, target, b"")
            .fault()
    };
    assert_eq!(
        hard("/etc/passwd"),
        "its member '/etc/passwd' has an absolute path"
    );
    assert_eq!(
        hard("../passwd"),
        "its member '../passwd' leads out of the archive"
    );
    for target in ["x-tools/elsewhere", "x-tools/arm-linux/share/doc"] {
        let expected =
            format!("'{gcc}' is a hard link to '{target}', which is no program of the toolchain");
        assert_eq!(hard(target), expected);
    }
}

#[test]
fn links_in_a_circle_are_no_program() {
    let archive = Archive::new()
        .member(
            EntryType::Symlink,
            &format!("{HOME}/bin/arm-linux-gcc"),
            "arm-linux-cc",
            b"",
        )
        .member(
            EntryType::Symlink,
            &format!("{HOME}/bin/arm-linux-cc"),
            "arm-linux-gcc",
            b"",
        );
    assert_eq!(
        archive.fault(),
        "it does not hold /opt/x-tools/bin/arm-linux-gcc"
    );
}

#[test]
fn devices_are_refused_wherever_they_are() {
    for kind in [EntryType::Char, EntryType::Block, EntryType::Fifo] {
        let archive = Archive::new().member(kind, "x-tools/null", "", b"");
        assert_eq!(
            archive.fault(),
            "its member 'x-tools/null' is neither file, link nor folder"
        );
    }
}

#[test]
fn long_names_lead_nowhere_else_either() {
    let long = |name: &[u8]| {
        Archive::new()
            .member(EntryType::GNULongName, "././@LongLink", "", name)
            .file("x", b"")
            .fault()
    };
    assert_eq!(
        long(b"/etc/x\0"),
        "its member '/etc/x' has an absolute path"
    );
    let too_long = "it has a member whose name is too long";
    assert_eq!(long(&[b'x'; 5000]), too_long);
    assert_eq!(long(&vec![b'x'; 1 << 20]), too_long);

    let record = |text: &str| {
        let length = text.len() + 3;
        Archive::new()
            .member(
                EntryType::XHeader,
                "pax",
                "",
                format!("{length} {text}").as_bytes(),
            )
            .file("x", b"")
            .fault()
    };
    assert_eq!(
        record("path=x/../../y\n"),
        "its member 'x/../../y' leads out of the archive"
    );
    assert_eq!(
        record("size=99999999\n"),
        "it has a member of more than 8 GiB"
    );
    assert_eq!(
        record("GNU.sparse.major=1\n"),
        "it has a member that is stored with holes"
    );
}

#[test]
fn bombs_end_at_a_limit() {
    let zeros = vec![0; 3 << 20];
    let bytes = Archive::new().file("x-tools/zeros", &zeros).bytes();
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&bytes).unwrap();
    let packed = packed.finish().unwrap();
    assert!(packed.len() < bytes.len() / 100);
    let small = Limits {
        unpacked_bytes: 2 << 20,
        ..LIMITS
    };
    assert_eq!(fault(&packed, &small), "it unpacks to more than 2 MiB");

    let program = Archive::new().file(&format!("{HOME}/bin/arm-linux-gcc"), &zeros);
    let small = Limits {
        kept_bytes: 1 << 20,
        ..LIMITS
    };
    assert_eq!(
        fault(&program.bytes(), &small),
        "its programs and libraries are larger than 1 MiB"
    );

    let many = Archive::new().file("a", b"").file("b", b"").file("c", b"");
    let small = Limits {
        members: 2,
        ..LIMITS
    };
    assert_eq!(fault(&many.bytes(), &small), "it has more than 2 members");
}

#[test]
fn what_is_no_archive_is_told_by_its_first_bytes() {
    let other = |start: &[u8]| {
        let mut bytes = vec![0; 1024];
        bytes[..start.len()].copy_from_slice(start);
        fault(&bytes, &LIMITS)
    };
    for (start, name) in [
        (&b"\x28\xb5\x2f\xfd"[..], "zstd"),
        (b"BZh9", "bzip2"),
        (b"PK\x03\x04", "zip"),
    ] {
        let expected = format!("it is compressed with {name}, which this program does not read");
        assert_eq!(other(start), expected);
    }
    assert_eq!(other(b"<html>"), "it is no tar archive");
    assert_eq!(fault(b"", &LIMITS), "it is no tar archive");
}

#[test]
fn a_wrong_folder_is_told_with_one_that_is_there() {
    let archive = Archive::new().file("x-tools8/aarch64-linux/bin/gcc", b"x");
    assert_eq!(
        archive.fault(),
        "it has nothing in 'x-tools/arm-linux', only in 'x-tools8/aarch64-linux/bin'"
    );
}

#[test]
fn scripts_are_no_drivers() {
    let archive = Archive::new().file(
        &format!("{HOME}/bin/arm-linux-gcc"),
        b"#!/bin/sh\nexec gcc\n",
    );
    let message = archive.fault();
    assert!(
        message.starts_with("/opt/x-tools/bin/arm-linux-gcc is no ELF program: "),
        "{message}"
    );
}

#[test]
fn descriptions_that_make_no_sense_are_refused() {
    let sum = "0".repeat(64);
    let new = |url: &str, sum: &str, directory: &str, installed: &str| {
        let source = ArchiveSource::new(url, sum, Path::new(directory), Path::new(installed));
        source.unwrap_err().to_string()
    };
    let good = "http://archive.example/x.tar.xz";
    assert_eq!(
        new("https://archive.example/x", &sum, "x", "/opt/x"),
        "the archive 'https://archive.example/x' is behind https, which this program does not speak"
    );
    assert_eq!(
        new("ftp://archive.example/x", &sum, "x", "/opt/x"),
        "the archive's address 'ftp://archive.example/x' is neither http: nor file: with an absolute path"
    );
    assert_eq!(
        new(good, "12", "x", "/opt/x"),
        "'12' is no SHA-256 digest of 64 hexadecimal digits"
    );
    assert_eq!(
        new(good, &sum, "../x", "/opt/x"),
        "'../x' is no folder inside an archive"
    );
    assert_eq!(
        new(good, &sum, "x", "opt/x"),
        "the archive's place in the image: path 'opt/x' is not absolute"
    );
}
