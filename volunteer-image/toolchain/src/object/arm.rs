//! ARM build attributes: which of them matter to a linker, and what their values are called.
//!
//! Tags, shapes and values are those of "Addenda to, and Errata in, the ABI for the Arm Architecture"; the words are
//! those that `readelf -A` prints.

/// How the value of an attribute is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A ULEB128 number.
    Number,
    /// A NUL-terminated string.
    Text,
    /// Both, as `Tag_compatibility` has them.
    NumberAndText,
}

/// `Tag_CPU_raw_name` and `Tag_CPU_name`, the two strings below 32.
const TEXT_TAGS: [u64; 2] = [4, 5];
/// `Tag_compatibility`.
const COMPATIBILITY_TAG: u64 = 32;

/// The shape of the value behind `tag`; from 33 on, odd tags are strings, so that unknown ones can be skipped.
pub(super) fn shape(tag: u64) -> Shape {
    match tag {
        COMPATIBILITY_TAG => Shape::NumberAndText,
        tag if TEXT_TAGS.contains(&tag) => Shape::Text,
        tag if tag > COMPATIBILITY_TAG && tag % 2 == 1 => Shape::Text,
        _ => Shape::Number,
    }
}

/// An attribute that decides whether objects can be linked together and run on a board.
struct Attribute {
    tag: u64,
    name: &'static str,
    /// Value and word. Zero is missing: it means the same as no attribute at all.
    words: &'static [(u64, &'static str)],
}

const ATTRIBUTES: [Attribute; 5] = [
    Attribute {
        tag: 6,
        name: "CPU_arch",
        words: &[
            (1, "v4"),
            (2, "v4T"),
            (3, "v5T"),
            (4, "v5TE"),
            (5, "v5TEJ"),
            (6, "v6"),
            (7, "v6KZ"),
            (8, "v6T2"),
            (9, "v6K"),
            (10, "v7"),
            (11, "v6-M"),
            (12, "v6S-M"),
            (13, "v7E-M"),
            (14, "v8"),
            (15, "v8-R"),
            (16, "v8-M.baseline"),
            (17, "v8-M.mainline"),
            (21, "v8.1-M.mainline"),
            (22, "v9"),
        ],
    },
    Attribute {
        tag: 7,
        name: "CPU_arch_profile",
        words: &[
            (b'A' as u64, "Application"),
            (b'R' as u64, "Realtime"),
            (b'M' as u64, "Microcontroller"),
            (b'S' as u64, "Application or Realtime"),
        ],
    },
    Attribute {
        tag: 10,
        name: "FP_arch",
        words: &[
            (1, "VFPv1"),
            (2, "VFPv2"),
            (3, "VFPv3"),
            (4, "VFPv3-D16"),
            (5, "VFPv4"),
            (6, "VFPv4-D16"),
            (7, "FP for ARMv8"),
            (8, "FPv5/FP-D16 for ARMv8"),
        ],
    },
    Attribute {
        tag: 12,
        name: "Advanced_SIMD_arch",
        words: &[
            (1, "NEONv1"),
            (2, "NEONv1 with Fused-MAC"),
            (3, "NEON for ARMv8"),
            (4, "NEON for ARMv8.1"),
        ],
    },
    Attribute {
        tag: 28,
        name: "ABI_VFP_args",
        words: &[(1, "VFP registers"), (2, "custom"), (3, "compatible")],
    },
];

/// Name and value in words, if the attribute belongs to the set and is not at its default.
pub(super) fn describe(tag: u64, value: u64) -> Option<(&'static str, String)> {
    let attribute = ATTRIBUTES.iter().find(|attribute| attribute.tag == tag)?;
    if value == 0 {
        return None;
    }
    let word = attribute.words.iter().find(|(number, _)| *number == value);
    let word = word.map_or_else(
        || format!("unknown ({value})"),
        |(_, word)| (*word).to_owned(),
    );
    Some((attribute.name, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_follow_the_abi() {
        let cases = [
            (4, Shape::Text),
            (5, Shape::Text),
            (6, Shape::Number),
            (31, Shape::Number),
            (32, Shape::NumberAndText),
            (34, Shape::Number),
            (65, Shape::Text),
            (67, Shape::Text),
            (70, Shape::Number),
        ];
        for (tag, expected) in cases {
            assert_eq!(shape(tag), expected, "tag {tag}");
        }
    }

    #[test]
    fn values_are_told_in_the_words_of_readelf() {
        let cases = [
            (6, 4, Some(("CPU_arch", "v5TE"))),
            (6, 99, Some(("CPU_arch", "unknown (99)"))),
            (7, 65, Some(("CPU_arch_profile", "Application"))),
            (10, 3, Some(("FP_arch", "VFPv3"))),
            (12, 1, Some(("Advanced_SIMD_arch", "NEONv1"))),
            (28, 1, Some(("ABI_VFP_args", "VFP registers"))),
            (28, 0, None),
            (8, 1, None),
        ];
        for (tag, value, expected) in cases {
            let expected = expected.map(|(name, word)| (name, word.to_owned()));
            assert_eq!(describe(tag, value), expected, "tag {tag} value {value}");
        }
    }
}
