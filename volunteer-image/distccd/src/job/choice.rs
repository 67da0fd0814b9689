//! Which of the installed versions compiles a job, and whether the client can use what it makes.

use std::fmt;

use volunteer_toolchain::{Compiler, Toolchain, contradicts, usual_ports};

use super::client::{ClientCompiler, ClientVersion};
use crate::settings::VersionSkew;

/// Why a version was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The client named it, as in `gcc-13`.
    Named,
    /// It has the major version of the client's: same code, same object format.
    SameMajor,
    /// The client's is not here; this is the newest, and not older than the client's.
    NewestNotOlder,
    /// The client's is not here; this is the newest, although older than the client's.
    NewestAlthoughOlder,
    /// Nothing is known of the client's GCC: the toolchain's first.
    Preferred,
}

/// A job that the client could not use here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsuited {
    /// The classic: the host compiler's jobs on the port of another architecture.
    #[error(
        "the source was preprocessed by a compiler for {triple}, but this volunteer compiles for {target}{}",
        .port.as_ref().map(|port| format!("; the right port is {port}")).unwrap_or_default()
    )]
    OtherMachine {
        /// The client's.
        triple: String,
        /// This volunteer's.
        target: String,
        /// Where such jobs belong, if anywhere.
        port: Option<String>,
    },
    /// The administrator wants no other version than the client's.
    #[error("your {client} is not on this volunteer for {target}, which would use GCC {chosen}")]
    OtherVersion {
        /// The client's.
        client: ClientVersion,
        /// This volunteer's target.
        target: String,
        /// The major version that would be used.
        chosen: u32,
    },
    /// Intermediate code of one version cannot be linked by another.
    #[error(
        "option -flto needs the same compiler version on both machines: {}, this volunteer would use GCC {chosen}",
        .client.as_ref().map_or_else(|| "yours is not known".to_owned(), |client| format!("yours is {client}"))
    )]
    LinkTime {
        /// The client's, where it is known.
        client: Option<ClientVersion>,
        /// The major version that would be used.
        chosen: u32,
    },
}

impl Unsuited {
    /// One word for statistics, stable.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::OtherMachine { .. } => "other-machine",
            Self::OtherVersion { .. } => "other-version",
            Self::LinkTime { .. } => "link-time",
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::OtherMachine { .. } => {
                "take this volunteer out of DISTCC_HOSTS for this build, or set CC and CXX to the target's cross compiler".to_owned()
            }
            Self::OtherVersion { .. } => {
                "install that version on the volunteer, or let it use another with --version-skew warn".to_owned()
            }
            Self::LinkTime { .. } => {
                "install your version on the volunteer, name one that both have as in gcc-14, or build without -flto".to_owned()
            }
        }
    }
}

/// The installed version that fits best: the one named, else the client's own major version, else the newest.
///
/// `None` only if a version is named that is not installed.
pub(crate) fn fitting(
    toolchain: &Toolchain,
    named: Option<u32>,
    client: Option<u32>,
) -> Option<(&Compiler, Reason)> {
    let installed = |major| {
        let compilers = &toolchain.compilers;
        compilers.iter().find(|compiler| compiler.major == major)
    };
    if let Some(major) = named {
        return installed(major).map(|compiler| (compiler, Reason::Named));
    }
    let Some(major) = client else {
        let first = toolchain.compilers.first()?;
        return Some((first, Reason::Preferred));
    };
    if let Some(same) = installed(major) {
        return Some((same, Reason::SameMajor));
    }
    let newest = toolchain
        .compilers
        .iter()
        .max_by_key(|compiler| compiler.major)?;
    Some((newest, Reason::of_newest(newest.major, major)))
}

/// Whether the client stands a chance of linking objects of this volunteer.
pub(crate) fn check_machine(
    client: &ClientCompiler,
    toolchain: &Toolchain,
) -> Result<(), Unsuited> {
    let wrong = |triple: &&String| {
        !toolchain.triples.contains(triple) && contradicts(triple, &toolchain.object)
    };
    match client.triple.as_ref().filter(wrong) {
        None => Ok(()),
        Some(triple) => Err(Unsuited::OtherMachine {
            triple: triple.clone(),
            target: toolchain.target.clone(),
            port: right_port(triple),
        }),
    }
}

/// Whether version `chosen` may compile for a client that has another one, or may have.
pub(crate) fn check_version(
    client: Option<&ClientCompiler>,
    (chosen, reason): (u32, Reason),
    link_time: bool,
    policy: VersionSkew,
    target: &str,
) -> Result<(), Unsuited> {
    let client_major = client.and_then(ClientCompiler::gcc_major);
    let version = client.map(|client| client.version.clone());
    let named = (client.is_none() && reason == Reason::Named).then_some(chosen);
    if link_time && client_major.or(named) != Some(chosen) {
        let client = version;
        return Err(Unsuited::LinkTime { client, chosen });
    }
    match version {
        Some(client) if reason.is_skewed() && policy == VersionSkew::Refuse => {
            Err(Unsuited::OtherVersion {
                client,
                target: target.to_owned(),
                chosen,
            })
        }
        _ => Ok(()),
    }
}

/// The port where jobs for `triple` belong, or the ports between which they decide.
pub(crate) fn right_port(triple: &str) -> Option<String> {
    let ports: Vec<_> = usual_ports(triple)
        .iter()
        .map(|usual| format!("{} ({})", usual.port, usual.target))
        .collect();
    (!ports.is_empty()).then(|| ports.join(" or "))
}

impl Reason {
    /// Why `newest` stands in for a client's version that is not here.
    pub(super) fn of_newest(newest: u32, client: u32) -> Self {
        if newest > client {
            Self::NewestNotOlder
        } else {
            Self::NewestAlthoughOlder
        }
    }

    /// Whether the client is known to have another major version, and did not ask for this one.
    pub(crate) fn is_skewed(self) -> bool {
        matches!(self, Self::NewestNotOlder | Self::NewestAlthoughOlder)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Named => "named",
            Self::SameMajor => "same-major",
            Self::NewestNotOlder => "newest-not-older",
            Self::NewestAlthoughOlder => "newest-although-older",
            Self::Preferred => "preferred",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::toolchain;

    fn with_versions(majors: &[u32]) -> Toolchain {
        let mut toolchain = toolchain();
        let first = toolchain.compilers[0].clone();
        let compiler = |major: &u32| Compiler {
            major: *major,
            ..first.clone()
        };
        toolchain.compilers = majors.iter().map(compiler).collect();
        toolchain
    }

    fn gcc(major: u32, triple: &str) -> ClientCompiler {
        ClientCompiler {
            version: ClientVersion::Gcc {
                major,
                full: format!("{major}.1"),
            },
            triple: Some(triple.to_owned()),
        }
    }

    #[test]
    fn the_version_that_fits_best_is_chosen() {
        let toolchain = with_versions(&[13, 12, 14]);
        let cases = [
            (Some(12), Some(14), Some((12, "named"))),
            (Some(11), Some(14), None),
            (None, Some(12), Some((12, "same-major"))),
            (None, Some(11), Some((14, "newest-not-older"))),
            (None, Some(16), Some((14, "newest-although-older"))),
            (None, None, Some((13, "preferred"))),
        ];
        for (named, client, expected) in cases {
            let found = fitting(&toolchain, named, client)
                .map(|(compiler, reason)| (compiler.major, reason.to_string()));
            let found = found
                .as_ref()
                .map(|(major, reason)| (*major, reason.as_str()));
            assert_eq!(found, expected, "{named:?} {client:?}");
        }
    }

    #[test]
    fn a_source_of_another_machine_is_sent_to_its_port() {
        let toolchain = toolchain();
        assert_eq!(
            check_machine(&gcc(14, "x86_64-pc-linux-gnu"), &toolchain),
            Ok(())
        );
        let cases = [
            (
                "armv7l-unknown-linux-gnueabihf",
                "; the right port is 3635 (armv7h)",
            ),
            (
                "arm-linux-gnueabihf",
                "; the right port is 3634 (armv6h) or 3635 (armv7h)",
            ),
            ("s390x-linux-gnu", ""),
        ];
        for (triple, port) in cases {
            let refusal = check_machine(&gcc(14, triple), &toolchain).unwrap_err();
            let expected = format!(
                "the source was preprocessed by a compiler for {triple}, but this volunteer compiles for x86_64{port}"
            );
            assert_eq!(refusal.to_string(), expected);
        }
        let mut own = toolchain;
        own.triples.push("arm-linux-gnueabihf".to_owned());
        assert_eq!(check_machine(&gcc(14, "arm-linux-gnueabihf"), &own), Ok(()));
    }

    #[test]
    fn intermediate_code_needs_the_clients_own_version() {
        let client = |major| gcc(major, "x86_64-linux-gnu");
        let cases = [
            (Some(client(14)), Reason::SameMajor, true),
            (Some(client(14)), Reason::Named, true),
            (Some(client(13)), Reason::Named, false),
            (Some(client(13)), Reason::NewestNotOlder, false),
            (None, Reason::Named, true),
            (None, Reason::Preferred, false),
        ];
        for (client, reason, expected) in cases {
            let checked = |link_time| {
                check_version(
                    client.as_ref(),
                    (14, reason),
                    link_time,
                    VersionSkew::Warn,
                    "x86_64",
                )
            };
            assert_eq!(checked(true).is_ok(), expected, "{client:?} {reason}");
            assert_eq!(checked(false), Ok(()), "{client:?} {reason}");
        }
    }

    #[test]
    fn another_version_is_refused_only_where_the_policy_says_so() {
        let client = gcc(16, "x86_64-linux-gnu");
        let checked = |reason, policy| {
            check_version(Some(&client), (14, reason), false, policy, "x86_64")
                .map_err(|unsuited| unsuited.to_string())
        };
        let skewed = Reason::NewestAlthoughOlder;
        let refused =
            "your GCC 16.1 is not on this volunteer for x86_64, which would use GCC 14".to_owned();
        assert_eq!(checked(skewed, VersionSkew::Refuse), Err(refused));
        assert_eq!(checked(skewed, VersionSkew::Warn), Ok(()));
        assert_eq!(checked(skewed, VersionSkew::Ignore), Ok(()));
        assert_eq!(checked(Reason::Named, VersionSkew::Refuse), Ok(()));
    }
}
