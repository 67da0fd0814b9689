//! A tiny archive laid out like Debian's, with programs that are just ELF enough, signed by a key of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use farmctl::image::{Keyring, Sha256};
use lzma_rust2::{XzOptions, XzWriter};
use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, KeyType, SecretKeyParamsBuilder, SignedSecretKey,
};
use pgp::types::Password;
use rand::rngs::OsRng;
use tar::{EntryType, Header};

/// Where a suite's package index is.
pub(crate) fn index_path(suite: &str) -> String {
    format!("dists/{suite}/{}", listed("amd64"))
}

/// The name of the package index of one architecture in its suite.
fn listed(architecture: &str) -> String {
    format!("main/binary-{architecture}/Packages.xz")
}

/// Where a suite's signed description is.
pub(crate) fn release_path(suite: &str) -> String {
    format!("dists/{suite}/InRelease")
}

/// A key to sign with.
pub(crate) struct Signer(SignedSecretKey);

impl Signer {
    pub(crate) fn new() -> Self {
        let mut parameters = SecretKeyParamsBuilder::default();
        parameters
            .key_type(KeyType::Ed25519Legacy)
            .can_sign(true)
            .can_certify(true)
            .primary_user_id("Archive <archive@example.org>".to_owned());
        Self(parameters.build().unwrap().generate(OsRng).unwrap())
    }

    /// The keyring that trusts this key alone, by way of a file in `folder`.
    pub(crate) fn keyring(&self, folder: &Path) -> Keyring {
        let path = folder.join("keyring.asc");
        let armoured = self
            .0
            .to_public_key()
            .to_armored_bytes(ArmorOptions::default())
            .unwrap();
        std::fs::write(&path, armoured).unwrap();
        Keyring::read(&path).unwrap()
    }

    pub(crate) fn sign(&self, text: &str) -> Vec<u8> {
        let message =
            CleartextSignedMessage::sign(OsRng, text, &self.0.primary_key, &Password::empty());
        message
            .unwrap()
            .to_armored_bytes(ArmorOptions::default())
            .unwrap()
    }
}

/// A package to be.
#[derive(Debug, Clone)]
pub(crate) struct Deb {
    name: String,
    version: String,
    architecture: &'static str,
    depends: String,
    members: Vec<(Header, Vec<u8>)>,
}

impl Deb {
    pub(crate) fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            architecture: "amd64",
            depends: String::new(),
            members: vec![],
        }
    }

    pub(crate) fn depends(mut self, dependencies: &str) -> Self {
        dependencies.clone_into(&mut self.depends);
        self
    }

    pub(crate) fn file(self, path: &str, content: Vec<u8>) -> Self {
        self.member(EntryType::Regular, path, "", content)
    }

    pub(crate) fn link(self, path: &str, target: &str) -> Self {
        self.member(EntryType::Symlink, path, target, vec![])
    }

    /// Anything, `path` as it stands.
    pub(crate) fn member(
        mut self,
        kind: EntryType,
        path: &str,
        target: &str,
        content: Vec<u8>,
    ) -> Self {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        // Past the checks of `set_path`: some of these paths are meant to be wrong.
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_link_name_literal(target).unwrap();
        header.set_mode(0o755);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.members.push((header, content));
        self
    }

    /// The same package, built for another architecture.
    pub(crate) fn built_for(mut self, architecture: &'static str) -> Self {
        self.architecture = architecture;
        self.file("./usr/share/doc/buildinfo", architecture.into())
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// The next version, unless `part` is in the name.
    pub(crate) fn newer_unless(mut self, part: &str) -> Self {
        if !self.name.contains(part) {
            self.version.push_str(".1");
            return self.file("./usr/share/doc/news", b"news".to_vec());
        }
        self
    }

    pub(crate) fn pool_path(&self) -> String {
        let path = pool_path(&self.name, &self.version);
        path.replace("_amd64.deb", &format!("_{}.deb", self.architecture))
    }

    fn bytes(&self) -> Vec<u8> {
        let mut data = tar::Builder::new(Vec::new());
        for (header, content) in &self.members {
            data.append(header, content.as_slice()).unwrap();
        }
        let data = xz(&data.into_inner().unwrap());
        let mut deb = ar::Builder::new(Vec::new());
        for (name, content) in [
            ("debian-binary", &b"2.0\n"[..]),
            ("control.tar.xz", b""),
            ("data.tar.xz", &data),
        ] {
            deb.append(&ar::Header::new(name.into(), content.len() as u64), content)
                .unwrap();
        }
        deb.into_inner().unwrap()
    }

    fn stanza(&self, bytes: &[u8]) -> String {
        format!(
            "Package: {}\nVersion: {}\nArchitecture: {}\nDepends: {}\nFilename: {}\nSize: {}\nSHA256: {}\n\
             Description: for tests\n with a second line\n\n",
            self.name,
            self.version,
            self.architecture,
            self.depends,
            self.pool_path(),
            bytes.len(),
            Sha256::of(bytes)
        )
    }
}

pub(crate) fn pool_path(name: &str, version: &str) -> String {
    format!("pool/main/{name}_{version}_amd64.deb")
}

/// A suite to be.
pub(crate) struct Suite<'a> {
    pub(crate) name: &'a str,
    pub(crate) valid_until: Option<SystemTime>,
    pub(crate) packages: &'a [Deb],
}

impl Suite<'_> {
    /// The files of an archive with this suite alone.
    pub(crate) fn publish(&self, signer: &Signer) -> BTreeMap<String, Vec<u8>> {
        let mut files: BTreeMap<_, _> = self
            .packages
            .iter()
            .map(|package| (package.pool_path(), package.bytes()))
            .collect();
        let mut stanzas = BTreeMap::from([("amd64", String::new())]);
        for package in self.packages {
            let stanza = package.stanza(&files[&package.pool_path()]);
            *stanzas.entry(package.architecture).or_default() += &stanza;
        }
        let indexes = stanzas
            .into_iter()
            .map(|(architecture, stanzas)| (listed(architecture), xz(stanzas.as_bytes())))
            .collect();
        let release = signer.sign(&self.release(&indexes));
        files.insert(release_path(self.name), release);
        for (path, index) in indexes {
            files.insert(format!("dists/{}/{path}", self.name), index);
        }
        files
    }

    fn release(&self, indexes: &BTreeMap<String, Vec<u8>>) -> String {
        let date = |time| httpdate::fmt_http_date(time).replace("GMT", "UTC");
        let mut text = format!(
            "Origin: Tests\nSuite: {}\nCodename: tests\nDate: {}\n",
            self.name,
            date(SystemTime::now())
        );
        if let Some(until) = self.valid_until {
            writeln!(text, "Valid-Until: {}", date(until)).unwrap();
        }
        text.push_str("SHA256:\n");
        for (path, index) in indexes {
            writeln!(text, " {} {} {path}", Sha256::of(index), index.len()).unwrap();
        }
        text
    }
}

pub(crate) fn yesterday() -> SystemTime {
    SystemTime::now() - Duration::from_hours(24)
}

/// A GCC for `arm-linux-gnueabihf` and what it needs, and a few things it does not.
pub(crate) fn gcc(major: u32, version: &str) -> Vec<Deb> {
    let triple = "arm-linux-gnueabihf";
    let mut packages = gcc_for(triple, major, version);
    packages.extend(libraries());
    packages
}

/// The packages of a GCC for `triple` alone.
pub(crate) fn gcc_for(triple: &str, major: u32, version: &str) -> Vec<Deb> {
    let folder = format!("./usr/libexec/gcc-cross/{triple}/{major}");
    let libraries = "./usr/lib/x86_64-linux-gnu";
    let needs = ["libgmp.so.10", "libc.so.6"];
    let bfd = format!("libbfd-{triple}.so");
    vec![
        Deb::new(&format!("g++-{major}-{triple}"), version)
            .depends(&format!(
                "gcc-{major}-{triple} (= {version}), libstdc++-{major}-dev, libc6 (>= 2)"
            ))
            .file(
                &format!("./usr/bin/{triple}-g++-{major}"),
                program("g++", &["libc.so.6"]),
            )
            .file(&format!("{folder}/cc1plus"), program("cc1plus", &needs)),
        Deb::new(&format!("gcc-{major}-{triple}"), version)
            .depends(&format!(
                "cpp-{major}-{triple} (= {version}), binutils-{triple}, libc6 (>= 2)"
            ))
            .file(
                &format!("./usr/bin/{triple}-gcc-{major}"),
                program("gcc", &["libc.so.6"]),
            )
            .file(
                &format!("{folder}/lto1"),
                program("lto1", &["libnowhere.so"]),
            ),
        Deb::new(&format!("cpp-{major}-{triple}"), version)
            .depends("libc6 (>= 2), libgmp10 (>= 2:6)")
            .file(&format!("{folder}/cc1"), program("cc1", &needs)),
        Deb::new(&format!("binutils-{triple}"), "2.44")
            .depends("libc6 (>= 2), libsframe1")
            .file(
                &format!("./usr/bin/{triple}-as"),
                program("as", &[&bfd, "libc.so.6"]),
            )
            .file(
                &format!("./usr/bin/{triple}-ld"),
                program("ld", &["libc.so.6"]),
            )
            .link(
                &format!("./usr/{triple}/bin/as"),
                &format!("../../bin/{triple}-as"),
            )
            .file(
                &format!("{libraries}/{bfd}"),
                library(&["libsframe.so.1", "libc.so.6"]),
            ),
    ]
}

/// The libraries that every GCC needs.
pub(crate) fn libraries() -> Vec<Deb> {
    let libraries = "./usr/lib/x86_64-linux-gnu";
    vec![
        Deb::new("libsframe1", "2.44").depends("libc6").file(
            &format!("{libraries}/libsframe.so.1"),
            library(&["libc.so.6"]),
        ),
        Deb::new("libgmp10", "2:6.3")
            .depends("libc6")
            .file(
                &format!("{libraries}/libgmp.so.10.5.0"),
                library(&["libc.so.6"]),
            )
            .link(&format!("{libraries}/libgmp.so.10"), "libgmp.so.10.5.0"),
        Deb::new("libc6", "2.41")
            .file(
                "./lib/x86_64-linux-gnu/libc.so.6",
                library(&["ld-linux-x86-64.so.2"]),
            )
            .file("./lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", library(&[]))
            .file(
                "./lib/x86_64-linux-gnu/libresolv.so.2",
                library(&["libc.so.6"]),
            )
            .file("./usr/share/doc/libc6/copyright", b"text".to_vec())
            .link(
                "./lib64/ld-linux-x86-64.so.2",
                "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
            ),
    ]
}

pub(crate) fn library(needed: &[&str]) -> Vec<u8> {
    elf(None, needed, None, &[])
}

/// A program, padded so that a download can be cut in the middle of it.
pub(crate) fn program(name: &str, needed: &[&str]) -> Vec<u8> {
    program_searching(name, needed, None)
}

/// A program that looks for libraries in `search` first.
pub(crate) fn program_searching(name: &str, needed: &[&str], search: Option<&str>) -> Vec<u8> {
    let padding: Vec<u8> = (0..200_u32)
        .flat_map(|n| {
            Sha256::of(format!("{name}{n}").as_bytes())
                .to_string()
                .into_bytes()
        })
        .collect();
    elf(
        Some("/lib64/ld-linux-x86-64.so.2"),
        needed,
        search,
        &padding,
    )
}

/// The smallest file that has an interpreter and needs libraries (System V ABI, chapters 4 and 5).
fn elf(
    interpreter: Option<&str>,
    needed: &[&str],
    search: Option<&str>,
    padding: &[u8],
) -> Vec<u8> {
    const HEADER: u64 = 64;
    const SEGMENT: u64 = 56;
    let mut strings = vec![0];
    let mut dynamic: Vec<[u64; 2]> = Vec::new();
    let tagged = needed.iter().map(|name| (1, *name));
    for (tag, name) in tagged.chain(search.map(|path| (29, path))) {
        dynamic.push([tag, strings.len() as u64]);
        strings.extend_from_slice(name.as_bytes());
        strings.push(0);
    }
    dynamic.push([0, 0]);
    let interpreter = interpreter.map_or(vec![], |path| format!("{path}\0").into_bytes());
    strings.resize(strings.len().next_multiple_of(8), 0);

    let interpreter_at = HEADER + SEGMENT;
    let strings_at = (interpreter_at + interpreter.len() as u64).next_multiple_of(8);
    let dynamic_at = strings_at + strings.len() as u64;
    let sections_at = dynamic_at + 16 * dynamic.len() as u64;

    let mut out = Vec::new();
    out.extend_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    let segments = u16::from(!interpreter.is_empty());
    for half in [3_u16, 62] {
        out.write_all(&half.to_le_bytes()).unwrap();
    }
    out.extend_from_slice(&1_u32.to_le_bytes());
    for word in [0, HEADER, sections_at] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(&0_u32.to_le_bytes());
    for half in [64, 56, segments, 64, 3, 1] {
        out.extend_from_slice(&half.to_le_bytes());
    }
    out.extend_from_slice(&3_u32.to_le_bytes());
    out.extend_from_slice(&4_u32.to_le_bytes());
    let length = interpreter.len() as u64;
    for word in [
        interpreter_at,
        interpreter_at,
        interpreter_at,
        length,
        length,
        1,
    ] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(&interpreter);
    out.resize(usize::try_from(strings_at).unwrap(), 0);
    out.extend_from_slice(&strings);
    for word in dynamic.iter().flatten() {
        out.extend_from_slice(&word.to_le_bytes());
    }
    section(&mut out, 0, [0, 0], 0, 0);
    section(&mut out, 3, [strings_at, strings.len() as u64], 0, 0);
    section(&mut out, 6, [dynamic_at, 16 * dynamic.len() as u64], 1, 16);
    out.extend_from_slice(padding);
    out
}

fn section(out: &mut Vec<u8>, kind: u32, [offset, size]: [u64; 2], link: u32, entry: u64) {
    out.extend_from_slice(&0_u32.to_le_bytes());
    out.extend_from_slice(&kind.to_le_bytes());
    for word in [0, 0, offset, size] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(&link.to_le_bytes());
    out.extend_from_slice(&0_u32.to_le_bytes());
    for word in [8, entry] {
        out.extend_from_slice(&word.to_le_bytes());
    }
}

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = XzWriter::new(Vec::new(), XzOptions::with_preset(1)).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}
