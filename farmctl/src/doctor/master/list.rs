//! The stock client's list of hosts, read as the stock client reads it (distcc(1), host specifications).

use std::fmt;
use std::net::Ipv6Addr;

/// One word of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// `localhost`: compile here.
    Local,
    /// A daemon behind ssh.
    Ssh(String),
    /// A daemon at a TCP port.
    Tcp(TcpHost),
    /// `--randomize`, `--localslots=N`, `--localslots_cpp=N`.
    Setting(String),
    /// `+zeroconf`.
    Zeroconf,
}

/// A daemon at a TCP port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpHost {
    /// As it stands in the list.
    pub text: String,
    /// Its name or address, without brackets.
    pub name: String,
    /// Its port, if one is named.
    pub port: Option<u16>,
    /// Jobs at once, if they are limited.
    pub limit: Option<u32>,
    /// Whether the limit stands before the port.
    pub limit_first: bool,
    /// What stands behind commas.
    pub options: Vec<HostOption>,
}

/// An option of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostOption {
    /// Bodies are compressed.
    Lzo,
    /// Pump mode is wanted.
    Cpp,
    /// It is out of order.
    Down,
    /// The client proves who it is.
    Auth,
}

/// The port where none is named.
pub const DEFAULT_PORT: u16 = 3632;

impl TcpHost {
    /// Whether an option was given.
    pub fn has(&self, option: HostOption) -> bool {
        self.options.contains(&option)
    }

    /// The port that is dialled.
    pub fn dialled_port(&self) -> u16 {
        self.port.unwrap_or(DEFAULT_PORT)
    }

    /// Name and port, as they are dialled.
    pub fn place(&self) -> String {
        self.place_at(self.dialled_port())
    }

    /// Name and another port.
    pub fn place_at(&self, port: u16) -> String {
        if self.name.parse::<Ipv6Addr>().is_ok() {
            format!("[{}]:{port}", self.name)
        } else {
            format!("{}:{port}", self.name)
        }
    }
}

/// A word that the client cannot read; it then uses none of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The word.
    pub item: String,
    /// What is wrong with it.
    pub reason: String,
    /// What to write instead.
    pub hint: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}': {}", self.item, self.reason)
    }
}

/// Reads a whole list.
///
/// # Errors
/// The first word that cannot be read.
pub fn parse(text: &str) -> Result<Vec<Item>, SyntaxError> {
    let without_comments = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    without_comments
        .flat_map(str::split_whitespace)
        .map(item)
        .collect()
}

fn item(word: &str) -> Result<Item, SyntaxError> {
    let error = |reason: &str, hint: &str| SyntaxError {
        item: word.to_owned(),
        reason: reason.to_owned(),
        hint: hint.to_owned(),
    };
    if word == "+zeroconf" {
        return Ok(Item::Zeroconf);
    }
    if word.starts_with("--") {
        let known = ["--randomize", "--localslots"];
        return if known.iter().any(|known| word.starts_with(known)) {
            Ok(Item::Setting(word.to_owned()))
        } else {
            Err(error(
                "no option of the list",
                "the list knows --randomize, --localslots=N and --localslots_cpp=N",
            ))
        };
    }
    if word == "localhost" || word.starts_with("localhost/") {
        return Ok(Item::Local);
    }
    if word.contains('@') {
        return Ok(Item::Ssh(word.to_owned()));
    }
    tcp(word)
        .map(Item::Tcp)
        .map_err(|(reason, hint)| error(&reason, &hint))
}

fn tcp(word: &str) -> Result<TcpHost, (String, String)> {
    let wrong = |reason: String, hint: &str| Err((reason, hint.to_owned()));
    let (name, rest) = if let Some(inside) = word.strip_prefix('[') {
        match inside.split_once(']') {
            Some(parts) => parts,
            None => {
                return wrong(
                    "the bracket is not closed".to_owned(),
                    "[ADDRESS]:PORT/LIMIT",
                );
            }
        }
    } else if word.matches(':').count() > 1 {
        return wrong(
            "an IPv6 address stands in brackets".to_owned(),
            "[ADDRESS]:PORT/LIMIT,lzo",
        );
    } else {
        let end = word.find(['/', ':', ',']).unwrap_or(word.len());
        word.split_at(end)
    };
    if name.is_empty() {
        return wrong(
            "the host's name is missing".to_owned(),
            "HOST:PORT/LIMIT,lzo",
        );
    }
    let mut host = TcpHost {
        text: word.to_owned(),
        name: name.to_owned(),
        port: None,
        limit: None,
        limit_first: false,
        options: Vec::new(),
    };
    let mut words = rest.split(',');
    places(words.next().unwrap_or_default(), &mut host)?;
    for option in words {
        match option {
            "lzo" => host.options.push(HostOption::Lzo),
            "cpp" => host.options.push(HostOption::Cpp),
            "down" => host.options.push(HostOption::Down),
            _ if option == "auth" || option.starts_with("auth=") => {
                host.options.push(HostOption::Auth);
            }
            _ => {
                return wrong(
                    format!("'{option}' is no option of a host"),
                    "hosts are separated by blanks, and a comma stands only before lzo, cpp, down and auth",
                );
            }
        }
    }
    if host.has(HostOption::Cpp) && !host.has(HostOption::Lzo) {
        return wrong(",cpp needs ,lzo".to_owned(), "HOST:PORT/LIMIT,lzo,cpp");
    }
    Ok(host)
}

/// `:PORT/LIMIT`, or the old order.
fn places(text: &str, host: &mut TcpHost) -> Result<(), (String, String)> {
    let mut rest = text;
    while let Some(mark) = rest.chars().next() {
        let number = &rest[1..];
        let end = number
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(number.len());
        let (digits, after) = number.split_at(end);
        match mark {
            ':' => {
                let port = digits.parse::<u16>().ok().filter(|port| *port > 0);
                host.port = Some(port.ok_or_else(|| {
                    (
                        format!("'{}' is no port", &rest[1..]),
                        "HOST:PORT/LIMIT".to_owned(),
                    )
                })?);
                host.limit_first = host.limit.is_some();
            }
            '/' => {
                let limit = digits.parse::<u32>().ok().filter(|limit| *limit > 0);
                host.limit = Some(limit.ok_or_else(|| {
                    (
                        format!("'{}' is no number of jobs", &rest[1..]),
                        "HOST:PORT/LIMIT".to_owned(),
                    )
                })?);
            }
            // The client reads no further, and says nothing.
            _ => return Ok(()),
        }
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> TcpHost {
        match parse(text).unwrap().pop() {
            Some(Item::Tcp(host)) => host,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn reads_hosts_in_both_orders() {
        for (text, name, port, limit, limit_first) in [
            ("ryzen", "ryzen", None, None, false),
            (
                "10.0.0.2:3635/8,lzo",
                "10.0.0.2",
                Some(3635),
                Some(8),
                false,
            ),
            ("10.0.0.2/5:3635", "10.0.0.2", Some(3635), Some(5), true),
            ("[fe80::1]:3636/2", "fe80::1", Some(3636), Some(2), false),
        ] {
            let read = host(text);
            assert_eq!(
                (read.name.as_str(), read.port, read.limit, read.limit_first),
                (name, port, limit, limit_first),
                "{text}"
            );
        }
        assert!(host("a,lzo,cpp").has(HostOption::Cpp));
        assert_eq!(host("[fe80::1]").place(), "[fe80::1]:3632");
    }

    #[test]
    fn reads_everything_else_a_list_holds() {
        let list = "--localslots=2 # here\nlocalhost/2 +zeroconf me@nas --randomize";
        assert_eq!(
            parse(list),
            Ok(vec![
                Item::Setting("--localslots=2".to_owned()),
                Item::Local,
                Item::Zeroconf,
                Item::Ssh("me@nas".to_owned()),
                Item::Setting("--randomize".to_owned()),
            ])
        );
        assert_eq!(parse(" \n# nothing\n"), Ok(vec![]));
    }

    #[test]
    fn one_wrong_word_spoils_the_list() {
        for (list, item, part) in [
            ("a b,c", "b,c", "'c' is no option"),
            ("a:b", "a:b", "no port"),
            ("a:70000", "a:70000", "no port"),
            ("a/0", "a/0", "no number of jobs"),
            ("a,cpp", "a,cpp", "needs ,lzo"),
            ("fe80::1", "fe80::1", "brackets"),
            ("[fe80::1", "[fe80::1", "not closed"),
            (":3632", ":3632", "name is missing"),
            ("--slots=3", "--slots=3", "no option of the list"),
        ] {
            let error = parse(list).unwrap_err();
            assert_eq!(error.item, item);
            assert!(error.reason.contains(part), "{error}");
        }
    }
}
