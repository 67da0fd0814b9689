//! A manifest to begin with: it says nothing but what holds anyway, and shows what could be said.

use std::net::IpAddr;

use crate::farm::{Memory, Nice, Port};

/// What the template tells of the machine that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its address on its default route, if it has one.
    pub address: Option<IpAddr>,
    /// Its processors.
    pub processors: usize,
    /// Its memory, if it tells.
    pub memory: Option<Memory>,
    /// Ports of the default farm's targets that something has already.
    pub taken: Vec<Port>,
}

/// The text of a commented manifest that means the default farm.
pub fn template(machine: &Machine) -> String {
    let nice = Nice::DEFAULT.increment();
    let found = found(machine);
    let address = match machine.address {
        Some(address) => format!("here {address}"),
        None => "which was not found: name it".to_owned(),
    };
    let example = machine
        .address
        .map_or_else(|| "10.30.5.9".to_owned(), |own| own.to_string());
    let taken = taken(&machine.taken);
    format!(
        "\
# A farm for distcc; `farmctl up` makes it so. Every key may be left out: what is written here holds anyway, and what
# stands behind a # is an example. `farmctl schema --output text` explains every key, `farmctl validate` checks.
# For completion and checks while you type: farmctl schema > farm.schema.json, and as the first line of this file
# yaml-language-server: $schema=farm.schema.json
#
# {found}
{taken}
farm: farm                  # sets this farm apart from others on the same engine
allow: [private]            # who may send jobs: private, local, addresses, ranges
address: auto               # what masters dial; auto is this machine's address, {address}

# For every volunteer, unless a host or a target says otherwise:
nice: {nice}                     # how much compilers yield to everything else, 0 to 19
restart: unless-stopped     # or no, on-failure, always
stop_grace: 2m              # how long jobs may finish when a volunteer is replaced
stats: off                  # or loopback, lan: statistics on the port of the jobs plus 100
# jobs: {processors}                   # at once, for each volunteer
# cpus: {processors}                   # processor time, for each volunteer
# memory: 4GiB              # for each volunteer
# gcc: [14, 13]             # versions, the preferred one first
# headers: true             # serve pump mode
# mirror: http://mirror.lan/debian

# Without `hosts:`, this machine.
# hosts:
#   here:
#     docker: local
#     address: {example}
#     targets: {{ armv7h: {{ jobs: 4 }}, aarch64: {{}} }}

# Without `targets:`, x86_64, armv5, armv6h, armv7h and aarch64; riscv64 and i686 come if they are named.
# targets:
#   armv7h: {{ gcc: 14, memory: 4GiB }}
#   aarch64: {{}}
#   riscv64: {{}}
",
        processors = machine.processors,
    )
}

/// What the machine has, in a line.
fn found(machine: &Machine) -> String {
    let processors = match machine.processors {
        1 => "1 processor".to_owned(),
        many => format!("{many} processors"),
    };
    match machine.memory {
        Some(memory) => {
            let tenths = memory.bytes() / ((1 << 30) / 10);
            format!(
                "This machine has {processors} and {}.{} GiB of memory.",
                tenths / 10,
                tenths % 10
            )
        }
        None => format!("This machine has {processors}."),
    }
}

fn taken(ports: &[Port]) -> String {
    if ports.is_empty() {
        return String::new();
    }
    let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
    format!(
        "#\n# Something has port {} here already; a stock distccd has 3632, and its statistics 3633. Stop it\n# (sudo \
         systemctl disable --now distcc), or give the target another `port:`.\n",
        ports.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    fn machine() -> Machine {
        Machine {
            address: Some([10, 30, 5, 9].into()),
            processors: 16,
            memory: Some(Memory::from_bytes(33_500_000_000)),
            taken: Vec::new(),
        }
    }

    #[test]
    fn on_every_machine_it_means_the_default_farm() {
        let bare = Machine {
            address: None,
            processors: 1,
            memory: None,
            taken: vec![3632u64.try_into().unwrap(), 3633u64.try_into().unwrap()],
        };
        let default = parse("", "farm.yaml").unwrap();
        for machine in [machine(), bare] {
            let text = template(&machine);
            assert_eq!(parse(&text, "farm.yaml").unwrap(), default, "{text}");
        }
    }

    #[test]
    fn what_stands_behind_a_hash_is_right_as_well() {
        let text = template(&machine());
        let uncommented = text.lines().filter_map(|line| {
            let example = line.strip_prefix("# ")?;
            let key = example.trim_start().split(':').next()?;
            let is_key = key
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
            is_key.then_some(example)
        });
        let examples: Vec<&str> = uncommented.collect();
        assert!(examples.len() > 10, "{examples:?}");
        let error = parse(&examples.join("\n"), "farm.yaml").err();
        assert!(error.is_none(), "{}", error.unwrap());
    }
}
