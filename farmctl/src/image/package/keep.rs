//! Which files of which packages an image keeps.
//!
//! Compiling preprocessed source takes the drivers, the compilers proper, the assembler and what these are linked
//! with. Preprocessor driver, linker, LTO back end, headers, static libraries and documentation stay out, but for the
//! headers where pump mode is to be served. Objects
//! for link-time optimisation come from the compilers proper too: the LTO programs only run when linking.

use super::{ImagePath, Node, Tree};

/// What a package contributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::image) enum Part {
    /// Programs of a GCC version.
    Compiler(u32),
    /// The assembler.
    Assembler,
    /// Perhaps shared libraries.
    Libraries,
    /// Headers of a library.
    Headers,
}

impl Part {
    /// Tells by the name: Debian's GCC packages are `cpp-14-arm-linux-gnueabi`, `gcc-14`, `g++-14` and so on.
    pub(in crate::image) fn of(package: &str) -> Self {
        if package.starts_with("binutils") {
            return Self::Assembler;
        }
        if package.split('-').any(|word| word == "dev") {
            return Self::Headers;
        }
        Stem::of(package).map_or(Self::Libraries, |(_stem, major)| Self::Compiler(major))
    }
}

/// The kind of a GCC package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stem {
    Cpp,
    Gcc,
    Gxx,
}

impl Stem {
    fn of(package: &str) -> Option<(Self, u32)> {
        let (stem, rest) = package.split_once('-')?;
        let stem = match stem {
            "cpp" => Self::Cpp,
            "gcc" => Self::Gcc,
            "g++" => Self::Gxx,
            _ => return None,
        };
        let (major, suffix) = rest.split_once('-').unwrap_or((rest, ""));
        // What all packages of a version share is documentation.
        (!suffix.ends_with("base")).then_some((stem, major.parse().ok()?))
    }
}

/// Which files to keep of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::image) enum Keep {
    /// Compilers.
    Compiler(CompilerFiles),
    /// The assembler and the libraries that come with it.
    Assembler,
    /// Shared libraries.
    Libraries,
    /// Headers.
    Headers,
}

/// What to look for in a package of a GCC version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::image) struct CompilerFiles {
    major: String,
    driver: Option<ImagePath>,
    compiler: Option<&'static str>,
}

impl CompilerFiles {
    /// For `package`, of which a toolchain wants the drivers `gcc` and `gxx`. `None` if it is no compiler package.
    pub(in crate::image) fn new(package: &str, gcc: &ImagePath, gxx: &ImagePath) -> Option<Self> {
        let (stem, major) = Stem::of(package)?;
        let (driver, compiler) = match stem {
            Stem::Cpp => (None, Some("cc1")),
            Stem::Gcc => (Some(gcc.clone()), None),
            Stem::Gxx => (Some(gxx.clone()), Some("cc1plus")),
        };
        Some(Self {
            major: major.to_string(),
            driver,
            compiler,
        })
    }

    /// The driver may be a link, so whatever could be its target is kept too.
    fn is_driver(&self, path: &ImagePath) -> bool {
        let Some(driver) = &self.driver else {
            return false;
        };
        let kind = if driver.name().contains("g++") {
            "g++"
        } else {
            "gcc"
        };
        let plain = format!("{kind}-{}", self.major);
        let in_bin = matches!(path.segments().as_slice(), ["usr", "bin", _]);
        path == driver
            || (in_bin && (path.name() == plain || path.name().ends_with(&format!("-{plain}"))))
    }

    /// `usr/libexec/gcc-cross/<triple>/<major>/cc1`; before GCC 13 below `usr/lib`, for native ones `gcc`.
    fn is_compiler(&self, path: &ImagePath) -> bool {
        match path.segments().as_slice() {
            [
                "usr",
                "lib" | "libexec",
                "gcc" | "gcc-cross",
                _triple,
                major,
                name,
            ] => *major == self.major && Some(*name) == self.compiler,
            _ => false,
        }
    }
}

impl Keep {
    pub(in crate::image) fn keeps(&self, path: &ImagePath) -> bool {
        match self {
            Self::Compiler(files) => files.is_driver(path) || files.is_compiler(path),
            Self::Assembler => is_assembler(path) || is_library(path),
            Self::Libraries => is_library(path),
            Self::Headers => is_header(path),
        }
    }

    /// Whether nothing more can come. Packages are compressed as one stream, and of one that is mostly LTO programs
    /// the driver comes first: knowing when to stop saves most of the work.
    pub(in crate::image) fn is_complete(&self, tree: &Tree) -> bool {
        let Self::Compiler(files) = self else {
            return false;
        };
        let driver = files
            .driver
            .as_ref()
            .is_none_or(|driver| matches!(tree.node(driver), Some(Node::File { .. })));
        let compiler =
            files.compiler.is_none() || tree.nodes().any(|(path, _node)| files.is_compiler(path));
        driver && compiler
    }
}

/// The program, and the names by which drivers find it: `usr/<triple>/bin/as` and, on PATH, `as`.
pub(in crate::image) fn is_assembler(path: &ImagePath) -> bool {
    match path.segments().as_slice() {
        ["usr", "bin", name] => *name == "as" || name.ends_with("-as"),
        ["usr", _triple, "bin", name] => *name == "as",
        _ => false,
    }
}

fn is_library(path: &ImagePath) -> bool {
    let name = path.name();
    let in_library_folder = matches!(path.segments().as_slice(), ["usr", "lib" | "lib64", .., _])
        && path.segments().len() <= 4;
    in_library_folder
        && name.contains(".so")
        && (name.starts_with("lib") || name.starts_with("ld-"))
}

/// In the directories where compilers look for headers: `usr/include`; for a cross compiler `usr/<triple>/include`; for
/// GCC's own `usr/lib/gcc/<triple>/<major>/include`; and where Debian keeps the kernel's for links from there.
fn is_header(path: &ImagePath) -> bool {
    matches!(
        path.segments().as_slice(),
        ["usr", "include", _, ..]
            | ["usr", _, "include", _, ..]
            | ["usr", "lib", "gcc" | "gcc-cross", _, _, "include", _, ..]
            | ["usr", "lib", "linux", "uapi", _, ..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ImagePath {
        ImagePath::from_absolute(text).unwrap()
    }

    #[test]
    fn tells_packages_by_name() {
        let cases = [
            ("gcc-14-arm-linux-gnueabihf", Part::Compiler(14)),
            ("g++-12", Part::Compiler(12)),
            ("cpp-16-x86-64-linux-gnu", Part::Compiler(16)),
            ("gcc-14-arm-linux-gnueabihf-base", Part::Libraries),
            ("gcc-14-base", Part::Libraries),
            ("binutils-aarch64-linux-gnu", Part::Assembler),
            ("libbinutils", Part::Libraries),
            ("zlib1g", Part::Libraries),
            ("libgcc-s1", Part::Libraries),
            ("libc6-dev", Part::Headers),
            ("libstdc++-14-dev-armhf-cross", Part::Headers),
            ("linux-libc-dev", Part::Headers),
        ];
        for (package, part) in cases {
            assert_eq!(Part::of(package), part, "{package}");
        }
    }

    #[test]
    fn keeps_what_compiling_needs_and_nothing_else() {
        let gcc = path("/usr/bin/arm-linux-gnueabi-gcc-14");
        let gxx = path("/usr/bin/arm-linux-gnueabi-g++-14");
        let compiler = |package| Keep::Compiler(CompilerFiles::new(package, &gcc, &gxx).unwrap());
        let (c, cxx, cpp) = (
            compiler("gcc-14-arm-linux-gnueabi"),
            compiler("g++-14-arm-linux-gnueabi"),
            compiler("cpp-14-arm-linux-gnueabi"),
        );
        let folder = "/usr/libexec/gcc-cross/arm-linux-gnueabi/14";
        let cases = [
            (&c, "/usr/bin/arm-linux-gnueabi-gcc-14".to_owned(), true),
            (&c, "/usr/bin/arm-linux-gnueabi-gcc-ar-14".to_owned(), false),
            (&c, "/usr/bin/arm-linux-gnueabi-gcov-14".to_owned(), false),
            (
                &c,
                "/usr/bin/arm-linux-gnueabi-lto-dump-14".to_owned(),
                false,
            ),
            (&c, format!("{folder}/lto1"), false),
            (&c, format!("{folder}/collect2"), false),
            (&cxx, "/usr/bin/arm-linux-gnueabi-g++-14".to_owned(), true),
            (&cxx, format!("{folder}/cc1plus"), true),
            (&cxx, format!("{folder}/g++-mapper-server"), false),
            (&cpp, format!("{folder}/cc1"), true),
            (
                &cpp,
                "/usr/lib/gcc/x86_64-linux-gnu/14/cc1".to_owned(),
                true,
            ),
            (
                &cpp,
                "/usr/lib/gcc/x86_64-linux-gnu/13/cc1".to_owned(),
                false,
            ),
            (&cpp, "/usr/bin/arm-linux-gnueabi-cpp-14".to_owned(), false),
            (
                &Keep::Assembler,
                "/usr/bin/arm-linux-gnueabi-as".to_owned(),
                true,
            ),
            (
                &Keep::Assembler,
                "/usr/arm-linux-gnueabi/bin/as".to_owned(),
                true,
            ),
            (
                &Keep::Assembler,
                "/usr/bin/arm-linux-gnueabi-ld".to_owned(),
                false,
            ),
            (
                &Keep::Assembler,
                "/usr/lib/x86_64-linux-gnu/libbfd-2.44-armel.so".to_owned(),
                true,
            ),
            (
                &Keep::Libraries,
                "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2".to_owned(),
                true,
            ),
            (
                &Keep::Libraries,
                "/usr/lib64/ld-linux-x86-64.so.2".to_owned(),
                true,
            ),
            (
                &Keep::Libraries,
                "/usr/lib/x86_64-linux-gnu/gconv/UTF-7.so".to_owned(),
                false,
            ),
            (
                &Keep::Libraries,
                "/usr/lib/x86_64-linux-gnu/libc.a".to_owned(),
                false,
            ),
            (
                &Keep::Libraries,
                "/usr/share/doc/libc6/libc.so".to_owned(),
                false,
            ),
        ];
        let headers = [
            ("/usr/include/stdio.h", true),
            ("/usr/include/x86_64-linux-gnu/bits/types.h", true),
            ("/usr/arm-linux-gnueabi/include/c++/14/vector", true),
            ("/usr/lib/gcc/x86_64-linux-gnu/14/include/stddef.h", true),
            (
                "/usr/lib/gcc-cross/arm-linux-gnueabi/14/include/arm_neon.h",
                true,
            ),
            ("/usr/lib/linux/uapi/arm/asm/errno.h", true),
            ("/usr/lib/gcc/x86_64-linux-gnu/14/libgcc.a", false),
            ("/usr/lib/x86_64-linux-gnu/libc.so", false),
            ("/usr/arm-linux-gnueabi/lib/crt1.o", false),
            ("/usr/share/doc/libc6-dev/include/x", false),
        ];
        let headers = headers.map(|(path, kept)| (&Keep::Headers, path.to_owned(), kept));
        for (keep, path_text, kept) in cases.into_iter().chain(headers) {
            assert_eq!(keep.keeps(&path(&path_text)), kept, "{path_text}");
        }
    }

    #[test]
    fn stops_reading_only_when_everything_was_found() {
        let (gcc, gxx) = (path("/usr/bin/gcc-12"), path("/usr/bin/g++-12"));
        let keep = Keep::Compiler(CompilerFiles::new("g++-12", &gcc, &gxx).unwrap());
        let file = || Node::File {
            content: bytes::Bytes::new(),
            executable: true,
        };
        let mut tree = Tree::default();
        assert!(!keep.is_complete(&tree));
        tree.insert(path("/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus"), file());
        assert!(!keep.is_complete(&tree));
        tree.insert(
            gxx.clone(),
            Node::Link {
                target: "x86_64-linux-gnu-g++-12".to_owned(),
            },
        );
        assert!(
            !keep.is_complete(&tree),
            "the link's target may be yet to come"
        );
        tree.insert(gxx, file());
        assert!(keep.is_complete(&tree));
    }
}
