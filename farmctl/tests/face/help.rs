//! What every command says of itself.

use crate::machine::Machine;
use crate::text::assert_runs;

/// The commands, as the help lists them.
fn verbs(machine: &Machine) -> Vec<String> {
    let help = machine.run(&["--help"]).stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.take_while(|line| !line.is_empty());
    let names = commands.filter(|line| !line.starts_with("    "));
    names
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .filter(|name| name != "help")
        .collect()
}

#[test]
fn every_command_has_help() {
    let machine = Machine::new();
    let verbs = verbs(&machine);
    assert!(verbs.len() > 5, "{verbs:?}");
    assert_runs!(
        "help",
        machine.run(&["--help"]),
        machine.run(&["--version"]),
        machine.run(&[])
    );
    for verb in verbs {
        assert_runs!(format!("help-{verb}"), machine.run(&[&verb, "--help"]));
    }
    for verb in ["save", "load"] {
        let run = machine.run(&["bundle", verb, "--help"]);
        assert_runs!(format!("help-bundle-{verb}"), run);
    }
}

#[test]
fn completions_know_every_command() {
    let machine = Machine::new();
    for shell in ["bash", "zsh", "fish"] {
        let run = machine.run(&["completions", shell]);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        for verb in verbs(&machine) {
            assert!(
                run.stdout.contains(&verb),
                "{shell} does not complete {verb}"
            );
        }
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let machine = Machine::new();
    let run = machine.run(&["man"]);
    assert!(run.stdout.contains(".TH farmctl 1"), "{run}");
    machine.prepare(&["man", "pages/man1"]);
    for verb in verbs(&machine) {
        let page = machine
            .folder
            .path()
            .join(format!("pages/man1/farmctl-{verb}.1"));
        let text = std::fs::read_to_string(&page).unwrap();
        assert!(text.contains("Example"), "farmctl-{verb}.1 has no example");
    }
    assert!(machine.folder.path().join("pages/man1/farmctl.1").exists());
}
