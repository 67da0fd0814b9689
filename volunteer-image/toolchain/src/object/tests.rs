use super::sample::Sample;
use super::*;

/// What GCC writes with each target's code generation defaults, in its own order and with its other attributes.
const ARMV5: &[u8] =
    b"\x05ARM5TE\0\x06\x04\x08\x01\x09\x01\x12\x04\x14\x01\x15\x01\x17\x03\x18\x01\x19\x01\x1a\x02";
const ARMV6: &[u8] = b"\x05ARM6\0\x06\x06\x08\x01\x09\x01\x0a\x02\x12\x04\x14\x01\x1a\x02\x1c\x01";
const ARMV7: &[u8] =
    b"\x057-A\0\x06\x0a\x07A\x08\x01\x09\x02\x0a\x03\x0c\x01\x12\x04\x1a\x02\x1c\x01\x22\x01";

fn facts(class: Class, machine: Machine, attributes: &[(&str, &str)]) -> ObjectFacts {
    let attributes = attributes
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    ObjectFacts {
        class,
        machine,
        attributes,
    }
}

fn armv6() -> ObjectFacts {
    let attributes = [
        ("CPU_arch", "v6"),
        ("FP_arch", "VFPv2"),
        ("ABI_VFP_args", "VFP registers"),
    ];
    facts(Class::Elf32, Machine::Arm, &attributes)
}

fn armv7() -> ObjectFacts {
    let attributes = [
        ("CPU_arch", "v7"),
        ("CPU_arch_profile", "Application"),
        ("FP_arch", "VFPv3"),
        ("Advanced_SIMD_arch", "NEONv1"),
        ("ABI_VFP_args", "VFP registers"),
    ];
    facts(Class::Elf32, Machine::Arm, &attributes)
}

#[test]
fn reads_the_facts_of_every_target() {
    let cases = [
        (Sample::elf64(62), facts(Class::Elf64, Machine::X86_64, &[])),
        (
            Sample::elf64(183),
            facts(Class::Elf64, Machine::Aarch64, &[]),
        ),
        (Sample::elf64(243), facts(Class::Elf64, Machine::Riscv, &[])),
        (
            Sample {
                class: 1,
                ..Sample::elf64(3)
            },
            facts(Class::Elf32, Machine::I386, &[]),
        ),
        (
            Sample::arm(ARMV5),
            facts(Class::Elf32, Machine::Arm, &[("CPU_arch", "v5TE")]),
        ),
        (Sample::arm(ARMV6), armv6()),
        (Sample::arm(ARMV7), armv7()),
    ];
    for (sample, expected) in cases {
        assert_eq!(ObjectFacts::read(&sample.bytes()).unwrap(), expected);
        assert!(expected.check(&sample.bytes(), Strictness::Exact).is_ok());
    }
}

#[test]
fn names_what_is_no_object_of_a_target() {
    let cases = [
        (b"".to_vec(), "not an ELF object"),
        (b".text\n.globl main\n".to_vec(), "not an ELF object"),
        (
            Sample {
                file_type: 2,
                ..Sample::elf64(62)
            }
            .bytes(),
            "an ELF file of type 2, not a relocatable object",
        ),
        (
            Sample::elf64(8).bytes(),
            "an object for an unknown machine (e_machine 8)",
        ),
    ];
    for (object, message) in cases {
        assert_eq!(ObjectFacts::read(&object).unwrap_err().to_string(), message);
    }
    let mut big_endian = Sample {
        encoding: 2,
        ..Sample::elf64(62)
    }
    .bytes();
    big_endian[16..18].reverse();
    assert_eq!(ObjectFacts::read(&big_endian), Err(Mismatch::BigEndian));
}

#[test]
fn another_architecture_is_named_on_both_sides() {
    let mismatch = armv7()
        .check(&Sample::elf64(62).bytes(), Strictness::Linkable)
        .unwrap_err();
    assert_eq!(
        mismatch.to_string(),
        "object is ELF64 x86-64 where ELF32 ARM is expected"
    );
}

#[test]
fn linkable_lets_a_client_choose_its_own_cpu_but_exact_does_not() {
    let cases = [
        (
            armv7(),
            ARMV6,
            "object has Advanced_SIMD_arch none where NEONv1 is expected",
        ),
        (
            armv6(),
            ARMV5,
            "object has ABI_VFP_args none where VFP registers is expected",
        ),
        (
            armv6(),
            ARMV7,
            "object has CPU_arch v7 where v6 is expected",
        ),
        (
            facts(Class::Elf32, Machine::Arm, &[]),
            ARMV5,
            "object has CPU_arch v5TE where none is expected",
        ),
    ];
    for (expected, attributes, message) in cases {
        let object = Sample::arm(attributes).bytes();
        assert!(expected.check(&object, Strictness::Linkable).is_ok());
        assert_eq!(
            expected
                .check(&object, Strictness::Exact)
                .unwrap_err()
                .to_string(),
            message
        );
    }
}

#[test]
fn every_truncation_and_every_flipped_byte_is_survived() {
    let whole = Sample::arm(ARMV7).bytes();
    for end in 0..whole.len() {
        assert!(ObjectFacts::read(&whole[..end]).is_err(), "cut at {end}");
        let mut flipped = whole.clone();
        flipped[end] ^= 0xff;
        // Some bytes mean nothing to a reader; what counts is that every answer is an answer.
        drop(ObjectFacts::read(&flipped));
    }
}

#[test]
fn facts_read_like_a_sentence() {
    let cases = [
        (
            armv6(),
            "ELF32 ARM (ABI_VFP_args: VFP registers, CPU_arch: v6, FP_arch: VFPv2)",
        ),
        (facts(Class::Elf64, Machine::Aarch64, &[]), "ELF64 AArch64"),
    ];
    for (facts, expected) in cases {
        assert_eq!(facts.to_string(), expected);
    }
}

#[test]
fn facts_keep_their_spelling_in_json() {
    let text = r#"{"class":"elf64","machine":"x86-64"}"#;
    let parsed: ObjectFacts = serde_json::from_str(text).unwrap();
    assert_eq!(parsed, facts(Class::Elf64, Machine::X86_64, &[]));
    assert_eq!(serde_json::to_string(&parsed).unwrap(), text);
}
