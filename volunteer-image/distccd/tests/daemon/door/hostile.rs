//! Whoever else may be at a door's socket, on either side of it.

use std::fs;
use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::{Logged, SERVES, compiles, door, keep_door, start_behind};
use crate::harness::{PATIENCE, play};
use crate::served::{eventually, free_port};

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
    let words = ["--log-level", "debug"];
    let volunteer = start_behind(directory.path(), &play(), &words);
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
