//! The layers by the means of Linux: `landlock(7)`, `seccomp(2)`, `prlimit(2)`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter,
};

use super::policy::{CompilerLimits, DENIED_CALLS, DENIED_CLONE_FLAGS, DEVICES};

/// The oldest Landlock that will do: reading, writing, executing and making files.
const OLDEST: ABI = ABI::V1;
/// What is asked for where the kernel has it: truncating, device controls, TCP, signals to other processes.
const NEWEST: ABI = ABI::V6;

/// The file layer.
#[derive(Debug)]
pub(super) struct Files {
    readable: Vec<PathFd>,
    devices: Vec<PathFd>,
}

impl Files {
    /// Opens what may be used, and tries the layer on the calling thread.
    pub(super) fn new(readable: &[PathBuf]) -> io::Result<Self> {
        let files = Self {
            readable: open_present(readable)?,
            devices: open_present(DEVICES)?,
        };
        // Any directory will do for a trial.
        files.restrict_thread(Path::new("/"))?;
        Ok(files)
    }

    /// Restricts the calling thread, and all that it starts, to these files and to what is in `directory`.
    pub(super) fn restrict_thread(&self, directory: &Path) -> io::Result<()> {
        let read_and_run = AccessFs::from_read(OLDEST);
        let use_device = AccessFs::ReadFile | AccessFs::WriteFile;
        // No program runs from the job's directory.
        let work = AccessFs::from_all(NEWEST)
            & !(AccessFs::Execute
                | AccessFs::MakeChar
                | AccessFs::MakeBlock
                | AccessFs::MakeSock
                | AccessFs::IoctlDev);
        let beneath = |path, access: BitFlags<AccessFs>| PathBeneath::new(path, access);
        let directory = PathFd::new(directory).map_err(io::Error::other)?;
        let rules = self
            .readable
            .iter()
            .map(|path| beneath(path, read_and_run))
            .chain(self.devices.iter().map(|path| beneath(path, use_device)))
            .chain([beneath(&directory, work)]);
        let restrict = || {
            let status = Ruleset::default()
                .set_compatibility(CompatLevel::HardRequirement)
                .handle_access(AccessFs::from_all(OLDEST))?
                .set_compatibility(CompatLevel::BestEffort)
                .handle_access(AccessFs::from_all(NEWEST))?
                .handle_access(AccessNet::from_all(NEWEST))?
                .scope(Scope::from_all(NEWEST))?
                .create()?
                .add_rules(rules.map(Ok::<_, landlock::RulesetError>))?
                .restrict_self()?;
            Ok(status)
        };
        let status = restrict().map_err(|error: landlock::RulesetError| io::Error::other(error))?;
        if status.ruleset == RulesetStatus::NotEnforced || !status.no_new_privs {
            return Err(io::Error::other("not enforced"));
        }
        Ok(())
    }
}

/// Opens those of `paths` that exist, without those that are within another: each takes time for every job.
fn open_present(paths: &[impl AsRef<Path>]) -> io::Result<Vec<PathFd>> {
    let present = paths
        .iter()
        .filter_map(|path| path.as_ref().canonicalize().ok());
    let mut present: Vec<_> = present.collect();
    present.sort();
    present.dedup_by(|inner, outer| inner.starts_with(outer));
    let open = |path| PathFd::new(path).map_err(io::Error::other);
    present.iter().map(open).collect()
}

/// The system call layer.
#[derive(Debug)]
pub(super) struct Calls {
    program: BpfProgram,
}

impl Calls {
    /// Translates the policy.
    pub(super) fn new() -> io::Result<Self> {
        let program = filter().map_err(io::Error::other)?;
        Ok(Self { program })
    }

    /// Restricts the calling thread, and all that it starts.
    pub(super) fn restrict_thread(&self) -> io::Result<()> {
        apply_filter(&self.program).map_err(io::Error::other)
    }
}

/// On x86-64, the same call of the x32 ABI: number and this bit (`__X32_SYSCALL_BIT`).
const X32_BIT: i64 = 0x4000_0000;

/// A process of another architecture than this program's is killed at its first call: the numbers would mean others.
fn filter() -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = DENIED_CALLS
        .iter()
        .map(|call| (*call, Vec::new()))
        .collect();
    let namespaces = DENIED_CLONE_FLAGS.iter().map(|flag| namespace(*flag));
    rules.insert(libc::SYS_clone, namespaces.collect::<Result<_, _>>()?);
    if cfg!(target_arch = "x86_64") {
        let twins = rules
            .iter()
            .map(|(call, rules)| (call | X32_BIT, rules.clone()));
        rules.extend(twins.collect::<Vec<_>>());
    }
    let missing = SeccompAction::Errno(Errno::NOSYS.raw_os_error().unsigned_abs());
    let architecture = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::Allow, missing, architecture)?.try_into()
}

fn namespace(flag: i32) -> Result<SeccompRule, seccompiler::BackendError> {
    let flag = u64::from(flag.cast_unsigned());
    let operator = SeccompCmpOp::MaskedEq(flag);
    let condition = SeccompCondition::new(0, SeccompCmpArgLen::Dword, operator, flag)?;
    SeccompRule::new(vec![condition])
}

/// Checks that the kernel tells and takes limits, without changing any.
pub(super) fn try_limits(limits: CompilerLimits) -> io::Result<CompilerLimits> {
    for (resource, _) in values(limits) {
        prlimit(None, resource, getrlimit(resource))?;
    }
    Ok(limits)
}

/// Guards the limits of this process: they are the same for all of its threads.
static OWN_LIMITS: Mutex<()> = Mutex::new(());

/// Does `start` while this process has `limits` itself, so that what it starts has them from its first moment.
///
/// Only the soft ones, which can be raised again afterwards.
pub(super) fn under<T>(
    limits: CompilerLimits,
    start: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    let guard = OWN_LIMITS.lock().unwrap_or_else(PoisonError::into_inner);
    let own = values(limits).map(|(resource, _)| (resource, getrlimit(resource)));
    let lowered =
        values(limits)
            .into_iter()
            .zip(&own)
            .try_for_each(|((resource, value), (_, own))| {
                let current = own.maximum.map_or(value, |maximum| maximum.min(value));
                let lowered = Rlimit {
                    current: Some(current),
                    maximum: own.maximum,
                };
                setrlimit(resource, lowered)
            });
    let started = lowered.map_err(io::Error::from).and_then(|()| start());
    for (resource, own) in own {
        if let Err(error) = setrlimit(resource, own) {
            tracing::error!(?resource, %error, "cannot restore a resource limit of this process");
        }
    }
    drop(guard);
    started
}

/// Limits for good what `pid` may use.
pub(super) fn limit(pid: Pid, limits: CompilerLimits) -> io::Result<()> {
    for (resource, value) in values(limits) {
        let before = prlimit(Some(pid), resource, both(value));
        // Somebody else's lower limit may stay.
        match before {
            Ok(_) | Err(Errno::PERM) => {}
            // It has ended.
            Err(Errno::SRCH) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Limits for good what every process may use that `pid` has started.
pub(super) fn limit_descendants(pid: Pid, limits: CompilerLimits) {
    for child in children(pid) {
        if let Err(error) = limit(child, limits) {
            tracing::warn!(pid = %child.as_raw_nonzero(), %error, "a compiler's process could raise its limits");
        }
        limit_descendants(child, limits);
    }
}

fn values(limits: CompilerLimits) -> [(Resource, u64); 5] {
    [
        (Resource::As, limits.address_space_bytes),
        (Resource::Fsize, limits.file_bytes),
        (Resource::Nproc, limits.processes),
        (Resource::Cpu, limits.cpu.as_secs()),
        (Resource::Core, 0),
    ]
}

fn both(value: u64) -> Rlimit {
    Rlimit {
        current: Some(value),
        maximum: Some(value),
    }
}

/// None for most: a process is limited before it has run for long.
fn children(pid: Pid) -> Vec<Pid> {
    let pid = pid.as_raw_nonzero();
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace()
        .filter_map(|word| word.parse().ok().and_then(Pid::from_raw))
        .collect()
}

/// Makes every descriptor that this process inherited, but for the first three, vanish in the programs it starts. Its
/// own do so anyway.
pub(crate) fn forget_descriptors() -> io::Result<()> {
    for entry in fs::read_dir("/proc/self/fd")? {
        let name = entry?.file_name();
        let Some(number) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        if number > 2 {
            #[expect(unsafe_code, reason = "the kernel gives descriptors as numbers")]
            // SAFETY: the number is that of an open descriptor or, for the one that listed the directory, of one that
            // was; the borrow does not outlive this statement, and setting a flag on a closed one is an error only.
            let done = fcntl_setfd(unsafe { BorrowedFd::borrow_raw(number) }, FdFlags::CLOEXEC);
            match done {
                Ok(()) | Err(Errno::BADF) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}
