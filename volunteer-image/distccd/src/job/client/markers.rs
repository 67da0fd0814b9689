//! Looks through a preprocessed source, piece by piece, for a line marker that names the client's compiler.
//!
//! Line markers are described in "The C Preprocessor", "Preprocessor Output": `# LINE "FILE" FLAGS`. Only the beginning
//! of each line is looked at and only until a marker tells; the search between them is `memchr`'s. Compilers' own headers
//! come in with a source's first ones, so a large source is not looked through to its end.

use memchr::{memchr, memmem, memrchr};

use super::ClientCompiler;

/// Looks for the client's compiler in a source that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Markers {
    /// The line that the last piece ended in, as far as it is looked at.
    line: Vec<u8>,
    found: Option<ClientCompiler>,
    seen_bytes: usize,
}

/// What line markers begin with, and the end of the line before.
const MARKER: &[u8] = b"\n# ";

/// How much of a line is looked at.
const LINE_BYTES: usize = 1024;

/// How much of a source is looked at, up to the end of a piece.
const SOURCE_BYTES: usize = 256 << 10;

impl Markers {
    /// Looks through the next piece.
    pub(crate) fn push(&mut self, piece: &[u8]) {
        if self.found.is_some() || self.seen_bytes >= SOURCE_BYTES {
            return;
        }
        self.seen_bytes += piece.len();
        let Some(end) = memchr(b'\n', piece) else {
            self.keep(piece);
            return;
        };
        self.keep(&piece[..end]);
        // From here on every line begins behind a line end that is in sight.
        let rest = &piece[end..];
        self.found = marker(&self.line).or_else(|| search(rest));
        self.line.clear();
        let last = memrchr(b'\n', rest).unwrap_or_default();
        self.keep(&rest[last + 1..]);
    }

    /// The source has ended: what it told.
    pub(crate) fn finish(self) -> Option<ClientCompiler> {
        self.found.or_else(|| marker(&self.line))
    }

    fn keep(&mut self, part: &[u8]) {
        let room = LINE_BYTES.saturating_sub(self.line.len());
        self.line.extend_from_slice(&part[..part.len().min(room)]);
    }
}

/// Looks at every line that begins and ends within `text`, the ends of both included.
fn search(text: &[u8]) -> Option<ClientCompiler> {
    memmem::find_iter(text, MARKER).find_map(|position| {
        let line = &text[position + 1..];
        let end = memchr(b'\n', line)?;
        marker(&line[..end.min(LINE_BYTES)])
    })
}

fn marker(line: &[u8]) -> Option<ClientCompiler> {
    let rest = line.strip_prefix(b"# ")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let path = rest[digits..].strip_prefix(b" \"")?;
    let end = memchr(b'"', path)?;
    ClientCompiler::from_header(&path[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STDDEF: &str = "# 1 \"/usr/lib/gcc/x86_64-linux-gnu/12/include/stddef.h\" 1 3 4\n";

    fn told(source: &[u8]) -> Option<u32> {
        let mut markers = Markers::default();
        markers.push(source);
        markers.finish().and_then(|compiler| compiler.gcc_major())
    }

    #[test]
    fn finds_the_first_marker_wherever_it_stands() {
        let later = STDDEF.replace("12", "13");
        let unended = STDDEF.trim_end();
        let long = format!("{}\n{STDDEF}", "x".repeat(3 * LINE_BYTES));
        let cases = [
            (STDDEF.to_owned(), Some(12)),
            (format!("int a;\n\n{STDDEF}int b;\n{later}"), Some(12)),
            (format!("int a;\n{unended}"), Some(12)),
            (unended.to_owned(), Some(12)),
            (long, Some(12)),
            (format!("char a[] = \"{STDDEF}"), None),
            (format!(" {STDDEF}"), None),
            (STDDEF.replace("# 1", "#pragma"), None),
            (format!("# 1 \"{}{STDDEF}", "x".repeat(LINE_BYTES)), None),
            (String::new(), None),
        ];
        for (source, expected) in cases {
            assert_eq!(told(source.as_bytes()), expected, "{source}");
        }
    }

    #[test]
    fn a_large_source_is_not_looked_through_to_its_end() {
        let told_behind = |pieces: usize| {
            let mut markers = Markers::default();
            for _ in 0..pieces {
                markers.push(&[b'\n'; 1 << 10]);
            }
            markers.push(STDDEF.as_bytes());
            markers.finish().is_some()
        };
        let all = SOURCE_BYTES >> 10;
        assert!(told_behind(all - 1));
        assert!(!told_behind(all));
    }

    fn line() -> impl Strategy<Value = String> {
        prop_oneof![
            Just(STDDEF.to_owned()),
            Just(STDDEF.replace("12", "16.2.1")),
            Just("# 3 \"/usr/lib/clang/18/include/stddef.h\" 2\n".to_owned()),
            Just("# 1 \"a.c\"\n".to_owned()),
            (LINE_BYTES - 80..LINE_BYTES + 80)
                .prop_map(|length| format!("# 1 \"{}{STDDEF}", "/".repeat(length))),
            "[#\" \n1a]{0,6}",
        ]
    }

    proptest! {
        #[test]
        fn the_same_is_found_wherever_the_source_is_cut(
            lines in prop::collection::vec(line(), 0..6),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let source = lines.concat().into_bytes();
            let mut whole = Markers::default();
            whole.push(&source);
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(source.len() + 1)).collect();
            cuts.sort_unstable();
            let mut pieces = Markers::default();
            let mut start = 0;
            for cut in cuts.into_iter().chain([source.len()]) {
                pieces.push(&source[start..cut]);
                start = cut;
            }
            prop_assert_eq!(pieces.finish(), whole.finish());
        }

        #[test]
        fn the_first_line_that_tells_is_the_one_that_counts(lines in prop::collection::vec(line(), 0..6)) {
            let source = lines.concat();
            let first = source.split('\n').find_map(|line| {
                marker(&line.as_bytes()[..line.len().min(LINE_BYTES)])
            });
            let mut markers = Markers::default();
            markers.push(source.as_bytes());
            prop_assert_eq!(markers.finish(), first);
        }
    }
}
