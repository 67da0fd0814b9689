//! Whoever else may be at a door's socket, on either side of it.

use std::fs::{self, Permissions};
use std::io::{BufReader, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, Shutdown, recvmsg, sendmsg, shutdown,
};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::{Logged, SERVES, compiles, door, keep_door, start_behind};
use crate::harness::{PATIENCE, play};
use crate::served::{PROGRAM, Program, eventually, free_port, toolchain_file};

#[test]
fn a_door_withstands_whoever_is_no_volunteer() {
    let (directory, door) = door();
    let socket = directory.path().join("door.sock");
    let mode = fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let connect = || UnixStream::connect(&socket).expect("somebody is at the door");
    for _ in 0..200 {
        drop(connect());
    }
    for _ in 0..20 {
        let mut talker = connect();
        // It may have been hung up on already.
        drop(talker.write_all(&vec![b'x'; 100_000]));
        talker.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut rest = Vec::new();
        // The door hangs up; an abrupt end is an end.
        drop(talker.read_to_end(&mut rest));
        assert!(rest.len() < 200, "{} bytes", rest.len());
    }
    let silent: Vec<_> = (0..100).map(|_| connect()).collect();
    let volunteer = start_behind(directory.path(), &play(), &[]);
    volunteer.wait_for("this volunteer compiles");
    drop(silent);
    volunteer.wait_for(SERVES);
    assert!(compiles(&door.program));
    assert_eq!(door.end(), Some(0));
}

#[test]
fn a_door_whose_port_was_shut_down_ends_so_that_it_is_started_again() {
    let (directory, mut door) = door();
    let socket = directory.path().join("door.sock");
    let volunteer = UnixStream::connect(&socket).unwrap();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut words = [0; 64];
    let words = &mut [IoSliceMut::new(&mut words)];
    recvmsg(&volunteer, words, &mut ancillary, RecvFlags::CMSG_CLOEXEC).unwrap();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(sockets) = message {
            for socket in sockets {
                shutdown(&socket, Shutdown::Both).unwrap();
            }
        }
    }
    let _next = UnixStream::connect(&socket).unwrap();
    door.wait_for("a volunteer has shut the port down");
    assert_eq!(door.program.child.wait().unwrap().code(), Some(100));
    let door = keep_door(directory.path(), door.program.port, &[]);
    let volunteer = start_behind(directory.path(), &play(), &[]);
    volunteer.wait_for(SERVES);
    assert!(compiles(&door.program));
}

/// Another user's, although the socket is open to everybody.
#[test]
fn a_door_and_a_volunteer_of_different_users_have_nothing_to_do_with_each_other() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can start programs of two users");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let is_open = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 1 == 1;
    if !folder.path().ancestors().skip(1).all(is_open) {
        eprintln!("skipped: the directory for temporary files is root's alone");
        return;
    }
    let (directory, door) = door();
    let script = folder.path().join("gcc");
    fs::copy(&play().compilers[0].gcc, &script).unwrap();
    let mut toolchain = play();
    for compiler in &mut toolchain.compilers {
        script.clone_into(&mut compiler.gcc);
        script.clone_into(&mut compiler.gxx);
    }
    let everybody = |path: &Path| fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
    everybody(directory.path());
    everybody(&directory.path().join("door.sock"));
    everybody(folder.path());
    let mut child = Command::new(PROGRAM)
        .args(["--no-detach", "--log-stderr", "--user", "nobody"])
        .args(["--listen", "127.0.0.1", "--port", &free_port().to_string()])
        .arg("--toolchain")
        .arg(toolchain_file(&folder, &toolchain))
        .arg("--door")
        .arg(directory.path())
        .env("TMPDIR", folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let volunteer = Logged::new(Program {
        log: BufReader::new(child.stderr.take().unwrap()),
        child,
        port: 0,
        folder,
        opening: Vec::new(),
    });
    volunteer.wait_for("the door is another user's");
    door.wait_for("gave nothing to a process of another user");
    assert_eq!(volunteer.end(), Some(0));
}

/// The numbers of the descriptors that a program has open.
fn descriptors(of: &Logged) -> Vec<u64> {
    let entries = fs::read_dir(format!("/proc/{}/fd", of.program.child.id()));
    let names = entries
        .expect("it runs")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| name.parse().ok()).collect()
}

#[test]
fn a_door_without_descriptors_left_goes_on_when_there_are_some() {
    const FREE: usize = 5;
    let directory = tempfile::tempdir().unwrap();
    let door = keep_door(directory.path(), free_port(), &[]);
    // A few more than it has, whatever it was started with: the kernel gives the lowest numbers that are free.
    let taken = descriptors(&door);
    let free = (0..).filter(|number| !taken.contains(number));
    let above = free.take(FREE).last();
    let limit = Rlimit {
        current: above,
        maximum: above,
    };
    let pid = Pid::from_child(&door.program.child);
    prlimit(Some(pid), Resource::Nofile, limit).unwrap();
    let socket = directory.path().join("door.sock");
    let held: Vec<_> = (0..2 * FREE)
        .map(|_| UnixStream::connect(&socket).unwrap())
        .collect();
    door.wait_for("cannot accept connections");
    drop(held);
    let volunteer = start_behind(directory.path(), &play(), &[]);
    volunteer.wait_for(SERVES);
    assert!(compiles(&door.program));
}

fn give(stream: &UnixStream, words: &[u8], sockets: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(sockets)));
    let words = [IoSlice::new(words)];
    let sent = sendmsg(stream, &words, &mut ancillary, SendFlags::NOSIGNAL);
    sent.expect("the volunteer has not hung up");
}

#[test]
fn a_volunteer_takes_nothing_from_a_false_door() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("door.sock");
    let false_door = UnixListener::bind(&socket).unwrap();
    let volunteer = start_behind(directory.path(), &play(), &[]);
    let listening = TcpListener::bind("127.0.0.1:0").unwrap();
    let file = fs::File::open("/dev/null").unwrap();
    let (one, other) = (listening.as_fd(), file.as_fd());
    let jobs = &b"distccd-door/1 jobs\n"[..];
    let many = [one; 8];
    let cases: [(&[u8], &[BorrowedFd<'_>], &str); 6] = [
        (
            b"220 mail.example ESMTP\r\n",
            &[],
            "not the words of a door",
        ),
        (
            b"distccd-door/2 jobs\n",
            &[one],
            "the door speaks version 2",
        ),
        (jobs, &[], "the door names 1 sockets and gives 0"),
        (jobs, &[other], "no TCP socket that listens"),
        (jobs, &many, "more descriptors came than a door gives"),
        (&[b'x'; 5000], &[one], "not the words of a door"),
    ];
    for (words, sockets, expected) in cases {
        let (stream, _) = false_door.accept().unwrap();
        give(&stream, words, sockets);
        volunteer.wait_for(expected);
    }
    drop(false_door.accept().unwrap());
    volunteer.wait_for("cannot take the door's sockets");
    let before = descriptors(&volunteer).len();
    drop(false_door);
    let door = keep_door(directory.path(), free_port(), &[]);
    volunteer.wait_for(SERVES);
    assert!(compiles(&door.program));
    // The door, its socket, and nothing that the false one gave.
    eventually(|| descriptors(&volunteer).len() <= before + 2);
}
