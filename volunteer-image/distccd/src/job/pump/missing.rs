//! Tells compiles that fail because a file is not here.

use memchr::memmem;

/// How compilers and assemblers begin to say so ...
const BEGINNINGS: &[&str] = &["fatal error", "Error: "];

/// ... and how they go on. The daemon sets the language.
const REASONS: &[&str] = &[
    ": No such file or directory",
    ": Permission denied",
    ": File name too long",
    "Error: file not found: ",
];

/// Whether a failed compile's messages name a file that is not here: a header of the client's system, or what an
/// assembler directive (`.incbin`) includes, which clients never send.
pub(crate) fn lacks_a_file(messages: &[u8]) -> bool {
    let holds = |line: &[u8], texts: &[&str]| {
        let mut texts = texts.iter();
        texts.any(|text| memmem::find(line, text.as_bytes()).is_some())
    };
    messages
        .split(|byte| *byte == b'\n')
        .any(|line| holds(line, BEGINNINGS) && holds(line, REASONS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_files_are_told_from_mistakes() {
        let cases = [
            (
                "a.c:1:10: fatal error: x.h: No such file or directory\n",
                true,
            ),
            (
                "In file included from b.h:1,\na.c:1:10: fatal error: /etc/shadow: Permission denied\n",
                true,
            ),
            (
                "a.c:1:10: \x1b[01;31m\x1b[Kfatal error: \x1b[m\x1b[Kx.h: No such file or directory",
                true,
            ),
            ("cc1: fatal error: a.c: No such file or directory\n", true),
            (
                "/tmp/x.s: Assembler messages:\n/tmp/x.s:4: Error: file not found: x.bin\n",
                true,
            ),
            (
                "/tmp/x.s:4: Error: can't open x.s for reading: No such file or directory\n",
                true,
            ),
            ("a.c:1:1: error: unknown type name 'x'\n", false),
            (
                "a.c:1:1: error: expected ';'\n    1 | puts(\"x: No such file or directory\")\n",
                false,
            ),
            ("a.c:2:2: fatal error: too many errors\n", false),
            ("", false),
        ];
        for (messages, expected) in cases {
            assert_eq!(lacks_a_file(messages.as_bytes()), expected, "{messages}");
        }
    }
}
