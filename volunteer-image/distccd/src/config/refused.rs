//! Options of the stock daemon that are refused on purpose, each with the reason.

use std::path::PathBuf;

use clap::Args;

/// Options that are known and refused.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one for each option of the stock daemon that takes no value"
)]
pub(super) struct RefusedFlags {
    #[arg(long, hide = true)]
    make_me_a_botnet: bool,
    #[arg(long, hide = true)]
    auth: bool,
    #[arg(long, hide = true)]
    show_principal: bool,
    #[arg(long, hide = true, value_name = "FILE")]
    blacklist: Option<PathBuf>,
    #[arg(long, hide = true, value_name = "FILE")]
    whitelist: Option<PathBuf>,
    #[arg(long, hide = true)]
    zeroconf: bool,
}

/// An option that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusedOption {
    Botnet,
    Auth,
    ShowPrincipal,
    Principals,
    Zeroconf,
}

impl RefusedOption {
    /// The first of them that is given.
    pub(super) fn read(flags: &RefusedFlags) -> Option<Self> {
        let lists = flags.blacklist.is_some() || flags.whitelist.is_some();
        [
            (flags.make_me_a_botnet, Self::Botnet),
            (flags.auth, Self::Auth),
            (flags.show_principal, Self::ShowPrincipal),
            (lists, Self::Principals),
            (flags.zeroconf, Self::Zeroconf),
        ]
        .into_iter()
        .find_map(|(given, option)| given.then_some(option))
    }

    /// Whether it is one of GSS-API, for which there is an exit code of its own.
    pub(crate) fn is_authentication(self) -> bool {
        matches!(self, Self::Auth | Self::ShowPrincipal)
    }

    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Botnet => {
                "--make-me-a-botnet is refused: jobs never run other programs than compilers"
            }
            Self::Auth => "--auth is refused: this daemon has no GSS-API",
            Self::ShowPrincipal => "--show-principal is refused: this daemon has no GSS-API",
            Self::Principals => {
                "--blacklist and --whitelist are refused: they list GSS-API principals, and this daemon has no GSS-API"
            }
            Self::Zeroconf => "--zeroconf is refused: this daemon does not announce itself",
        }
    }

    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::Botnet => {
                "--enable-tcp-insecure permits every compiler on the search path; DISTCC_CMDLIST permits those of a list"
            }
            Self::Auth | Self::ShowPrincipal | Self::Principals => {
                "let clients in by address with --allow, or have them come through ssh: DISTCC_HOSTS=@host"
            }
            Self::Zeroconf => "name the host in DISTCC_HOSTS",
        }
    }
}
