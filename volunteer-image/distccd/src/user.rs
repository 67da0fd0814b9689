//! Stops being root. A static program cannot ask the C library for users, so the files are read here.

use std::fs;

use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};

/// Users for daemons of this kind, the preferred one first: the stock daemon's, Debian's, and everybody's.
const DEFAULTS: [&str; 3] = ["distcc", "distccd", "nobody"];

/// The user and group that Linux gives to nobody, where no file says otherwise.
const NOBODY: Identity = Identity {
    user: 65534,
    group: 65534,
};

/// Still root, which it must not be.
#[derive(Debug, thiserror::Error)]
#[error("cannot become user {user}: {source}")]
pub(crate) struct StillRoot {
    user: u32,
    source: nix::Error,
}

/// Who a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    user: u32,
    group: u32,
}

/// Becomes `wanted`, or the first of the usual users that there is, if this process is root. Returns remarks for the log.
pub(crate) fn become_unprivileged(wanted: Option<&str>) -> Result<Vec<String>, StillRoot> {
    let mut remarks = Vec::new();
    if !Uid::effective().is_root() {
        if let Some(user) = wanted {
            remarks.push(format!("--user {user} has no effect: not started as root"));
        }
        return Ok(remarks);
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    if let Some(user) = wanted.filter(|user| find(&users, user).is_none()) {
        remarks.push(format!("there is no user {user}, taking another"));
    }
    let identity = choose(&users, wanted);
    if identity.user == 0 {
        remarks.push("staying root, as told".to_owned());
        return Ok(remarks);
    }
    change(identity).map_err(|source| StillRoot {
        user: identity.user,
        source,
    })?;
    Ok(remarks)
}

fn change(identity: Identity) -> nix::Result<()> {
    let group = Gid::from_raw(identity.group);
    setgroups(&[group])?;
    setgid(group)?;
    setuid(Uid::from_raw(identity.user))?;
    rustix::thread::set_no_new_privs(true)
        .map_err(|error| nix::Error::from_raw(error.raw_os_error()))
}

fn choose(users: &str, wanted: Option<&str>) -> Identity {
    let mut names = wanted.into_iter().chain(DEFAULTS);
    names.find_map(|name| find(users, name)).unwrap_or(NOBODY)
}

/// Looks a user up in a table whose format is that of `passwd(5)`: name, password, user, group, …
fn find(users: &str, name: &str) -> Option<Identity> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next()? == name;
        let _password = fields.next()?;
        let identity = Identity {
            user: fields.next()?.parse().ok()?,
            group: fields.next()?.parse().ok()?,
        };
        found.then_some(identity)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_usual_user_that_exists_is_taken() {
        let debian = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:\ndistccd:x:102:103::/:\nodd:x:many:1::/:\n";
        let few = "root:x:0:0::/:\n";
        let cases = [
            (debian, None, 102, 103),
            (debian, Some("nobody"), 65534, 65534),
            (debian, Some("root"), 0, 0),
            (debian, Some("missing"), 102, 103),
            (debian, Some("odd"), 102, 103),
            (few, None, 65534, 65534),
            ("", Some("distcc"), 65534, 65534),
        ];
        for (users, wanted, user, group) in cases {
            assert_eq!(
                choose(users, wanted),
                Identity { user, group },
                "{wanted:?}"
            );
        }
    }
}
