//! Values as several formats spell them, and a shape as the options of `docker run`.

use std::collections::BTreeSet;

use crate::farm::{Attachment, Shape};

const NANOSECONDS: i64 = 1_000_000_000;

/// `300s`
pub(super) fn seconds(nanoseconds: i64) -> String {
    format!("{}s", nanoseconds / NANOSECONDS)
}

/// `2.5`
pub(super) fn cpus(nano_cpus: i64) -> String {
    let (whole, rest) = (nano_cpus / NANOSECONDS, nano_cpus % NANOSECONDS);
    let text = format!("{whole}.{rest:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A memory file system's options; its size comes last.
pub(super) fn tmpfs_options(options: &BTreeSet<String>) -> String {
    let (sizes, others): (Vec<_>, Vec<_>) = options
        .iter()
        .map(String::as_str)
        .partition(|option| option.starts_with("size="));
    [others, sizes].concat().join(",")
}

/// The options of `docker run` that make this container, except for its name, its health check and its log: what runs
/// the command has better ones.
pub(super) fn run_options(shape: &Shape) -> Vec<String> {
    // Taken apart without `..`, so that a new field cannot be forgotten here.
    let Shape {
        image: _,
        entrypoint,
        command: _,
        user,
        working_directory,
        hostname,
        environment,
        labels,
        network,
        ports,
        mounts: _,
        memory,
        memory_swap,
        nano_cpus,
        processes,
        oom_score_adjustment,
        ulimits,
        restart: _,
        read_only,
        tmpfs,
        dropped_capabilities,
        security,
        stop_seconds,
        health: _,
        log: _,
        foreign: _,
    } = shape;
    let mut options = Vec::new();
    let mut add = |name: &str, value: String| options.push(format!("--{name}={value}"));
    for program in entrypoint {
        add("entrypoint", program.clone());
    }
    add("user", user.clone());
    add("workdir", working_directory.clone());
    if let Some(name) = hostname {
        add("hostname", name.clone());
    }
    for variable in environment {
        add("env", variable.clone());
    }
    for (name, value) in labels {
        add("label", format!("{name}={value}"));
    }
    if *network == Attachment::Host {
        add("network", "host".to_owned());
    }
    for (port, addresses) in ports {
        for address in addresses {
            add("publish", format!("{address}:{port}"));
        }
    }
    if *read_only {
        add("read-only", true.to_string());
    }
    for capability in dropped_capabilities {
        add("cap-drop", capability.clone());
    }
    for option in security {
        add("security-opt", format!("{option}:true"));
    }
    for (place, options) in tmpfs {
        add("tmpfs", format!("{place}:{}", tmpfs_options(options)));
    }
    add("memory", memory.to_string());
    add("memory-swap", memory_swap.to_string());
    if *nano_cpus != 0 {
        add("cpus", cpus(*nano_cpus));
    }
    add("pids-limit", processes.to_string());
    add("oom-score-adj", oom_score_adjustment.to_string());
    for (name, (soft, hard)) in ulimits {
        add("ulimit", format!("{name}={soft}:{hard}"));
    }
    add("stop-timeout", stop_seconds.to_string());
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_told_without_trailing_zeros() {
        let cases = [
            (2_500_000_000, "2.5"),
            (10_000_000_000, "10"),
            (50_000_000, "0.05"),
        ];
        for (nanos, text) in cases {
            assert_eq!(cpus(nanos), text);
        }
    }

    #[test]
    fn a_size_comes_last() {
        let options = ["rw", "size=5", "mode=1777"].map(str::to_owned);
        assert_eq!(tmpfs_options(&options.into()), "mode=1777,rw,size=5");
    }
}
