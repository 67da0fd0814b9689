//! What of the door a compiler can reach: nothing.

use std::fs;

use distcc_wire::Version;

use super::{Logged, SERVES, door, keep_door, serve_behind};
use crate::harness::{play, request, text};
use crate::served::{Program, free_port};

/// What a compiler behind `door` says when it does as `play` tells.
fn said(door: &Logged, play: &str) -> String {
    text(&door.program.ask(&request(Version::Lzo, play)).stdout)
}

#[test]
fn a_compiler_inherits_no_socket() {
    let (directory, door) = door();
    // So that it can look at its descriptors.
    let words = ["--without-sandbox", "landlock"];
    let _volunteer = serve_behind(directory.path(), &words);
    let seen = said(&door, "descriptors");
    assert!(seen.contains("pipe:"), "{seen}");
    assert!(!seen.contains("socket:"), "{seen}");
}

#[test]
fn a_compiler_does_not_get_at_the_door() {
    // Two above the directory of a job, where the compiler looks for it.
    let shared = tempfile::tempdir().unwrap();
    let directory = shared.path().join("door");
    fs::create_dir(&directory).unwrap();
    let door = keep_door(&directory, free_port(), &[]);
    let start = |words: &[&str]| {
        let first = format!("export TMPDIR={}", shared.path().display());
        let own = ["--door", directory.to_str().unwrap()];
        let words = [&own, words].concat();
        let program = Program::start_limited(&play(), &first, &words);
        let volunteer = Logged::new(program);
        volunteer.wait_for(SERVES);
        volunteer
    };
    let volunteer = start(&[]);
    assert_eq!(said(&door, "door"), "");
    assert_eq!(volunteer.end(), Some(0));
    // The attempts are real: without the layer they succeed.
    let _open = start(&["--without-sandbox", "landlock"]);
    let expected = "looked at the door\nwrote beside the door\n";
    assert_eq!(said(&door, "door"), expected);
}
