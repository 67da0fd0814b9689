//! What farms send around, made when a benchmark starts.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Preprocessed C++ of some megabytes: by the system's compiler or, where there is none, made up.
pub(crate) fn preprocessed() -> Vec<u8> {
    by_compiler().unwrap_or_else(made_up)
}

fn by_compiler() -> Option<Vec<u8>> {
    let headers = [
        "algorithm",
        "functional",
        "iostream",
        "map",
        "random",
        "regex",
        "thread",
    ];
    let source: String = headers
        .map(|header| format!("#include <{header}>\n"))
        .concat();
    let mut compiler = Command::new("g++")
        .args(["-x", "c++", "-E", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    compiler.stdin.take()?.write_all(source.as_bytes()).ok()?;
    let output = compiler.wait_with_output().ok()?;
    output.status.success().then_some(output.stdout)
}

fn made_up() -> Vec<u8> {
    let mut text = String::new();
    for line in 0_u32.. {
        if text.len() > 2 << 20 {
            break;
        }
        let (kind, name) = (
            line.wrapping_mul(2_654_435_761) >> 27,
            line.wrapping_mul(40_503) % 977,
        );
        let written = match kind {
            0..6 => writeln!(
                text,
                "# {line} \"/usr/include/c++/14/bits/part_{name}.h\" 3"
            ),
            6..18 => writeln!(
                text,
                "    template<typename _T{kind}> struct __is_{name} {{ }};"
            ),
            18..26 => writeln!(
                text,
                "      _GLIBCXX_CONSTEXPR int _M_{name}(const _T{kind}& __x);"
            ),
            _ => writeln!(
                text,
                "  {{ return std::forward<_Arg{name}>(__y{kind}) + {line}; }}\n"
            ),
        };
        written.expect("a string takes all that is written to it");
    }
    text.into_bytes()
}
