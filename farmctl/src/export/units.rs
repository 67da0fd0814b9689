//! Unit files, as systemd and Podman's generator read them.

use std::fmt::Write as _;

use super::yaml::wrapped;

/// A unit in the making.
#[derive(Debug, Default)]
pub(super) struct Unit(String);

impl Unit {
    /// A unit that begins with comments.
    pub(super) fn commented(comment: &str) -> Self {
        Self(comment.to_owned())
    }

    pub(super) fn section(mut self, name: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        let _infallible = writeln!(self.0, "[{name}]");
        self
    }

    /// A setting; `%` in it stands for itself.
    pub(super) fn set(mut self, key: &str, value: &str) -> Self {
        let _infallible = writeln!(self.0, "{key}={}", value.replace('%', "%%"));
        self
    }

    /// A command line, whose words stay as they are.
    pub(super) fn command<'a>(self, key: &str, words: impl IntoIterator<Item = &'a str>) -> Self {
        self.set(key, &command_line(words).replace('$', "$$"))
    }

    pub(super) fn text(self) -> String {
        self.0
    }
}

/// Words that are read back as they are, on several lines where they are many.
pub(super) fn command_line<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    const COLUMNS: usize = 100;
    let words: Vec<_> = words.into_iter().map(quoted).collect();
    wrapped(&words, " ", COLUMNS).join(" \\\n    ")
}

/// A word, in quotes if it would be taken for several.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+%$".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words() {
        let unit = Unit::default()
            .section("Service")
            .command("ExecStart", ["/bin/x", "a b", "50%", "$HOME", "say \"\\\""]);
        assert_eq!(
            unit.text(),
            "[Service]\nExecStart=/bin/x \"a b\" 50%% $$HOME \"say \\\"\\\\\\\"\"\n"
        );
    }
}
