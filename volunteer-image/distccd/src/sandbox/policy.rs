//! What the layers allow, as data.

use std::path::PathBuf;
use std::time::Duration;

/// Where programs and libraries of the system are; those that are links into `/usr` are no rule of their own.
const SYSTEM: &[&str] = &["/usr", "/lib", "/lib32", "/lib64", "/libx32"];

/// Devices that may be read and written.
pub(super) const DEVICES: &[&str] = &["/dev/null"];

/// The directories whose files may be read and executed: the system's programs and libraries and the compilers' `homes`.
///
/// Neither `/etc` nor `/proc` nor `/sys`: no compiler needs them, and what is in them could end up in an object.
pub(super) fn readable(homes: Vec<PathBuf>) -> Vec<PathBuf> {
    let system = SYSTEM.iter().map(PathBuf::from);
    let mut readable: Vec<_> = system.chain(homes).collect();
    readable.sort();
    readable.dedup();
    readable
}

/// What each process of a compiler may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompilerLimits {
    /// Address space, in bytes. Default 16 GiB: what is used of it the container limits.
    pub address_space_bytes: u64,
    /// The largest file, in bytes. Default 2 GiB, for assembler text several times the size of the object.
    pub file_bytes: u64,
    /// Processes of this daemon's user at once, on the whole machine. Default 4096, far above what all compilers of a
    /// machine need; an administrator's processes are not limited. The container's own limit is the narrow one.
    pub processes: u64,
    /// Processor time, in whole seconds. Default 1 hour, which is more than a job's deadline.
    pub cpu: Duration,
}

impl Default for CompilerLimits {
    fn default() -> Self {
        Self {
            address_space_bytes: 16 << 30,
            file_bytes: 2 << 30,
            processes: 4096,
            cpu: Duration::from_hours(1),
        }
    }
}

/// Calls that no compiler makes, refused as if the kernel did not have them (`ENOSYS`).
///
/// Not an error that is new to the caller: `clone3`, whose flags are out of a filter's sight, makes C libraries fall
/// back to `clone`. What is not in the list stays allowed, so that compilers go on working with a C library of next year.
pub(super) const DENIED_CALLS: &[i64] = &[
    // The network: without a socket every other call is void. A pair of sockets is no more than a pipe.
    libc::SYS_socket,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Programs that are in no directory.
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    // Namespaces and mounts; `clone` is looked at more closely.
    libc::SYS_clone3,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_fanotify_init,
    // Large parts of the kernel that a compiler has no use for.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // Administration.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
];

/// Flags of `clone` that make new namespaces.
pub(super) const DENIED_CLONE_FLAGS: &[i32] = &[
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];
