use std::fs;
use std::net::UdpSocket;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc;

use nix::sched::CloneFlags;
use rustix::io::Errno;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

use super::*;
use crate::Compilers;
use crate::testing::toolchain;

fn alone<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    Gate::open(|| Ok(()))?.wait_for(work)
}

/// Does `work` within `sandbox`, and waits for it.
fn within<T: Send + 'static>(
    sandbox: &Sandbox,
    directory: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (done, result) = mpsc::channel();
    sandbox.within(
        directory,
        |_limiter| work(),
        move |result| {
            done.send(result).unwrap();
        },
    );
    result.recv().unwrap()?
}

fn sandbox(layers: Layers) -> Result<Sandbox, String> {
    let limits = CompilerLimits::default();
    Sandbox::set_up(layers, limits, Compilers::from(toolchain()).homes())
        .map_err(|error| error.to_string())
}

/// Whether the kernel says that it does not have the call.
fn is_missing<T, E: Into<io::Error>>(result: Result<T, E>) -> bool {
    let code = result.err().and_then(|error| error.into().raw_os_error());
    code == Some(Errno::NOSYS.raw_os_error())
}

/// Which of the calls that the policy denies are denied.
fn denied(sandbox: &Sandbox) -> [bool; 5] {
    let attempts = || {
        let nowhere = PathBuf::from("/nonexistent");
        let mount = rustix::mount::mount_bind(&nowhere, &nowhere);
        Ok([
            is_missing(UdpSocket::bind("127.0.0.1:0")),
            // A door's, say.
            is_missing(UnixStream::connect("/nonexistent/door.sock")),
            is_missing(nix::sys::ptrace::detach(
                nix::unistd::Pid::from_raw(i32::MAX),
                None,
            )),
            is_missing(nix::sched::unshare(CloneFlags::CLONE_FS)),
            is_missing(mount),
        ])
    };
    within(sandbox, &std::env::temp_dir(), attempts).unwrap()
}

#[test]
fn calls_that_no_compiler_makes_are_denied() {
    let without_files = Layers::ALL.without(Layer::Landlock);
    assert_eq!(denied(&sandbox(without_files).unwrap()), [true; 5]);
    let open = without_files.without(Layer::Seccomp);
    assert_eq!(denied(&sandbox(open).unwrap()), [false; 5]);
}

#[test]
fn a_program_runs_only_from_where_the_toolchain_is() {
    let elsewhere = tempfile::tempdir().unwrap();
    let own = tempfile::tempdir().unwrap();
    let program = elsewhere.path().join("sh");
    fs::copy("/bin/sh", &program).unwrap();
    let run = |sandbox: &Sandbox, program: &Path| {
        let mut command = Command::new(program);
        command.args(["-c", ":"]).current_dir("/");
        let started = move || command.status();
        within(sandbox, own.path(), started).map_err(|error| error.kind())
    };
    let closed = sandbox(Layers::ALL).unwrap();
    assert!(run(&closed, Path::new("/bin/sh")).unwrap().success());
    assert_eq!(run(&closed, &program), Err(io::ErrorKind::PermissionDenied));
    let open = sandbox(Layers::ALL.without(Layer::Landlock)).unwrap();
    assert!(run(&open, &program).unwrap().success());
}

#[test]
fn the_thread_that_starts_compilers_is_not_restricted_itself() {
    let directory = tempfile::tempdir().unwrap();
    let closed = sandbox(Layers::ALL).unwrap();
    let inside = within(&closed, directory.path(), || fs::read("/etc/passwd"));
    assert!(inside.is_err());
    assert!(fs::read("/etc/passwd").is_ok());
}

#[test]
fn a_kernel_without_landlock_is_found_out_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let files = linux::Files::new(&[PathBuf::from("/")]).unwrap();
    let tried = alone(move || {
        // Linux stacks sixteen of them and no more.
        while files.restrict_thread(directory.path()).is_ok() {}
        Ok((
            sandbox(Layers::ALL).map(drop),
            sandbox(Layers::ALL.without(Layer::Landlock)).is_ok(),
        ))
    });
    let (all, without) = tried.unwrap();
    let error = all.unwrap_err();
    assert!(error.contains("does not provide landlock: "), "{error}");
    assert!(without);
}

#[test]
fn a_kernel_without_seccomp_is_found_out_at_the_start() {
    let rules = [(libc::SYS_seccomp, Vec::new())].into_iter().collect();
    let architecture = std::env::consts::ARCH.try_into().unwrap();
    let refused = SeccompAction::Errno(1);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refused, architecture).unwrap();
    let filter: BpfProgram = filter.try_into().unwrap();
    let tried = alone(move || {
        seccompiler::apply_filter(&filter).map_err(io::Error::other)?;
        Ok((
            sandbox(Layers::ALL).map(drop),
            sandbox(Layers::ALL.without(Layer::Seccomp)).is_ok(),
        ))
    });
    let (all, without) = tried.unwrap();
    let error = all.unwrap_err();
    assert!(error.contains("does not provide seccomp: "), "{error}");
    assert!(without);
}

#[test]
fn a_missing_layer_can_be_done_without_by_its_name() {
    let missing = MissingLayer {
        layer: Layer::Landlock,
        why: String::new(),
    };
    let word = missing
        .hint()
        .rsplit(' ')
        .next()
        .map(str::to_owned)
        .unwrap();
    assert_eq!(word.parse(), Ok(Layer::Landlock));
}
