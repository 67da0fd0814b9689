//! What clients send.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use distcc_wire::{Payload, Request, Version};

/// A preprocessed source and how it is compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Preprocessed.
    pub text: Vec<u8>,
    driver: &'static str,
    name: &'static str,
    options: &'static [&'static str],
}

/// What a preprocessor makes of `int main(void){return 42;}`.
const SMALL: &str = concat!(
    "# 0 \"small.c\"\n# 0 \"<built-in>\"\n# 0 \"<command-line>\"\n",
    "# 1 \"/usr/include/stdc-predef.h\" 1 3 4\n# 0 \"<command-line>\" 2\n# 1 \"small.c\"\n",
    "int main(void){return 42;}\n"
);

/// Headers that come to 1.7 MB with GCC 12.
const HEADERS: &[&str] = &["iostream", "map", "regex"];

/// Uses some of them, so that a real compiler has something to do.
const USE: &str = "
int main(int count, char **words) {
    std::map<std::string, int> seen;
    for (int word = 0; word < count; word++)
        if (std::regex_match(words[word], std::regex(\"[a-z]+\")))
            seen[words[word]]++;
    for (const auto &[word, times] : seen)
        std::cout << word << ' ' << times << '\\n';
}
";

impl Source {
    /// A C source of one line.
    pub fn small() -> Self {
        Self {
            text: SMALL.as_bytes().to_vec(),
            driver: "gcc",
            name: "small.c",
            options: &["-O2"],
        }
    }

    /// A C++ source of 1.7 MB, by the machine's own preprocessor.
    ///
    /// # Errors
    /// There is no `g++`, or it has no C++ library.
    pub fn large() -> Result<Self> {
        let includes = HEADERS.iter().map(|name| format!("#include <{name}>\n"));
        let source = includes.collect::<String>() + USE;
        let mut preprocessor = Command::new("g++")
            .args(["-std=c++17", "-x", "c++", "-E", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run g++")?;
        let input = preprocessor.stdin.take().context("g++ has no input")?;
        { input }.write_all(source.as_bytes())?;
        let output = preprocessor.wait_with_output()?;
        if !output.status.success() {
            bail!("g++ cannot preprocess {}", HEADERS.join(", "));
        }
        Ok(Self {
            text: output.stdout,
            driver: "g++",
            name: "large.cc",
            options: &["-std=c++17"],
        })
    }

    /// This source again and again, `bytes` of it.
    #[must_use]
    pub fn repeated(mut self, bytes: usize) -> Self {
        self.text = self.text.iter().copied().cycle().take(bytes).collect();
        self
    }

    /// The options of a compile, without names of files.
    pub fn options(&self) -> &[&'static str] {
        self.options
    }

    /// The name that the client has for it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// A request for an object of it, with some `more` options.
    pub fn request(&self, version: Version, more: &[&str]) -> Request {
        let mut words = vec![self.driver];
        words.extend(self.options);
        words.extend(more);
        words.extend(["-c", self.name, "-o", "object.o"]);
        let text = self.text.clone();
        Request {
            arguments: words.iter().map(|word| word.as_bytes().to_vec()).collect(),
            payload: match version {
                Version::Plain => Payload::Plain(text),
                Version::Lzo | Version::Pump => Payload::Lzo(text),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_have_the_size_that_they_are_named_for() {
        assert_eq!(Source::small().repeated(1 << 20).text.len(), 1 << 20);
        assert!(Source::small().text.len() < 256);
    }
}
