//! Reads a configuration file that is a shell script, without running it.
//!
//! Assignments, arrays, `export`, quotes, `$NAME`, `case … in` and comments are understood; that is what people write into
//! makepkg.conf. Everything else is passed over: commands are never run, so reading somebody's file is safe.

use std::collections::BTreeMap;

/// What the file leaves in variables. A scalar is an array of one word.
pub type Variables = BTreeMap<String, Vec<String>>;

/// Reads `text`; `variables` may hold what was set before.
pub fn read(text: &str, variables: &mut Variables) {
    let tokens = tokens(text);
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        variables,
    };
    reader.commands(true);
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(Vec<Part>),
    /// `(` that follows `=` at once.
    Open,
    Close,
    Bar,
    /// A line's end or a semicolon.
    End,
    /// `;;`
    BranchEnd,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word: Option<Vec<Part>> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('\n') | None => {}
                Some(escaped) => push(&mut word, escaped),
            },
            '\'' => {
                let quoted: String = chars.by_ref().take_while(|c| *c != '\'').collect();
                word.get_or_insert_default().push(Part::Text(quoted));
            }
            '"' => double_quoted(&mut chars, word.get_or_insert_default()),
            '$' => variable(&mut chars, word.get_or_insert_default()),
            '`' => {
                let command: String = chars.by_ref().take_while(|c| *c != '`').collect();
                word.get_or_insert_default()
                    .push(Part::Text(format!("`{command}`")));
            }
            '#' if word.is_none() => while chars.next_if(|c| *c != '\n').is_some() {},
            '(' if ends_with_equals(word.as_ref()) => {
                tokens.extend(word.take().map(Token::Word));
                tokens.push(Token::Open);
            }
            ' ' | '\t' | '\r' | '\n' | ';' | '(' | ')' | '|' | '&' => {
                tokens.extend(word.take().map(Token::Word));
                match c {
                    ')' => tokens.push(Token::Close),
                    '|' => tokens.push(Token::Bar),
                    ';' if chars.next_if_eq(&';').is_some() => tokens.push(Token::BranchEnd),
                    '\n' | ';' | '&' => tokens.push(Token::End),
                    _ => {}
                }
            }
            other => push(&mut word, other),
        }
    }
    tokens.extend(word.map(Token::Word));
    tokens
}

fn push(word: &mut Option<Vec<Part>>, c: char) {
    let parts = word.get_or_insert_default();
    match parts.last_mut() {
        Some(Part::Text(text)) => text.push(c),
        _ => parts.push(Part::Text(c.to_string())),
    }
}

fn ends_with_equals(word: Option<&Vec<Part>>) -> bool {
    matches!(word.and_then(|parts| parts.last()), Some(Part::Text(text)) if text.ends_with('='))
}

type Chars<'t> = std::iter::Peekable<std::str::Chars<'t>>;

fn double_quoted(chars: &mut Chars<'_>, parts: &mut Vec<Part>) {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('\n') | None => {}
                Some(c @ ('"' | '\\' | '$' | '`')) => text.push(c),
                Some(c) => text.extend(['\\', c]),
            },
            '$' => {
                parts.push(Part::Text(std::mem::take(&mut text)));
                variable(chars, parts);
            }
            c => text.push(c),
        }
    }
    parts.push(Part::Text(text));
}

/// After `$`: `NAME`, `{NAME}`, `{NAME…}` or `(command)`; commands stay as they are written.
fn variable(chars: &mut Chars<'_>, parts: &mut Vec<Part>) {
    let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    if chars.next_if_eq(&'{').is_some() {
        let inside: String = chars.take_while(|c| *c != '}').collect();
        let name: String = inside.chars().take_while(is_name).collect();
        parts.push(Part::Variable(name));
    } else if chars.next_if_eq(&'(').is_some() {
        let mut depth = 1;
        let mut command = String::from("$(");
        for c in chars {
            command.push(c);
            depth += match c {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            if depth == 0 {
                break;
            }
        }
        parts.push(Part::Text(command));
    } else {
        let mut name = String::new();
        while let Some(c) = chars.next_if(is_name) {
            name.push(c);
        }
        parts.push(Part::Variable(name));
    }
}

struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
    variables: &'t mut Variables,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    /// Reads until the end, or in a branch of `case` until its end; assigns only if `runs`.
    fn commands(&mut self, runs: bool) -> Option<Token> {
        let mut at_start = true;
        while let Some(token) = self.next() {
            match token {
                Token::Word(word) if at_start => match self.text(&word).as_str() {
                    "export" | "declare" | "readonly" | "-x" | "then" | "else" | "do" | "{" => {}
                    "case" => self.case(runs),
                    "esac" => return Some(Token::End),
                    _ => at_start = self.assignment(&word, runs),
                },
                Token::Word(_) | Token::Open | Token::Close => {}
                Token::BranchEnd => return Some(Token::BranchEnd),
                Token::End | Token::Bar => at_start = true,
            }
        }
        None
    }

    /// Whether `word` was an assignment; another may follow on the line.
    fn assignment(&mut self, word: &[Part], runs: bool) -> bool {
        let Some(Part::Text(first)) = word.first() else {
            return false;
        };
        let Some((name, start)) = first.split_once('=') else {
            return false;
        };
        let (name, appends) = match name.strip_suffix('+') {
            Some(name) => (name, true),
            None => (name, false),
        };
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return false;
        }
        let is_array = self.tokens.get(self.at) == Some(&Token::Open);
        let value = if is_array {
            self.at += 1;
            self.array()
        } else {
            let mut value = vec![Part::Text(start.to_owned())];
            value.extend_from_slice(&word[1..]);
            vec![self.text(&value)]
        };
        if runs {
            let variable = self.variables.entry(name.to_owned()).or_default();
            match (appends, variable.first_mut()) {
                (true, Some(old)) if !is_array => old.push_str(&value.concat()),
                (true, _) => variable.extend(value),
                (false, _) => *variable = value,
            }
        }
        true
    }

    fn array(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        while let Some(token) = self.next() {
            match token {
                Token::Close => break,
                Token::Word(word) => words.push(self.text(&word)),
                _ => {}
            }
        }
        words
    }

    /// After `case`: the word, `in`, then branches.
    fn case(&mut self, runs: bool) {
        let Some(Token::Word(subject)) = self.next() else {
            return;
        };
        let subject = self.text(&subject);
        let mut taken = false;
        loop {
            let mut patterns = Vec::new();
            loop {
                match self.next() {
                    None => return,
                    Some(Token::Close) => break,
                    Some(Token::Word(word)) => match self.text(&word).as_str() {
                        "in" if patterns.is_empty() => {}
                        "esac" => return,
                        pattern => patterns.push(pattern.to_owned()),
                    },
                    Some(_) => {}
                }
            }
            let matches = patterns
                .iter()
                .any(|pattern| wildmatch::WildMatch::new(pattern).matches(&subject));
            let branch_runs = runs && matches && !taken;
            taken |= matches;
            if self.commands(branch_runs) != Some(Token::BranchEnd) {
                return;
            }
        }
    }

    fn text(&self, word: &[Part]) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Variable(name) => self
                .variables
                .get(name)
                .and_then(|words| words.first())
                .cloned()
                .unwrap_or_default(),
        };
        word.iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, name: &str) -> Option<String> {
        let mut variables = Variables::new();
        read(text, &mut variables);
        variables.get(name).map(|words| words.join("|"))
    }

    #[test]
    fn reads_what_people_write() {
        for (text, name, expected) in [
            ("A=b", "A", Some("b")),
            ("A='b c' # d", "A", Some("b c")),
            ("export A=\"b $B\"", "A", Some("b ")),
            ("B=x\nA=\"-O2 \\\n  ${B}\"", "A", Some("-O2   x")),
            ("A=(b !c 'd e')", "A", Some("b|!c|d e")),
            ("A=(b\n  c # d\n)", "A", Some("b|c")),
            ("A=b; A+=c", "A", Some("bc")),
            ("A=(b); A+=(c)", "A", Some("b|c")),
            ("A=\"-j$(nproc)\"", "A", Some("-j$(nproc)")),
            ("#A=b", "A", None),
            ("echo A=b", "A", None),
            ("A=a B=b", "B", Some("b")),
            ("A=https://x/#y", "A", Some("https://x/#y")),
            ("if true; then A=b; fi", "A", Some("b")),
            ("", "A", None),
        ] {
            assert_eq!(value(text, name).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn takes_the_branch_of_the_architecture() {
        let text = "case \"$CARCH\" in\n  armv7h) H=seven ;;\n  arm|armv6h) H=\"six\" ;;\n  *) H=other\nesac\nL=after\n";
        for (carch, expected) in [
            ("armv7h", "seven"),
            ("arm", "six"),
            ("armv6h", "six"),
            ("x86_64", "other"),
        ] {
            let script = format!("CARCH=\"{carch}\"\n{text}");
            assert_eq!(value(&script, "H").as_deref(), Some(expected), "{carch}");
            assert_eq!(value(&script, "L").as_deref(), Some("after"), "{carch}");
        }
    }

    #[test]
    fn no_text_is_a_danger() {
        for text in [
            "'",
            "\"",
            "$(",
            "${",
            "`",
            "case",
            "case x in",
            "A=(",
            "\\",
            "A=$",
            "case x in y) z",
        ] {
            value(text, "A");
        }
    }
}
