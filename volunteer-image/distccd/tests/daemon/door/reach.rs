//! What of the door a compiler can reach: nothing.

use distcc_wire::Version;

use super::{door, serve_behind};
use crate::harness::{request, text};

#[test]
fn a_compiler_inherits_no_socket() {
    let (directory, door) = door();
    // So that it can look at its descriptors.
    let words = ["--without-sandbox", "landlock"];
    let _volunteer = serve_behind(directory.path(), &words);
    let reply = door.program.ask(&request(Version::Lzo, "descriptors"));
    let seen = text(&reply.stdout);
    assert!(seen.contains("pipe:"), "{seen}");
    assert!(!seen.contains("socket:"), "{seen}");
}
