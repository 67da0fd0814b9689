//! Options for the assembler (`-Wa,…` and `-Xassembler …`): only those known to be harmless pass.
//!
//! GNU `as` takes file names as plain words, writes listings and dependency files, and includes files; hence a list
//! of what passes instead of one of what does not.

use super::rules::matches;
use super::{Refusal, Shown};

/// Options of GNU `as` that neither name a file nor make one; `*` stands for any ending.
const HARMLESS: &[&str] = &[
    "-m*",
    "-march*",
    "-O*",
    "-W",
    "-g",
    "-k",
    "-L",
    "-n",
    "-R",
    "-EL",
    "-EB",
    "--32",
    "--64",
    "--x32",
    "--warn",
    "--no-warn",
    "--fatal-warnings",
    "--gen-debug",
    "--gdwarf*",
    "-gdwarf*",
    "--execstack",
    "--noexecstack",
    "--compress-debug-sections*",
    "--nocompress-debug-sections",
    "--keep-locals",
    "--strip-local-absolute",
    "--generate-missing-build-notes=*",
    "--elf-stt-common=*",
    "--size-check=*",
    "--divide",
    "--traditional-format",
    "--reduce-memory-overheads",
    "--hash-size=*",
];

/// Options whose value is the next word, a symbol definition.
const WITH_SYMBOL: &[&str] = &["--defsym"];

/// Checks the comma-separated options behind `-Wa,`.
pub(super) fn check_list(list: &[u8]) -> Result<(), Refusal> {
    let mut words = list.split(|byte| *byte == b',');
    while let Some(word) = words.next() {
        if WITH_SYMBOL.iter().any(|option| option.as_bytes() == word) {
            let definition = words.next().unwrap_or_default();
            if !definition.contains(&b'=') || definition.contains(&b'/') {
                return Err(Refusal::Assembler(Shown::new(word)));
            }
        } else {
            check(word)?;
        }
    }
    Ok(())
}

/// Checks one option.
pub(super) fn check(word: &[u8]) -> Result<(), Refusal> {
    let known = HARMLESS.iter().any(|pattern| matches(pattern, word));
    // The CPU of this machine is not the board's.
    let native = word.windows(7).any(|part| part == b"=native");
    // Not the assembler's: the next word would be LLVM's.
    let llvm = word.starts_with(b"-mllvm");
    if known && !native && !llvm && !word.contains(&b'/') {
        Ok(())
    } else {
        Err(Refusal::Assembler(Shown::new(word)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_harmless_options_only() {
        let passed = [
            "--noexecstack",
            "-mimplicit-it=always",
            "-mfpu=neon,--noexecstack",
            "--defsym,WORD=4,-W",
        ];
        for list in passed {
            assert_eq!(check_list(list.as_bytes()), Ok(()), "{list}");
        }
        let refused = [
            "",
            "-a=listing",
            "-ahls",
            "--MD,deps",
            "-o,elsewhere",
            "-I/usr/include",
            "-Iinclude",
            "@options",
            "/etc/passwd",
            "passwd",
            "-",
            "--",
            "-m/x",
            "-mllvm",
            "-march=native",
            "-march=native+simd",
            "--noexecstack,",
            "--defsym",
            "--defsym,/etc/passwd",
            "--defsym,A=/etc",
            "--noexecstack,-o,x",
        ];
        for list in refused {
            assert!(check_list(list.as_bytes()).is_err(), "{list}");
        }
    }
}
