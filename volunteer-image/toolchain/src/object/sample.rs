//! Objects built byte by byte, for tests.

/// A minimal relocatable ELF object, with an attributes section where the machine has one.
pub(super) struct Sample {
    pub(super) class: u8,
    pub(super) encoding: u8,
    pub(super) file_type: u16,
    pub(super) machine: u16,
    /// Contents of `.ARM.attributes`, or nothing.
    pub(super) attributes: Vec<u8>,
}

impl Sample {
    pub(super) fn elf64(machine: u16) -> Self {
        Self {
            class: 2,
            encoding: 1,
            file_type: 1,
            machine,
            attributes: Vec::new(),
        }
    }

    pub(super) fn arm(attributes: &[u8]) -> Self {
        Self {
            class: 1,
            encoding: 1,
            file_type: 1,
            machine: 40,
            attributes: aeabi(attributes),
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let wide = self.class == 2;
        let (header_size, section_size) = if wide { (64, 64) } else { (52, 40) };
        let section_table = header_size + self.attributes.len();
        let mut out = vec![0x7f, b'E', b'L', b'F', self.class, self.encoding, 1];
        out.resize(16, 0);
        for half in [self.file_type, self.machine] {
            out.extend(half.to_le_bytes());
        }
        out.extend(1u32.to_le_bytes());
        let address = |out: &mut Vec<u8>, value: usize| {
            let value = value as u64;
            out.extend(&value.to_le_bytes()[..if wide { 8 } else { 4 }]);
        };
        for value in [0, 0, section_table] {
            address(&mut out, value);
        }
        out.extend(0u32.to_le_bytes());
        for half in [header_size, 0, 0, section_size, 3, 2] {
            out.extend(u16::try_from(half).unwrap().to_le_bytes());
        }
        assert_eq!(out.len(), header_size);
        out.extend(&self.attributes);
        let arm_attributes = (0x7000_0003u32, self.attributes.len());
        let string_table = (3u32, 0);
        for (section_type, length) in [(0, 0), arm_attributes, string_table] {
            out.extend(0u32.to_le_bytes());
            out.extend(section_type.to_le_bytes());
            for value in [0, 0, header_size, length] {
                address(&mut out, value);
            }
            out.extend([0; 8]);
            for value in [1, 0] {
                address(&mut out, value);
            }
        }
        out
    }
}

/// An attributes section of vendor `aeabi` whose file scope holds `attributes`.
fn aeabi(attributes: &[u8]) -> Vec<u8> {
    let length = |bytes: usize| u32::try_from(bytes).unwrap().to_le_bytes();
    let mut scope = vec![1];
    scope.extend(length(attributes.len() + 5));
    scope.extend(attributes);
    let mut vendor = b"aeabi\0".to_vec();
    vendor.extend(scope);
    let mut section = vec![b'A'];
    section.extend(length(vendor.len() + 4));
    section.extend(vendor);
    section
}
