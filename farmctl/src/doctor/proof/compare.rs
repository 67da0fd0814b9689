//! Two objects, section by section. Pure.

use std::collections::BTreeMap;

use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionKind};

use super::Unknown;

/// How two objects compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every byte is the same.
    Identical,
    /// Code, data, relocations and symbols are the same; these sections, in which compilers write about themselves, are
    /// not.
    SameCode {
        /// Their names.
        sections: Vec<String>,
    },
    /// Code or data differ.
    Different {
        /// Names of the sections that differ.
        sections: Vec<String>,
        /// The option with which this machine's compiler gives the farm's code.
        as_if: Option<String>,
    },
}

/// Compares what was made here with what was made there.
///
/// # Errors
/// One of them is no object.
pub fn compare(here: &[u8], there: &[u8]) -> Result<Verdict, Unknown> {
    if here == there {
        return Ok(Verdict::Identical);
    }
    let (here, there) = (sections(here)?, sections(there)?);
    let names = here
        .keys()
        .chain(there.keys())
        .collect::<std::collections::BTreeSet<_>>();
    let differ = names
        .into_iter()
        .filter(|key| here.get(key) != there.get(key));
    let (about, code): (Vec<_>, Vec<_>) = differ
        .map(|(name, _)| name.clone())
        .partition(|name| is_about_the_compiler(name));
    Ok(if code.is_empty() {
        Verdict::SameCode {
            sections: unique(about),
        }
    } else {
        Verdict::Different {
            sections: unique(code),
            as_if: None,
        }
    })
}

fn unique(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names.dedup();
    names
}

/// The compiler's name and options, also in what debuggers read.
fn is_about_the_compiler(name: &str) -> bool {
    name == ".comment" || name.starts_with(".debug") || name.starts_with(".zdebug")
}

/// Everything of a section that a linker or a person sees.
#[derive(Debug, PartialEq, Eq)]
struct Contents {
    kind: SectionKind,
    size: u64,
    data: Vec<u8>,
    relocations: Vec<String>,
}

/// Sections by name; several of one name are numbered. Tables of symbols and strings are left to [`symbols`].
type Sections = BTreeMap<(String, usize), Contents>;

fn sections(bytes: &[u8]) -> Result<Sections, Unknown> {
    let object = object::File::parse(bytes).map_err(Unknown::because)?;
    let mut sections = Sections::new();
    for section in object.sections() {
        let name = section.name().map_err(Unknown::because)?.to_owned();
        let is_table = [".symtab", ".strtab", ".shstrtab", ".group"].contains(&name.as_str())
            || name.starts_with(".rel");
        if name.is_empty() || is_table {
            continue;
        }
        let relocations = section.relocations().map(|(offset, relocation)| {
            format!(
                "{offset:x} {:?} {} {}",
                relocation.flags(),
                target(&object, relocation.target()),
                relocation.addend()
            )
        });
        let contents = Contents {
            kind: section.kind(),
            size: section.size(),
            data: section.data().map_err(Unknown::because)?.to_vec(),
            relocations: relocations.collect(),
        };
        let number = sections.keys().filter(|(other, _)| *other == name).count();
        sections.insert((name, number), contents);
    }
    sections.insert(("symbols".to_owned(), 0), symbols(&object));
    Ok(sections)
}

fn target(object: &object::File<'_>, target: RelocationTarget) -> String {
    let symbol = match target {
        RelocationTarget::Symbol(index) => object.symbol_by_index(index).ok(),
        _ => None,
    };
    let Some(symbol) = symbol else {
        return String::new();
    };
    let section = symbol
        .section_index()
        .and_then(|index| object.section_by_index(index).ok())
        .and_then(|section| section.name().ok().map(str::to_owned));
    let name = symbol.name().unwrap_or_default();
    if name.is_empty() {
        section.unwrap_or_default()
    } else {
        name.to_owned()
    }
}

/// The symbols that other objects see, in an order of their own.
fn symbols(object: &object::File<'_>) -> Contents {
    let seen = object.symbols().filter(ObjectSymbol::is_global);
    let mut lines: Vec<_> = seen
        .map(|symbol| {
            format!(
                "{} {:?} {} {}",
                symbol.name().unwrap_or_default(),
                symbol.kind(),
                symbol.size(),
                symbol.is_undefined()
            )
        })
        .collect();
    lines.sort_unstable();
    Contents {
        kind: SectionKind::Metadata,
        size: 0,
        data: Vec::new(),
        relocations: lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A relocatable object with these sections (ELF64, x86-64).
    fn object(sections: &[(&str, &[u8])]) -> Vec<u8> {
        const HEADER_BYTES: usize = 64;
        const PROGBITS: u32 = 1;
        const STRTAB: u32 = 3;
        let mut names = vec![0];
        let mut contents = Vec::new();
        let mut rows = vec![[0; HEADER_BYTES]];
        let mut row = |name: &str, kind: u32, at: usize, size: usize, names: &mut Vec<u8>| {
            let mut row = [0; HEADER_BYTES];
            row[0..4].copy_from_slice(&u32::try_from(names.len()).unwrap().to_le_bytes());
            row[4..8].copy_from_slice(&kind.to_le_bytes());
            row[24..32].copy_from_slice(&(HEADER_BYTES + at).to_le_bytes());
            row[32..40].copy_from_slice(&size.to_le_bytes());
            row[48] = 1;
            names.extend(name.bytes().chain([0]));
            rows.push(row);
        };
        for (name, bytes) in sections {
            row(name, PROGBITS, contents.len(), bytes.len(), &mut names);
            contents.extend_from_slice(bytes);
        }
        let at = contents.len();
        let size = names.len() + ".shstrtab".len() + 1;
        row(".shstrtab", STRTAB, at, size, &mut names);
        contents.extend(names);

        let mut header = [0; HEADER_BYTES];
        header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        header[16] = 1;
        header[18] = 62;
        header[20] = 1;
        header[40..48].copy_from_slice(&(HEADER_BYTES + contents.len()).to_le_bytes());
        header[52] = 64;
        header[58] = 64;
        header[60] = u8::try_from(rows.len()).unwrap();
        header[62] = u8::try_from(rows.len() - 1).unwrap();
        [&header, contents.as_slice(), rows.concat().as_slice()].concat()
    }

    #[test]
    fn what_compilers_write_about_themselves_is_no_difference() {
        let here = object(&[(".text", b"code"), (".comment", b"GCC: (A) 14\0")]);
        assert_eq!(compare(&here, &here), Ok(Verdict::Identical));
        let there = object(&[(".text", b"code"), (".comment", b"GCC: (B) 14\0")]);
        let sections = vec![".comment".to_owned()];
        assert_eq!(compare(&here, &there), Ok(Verdict::SameCode { sections }));
    }

    #[test]
    fn other_code_and_missing_sections_are_differences() {
        let here = object(&[(".text", b"code"), (".rodata", b"data")]);
        for (there, differ) in [
            (object(&[(".text", b"CODE"), (".rodata", b"data")]), ".text"),
            (object(&[(".text", b"code")]), ".rodata"),
            (
                object(&[(".text", b"code"), (".rodata", b"data"), (".text", b"more")]),
                ".text",
            ),
        ] {
            let verdict = Verdict::Different {
                sections: vec![differ.to_owned()],
                as_if: None,
            };
            assert_eq!(compare(&here, &there), Ok(verdict));
        }
    }

    #[test]
    fn what_is_no_object_cannot_be_compared() {
        assert!(compare(&object(&[]), b"no object").is_err());
    }
}
