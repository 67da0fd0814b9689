//! Names of this volunteer become the client's again: in messages, in assembler text and in the dependency file.

use memchr::{memchr_iter, memmem};

use super::{Layout, TreePath};
use crate::job::BadArtifact;
use crate::job::argv::Product;

/// What the client calls things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Translation {
    layout: Layout,
    /// The result.
    output: Vec<u8>,
    /// The directories that the client's compiler searches by itself.
    system: Vec<TreePath>,
}

/// Where the client's own compiler would put its temporary files.
const TEMPORARY: &[u8] = b"/tmp";

/// How many columns a line of a dependency file has at most, as GCC writes it.
const COLUMNS: usize = 72;

impl Translation {
    pub(crate) fn new(layout: Layout, output: Vec<u8>, system: Vec<TreePath>) -> Self {
        Self {
            layout,
            output,
            system,
        }
    }

    /// Text for people, or for an assembler.
    pub(crate) fn text(&self, text: &[u8]) -> Vec<u8> {
        let root = self.layout.root();
        let text = replace(text, &[root, b"/"].concat(), b"/");
        let text = replace(&text, root, b"/");
        let text = replace(&text, self.layout.output().as_encoded_bytes(), &self.output);
        replace(&text, self.layout.workspace(), TEMPORARY)
    }

    /// What the compiler made. Names in an object cannot be changed any more; the compiler was told not to write them.
    pub(crate) fn artifact(
        &self,
        product: Product,
        bytes: Vec<u8>,
    ) -> Result<Vec<u8>, BadArtifact> {
        match product {
            Product::Assembly => Ok(self.text(&bytes)),
            Product::Object if memmem::find(&bytes, self.layout.workspace()).is_some() => {
                Err(BadArtifact::ShowsThrough)
            }
            Product::Object => Ok(bytes),
        }
    }

    /// A dependency file.
    ///
    /// Dependencies on system headers in directories that the client did not name are left out: a cross compiler has
    /// them where the client has nothing, and `make` would miss them there.
    pub(crate) fn dependencies(&self, text: &[u8]) -> Vec<u8> {
        let text = replace(text, b"\\\n", b" ");
        let mut rules = text.split(|byte| *byte == b'\n').map(words);
        let mut translated = Vec::new();
        if let Some(rule) = rules.next() {
            let end = rule.iter().position(|word| is_last_target(word));
            let (targets, files) = rule.split_at(end.map_or(0, |end| end + 1));
            let targets = targets.iter().map(|target| target.to_vec());
            let files = files.iter().filter_map(|file| self.dependency(file));
            write_rule(targets.chain(files), &mut translated);
        }
        // What -MP adds: a rule for each file, which says nothing but that it may be missing.
        let files = rules
            .flatten()
            .filter_map(|word| self.dependency(word.strip_suffix(b":")?));
        for file in files {
            translated.extend(file);
            translated.extend(b":\n");
        }
        translated
    }

    /// A file as the client calls it; `None` if the client does not have it.
    fn dependency(&self, file: &[u8]) -> Option<Vec<u8>> {
        match file.strip_prefix(quoted(self.layout.root()).as_slice()) {
            Some(path) if path.starts_with(b"/") => Some(path.to_vec()),
            _ if !file.starts_with(b"/") => Some(file.to_vec()),
            _ => {
                let path = TreePath::default().resolve(file);
                let known = self.system.iter().any(|system| path.is_within(system));
                known.then(|| file.to_vec())
            }
        }
    }
}

/// A path as it is written in a dependency file.
fn quoted(path: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(path.len());
    for byte in path {
        match byte {
            b'$' => quoted.push(b'$'),
            b' ' | b'#' => quoted.push(b'\\'),
            _ => {}
        }
        quoted.push(*byte);
    }
    quoted
}

/// The words of a rule: blanks with a backslash in front of them are part of a name.
fn words(rule: &[u8]) -> Vec<&[u8]> {
    let mut words = Vec::new();
    let mut start = 0;
    for position in memchr_iter(b' ', rule) {
        let before = &rule[start..position];
        let behind = before.iter().rev();
        let backslashes = behind.take_while(|byte| **byte == b'\\').count();
        if backslashes % 2 == 0 {
            words.push(before);
            start = position + 1;
        }
    }
    words.push(&rule[start..]);
    words.retain(|word| !word.is_empty());
    words
}

fn is_last_target(word: &[u8]) -> bool {
    word.ends_with(b":") && !word.ends_with(b"\\:")
}

fn write_rule(words: impl Iterator<Item = Vec<u8>>, rule: &mut Vec<u8>) {
    let mut column = 0;
    for word in words {
        if column > 0 {
            if column + word.len() > COLUMNS {
                rule.extend(b" \\\n");
                column = 0;
            }
            rule.push(b' ');
            column += 1;
        }
        column += word.len();
        rule.extend(word);
    }
    rule.push(b'\n');
}

fn replace(text: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = 0;
    for position in memmem::find_iter(text, old) {
        replaced.extend_from_slice(&text[rest..position]);
        replaced.extend_from_slice(new);
        rest = position + old.len();
    }
    replaced.extend_from_slice(&text[rest..]);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translation() -> Translation {
        let system = TreePath::parse(b"/usr/include").unwrap();
        Translation::new(Layout::sample("/w/p"), b"a.o".to_vec(), vec![system])
    }

    #[test]
    fn messages_name_what_the_client_has() {
        let cases = [
            ("/tmp/job/tree/w/p/a.c:1: error: x", "/w/p/a.c:1: error: x"),
            (
                "from /tmp/job/tree/w/b.h,\n  /tmp/job/tree/c.h",
                "from /w/b.h,\n  /c.h",
            ),
            ("in '/tmp/job/tree'", "in '/'"),
            (
                "Fatal error: can't create /tmp/job/object.o",
                "Fatal error: can't create a.o",
            ),
            (
                "/tmp/job/ccx.s: Assembler messages:",
                "/tmp/ccx.s: Assembler messages:",
            ),
            (
                "/usr/include/stdio.h:2: note",
                "/usr/include/stdio.h:2: note",
            ),
        ];
        for (text, expected) in cases {
            let told = translation().text(text.as_bytes());
            assert_eq!(String::from_utf8(told).unwrap(), expected);
        }
    }

    #[test]
    fn dependencies_name_what_the_client_has() {
        let cases = [
            ("a.o: src/a.c incl/foo.h\n", "a.o: src/a.c incl/foo.h\n"),
            ("a.o: /tmp/job/tree/w/p/a.c\n", "a.o: /w/p/a.c\n"),
            ("/w/p/a.o b.o: a.c\n", "/w/p/a.o b.o: a.c\n"),
            ("a\\:b.o: a.c\n", "a\\:b.o: a.c\n"),
            (
                "a.o: a.c /usr/arm-linux-gnueabihf/include/stdio.h \\\n /usr/include/x.h\n",
                "a.o: a.c /usr/include/x.h\n",
            ),
            (
                "a.o: a.c /usr/lib/gcc/x/12/../../../../include/x.h /usr/include/../lib/y.h\n",
                "a.o: a.c /usr/lib/gcc/x/12/../../../../include/x.h\n",
            ),
            (
                "a.o: a.c b.h /opt/y.h\nb.h:\n/opt/y.h:\n/tmp/job/tree/c.h:\n",
                "a.o: a.c b.h\nb.h:\n/c.h:\n",
            ),
            (
                "a.o: with\\ blank.h /opt/with\\ blank.h\n",
                "a.o: with\\ blank.h\n",
            ),
        ];
        for (text, expected) in cases {
            let told = translation().dependencies(text.as_bytes());
            assert_eq!(String::from_utf8(told).unwrap(), expected);
        }
    }

    #[test]
    fn long_rules_are_written_over_several_lines() {
        let names = ["include/some/header.h"; 5].join(" ");
        let told = translation().dependencies(format!("a.o: {names}\n").as_bytes());
        let line = "include/some/header.h include/some/header.h include/some/header.h";
        let expected = format!("a.o: {line} \\\n include/some/header.h include/some/header.h\n");
        assert_eq!(String::from_utf8(told).unwrap(), expected);
    }

    #[test]
    fn a_root_with_odd_characters_is_found_as_it_is_written() {
        assert_eq!(quoted(b"/tmp/a b/$x#"), b"/tmp/a\\ b/$$x\\#");
    }

    #[test]
    fn no_result_holds_a_name_of_the_volunteer() {
        let shown = b"\t.file 1 \"/tmp/job/tree/w/a.c\"".to_vec();
        let translated = |product| translation().artifact(product, shown.clone());
        let assembly = translated(Product::Assembly).unwrap();
        assert_eq!(assembly, b"\t.file 1 \"/w/a.c\"");
        assert!(matches!(
            translated(Product::Object),
            Err(BadArtifact::ShowsThrough)
        ));
        assert!(translation().artifact(Product::Object, assembly).is_ok());
    }
}
