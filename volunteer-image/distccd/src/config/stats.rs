//! The options of the statistics' port.

use std::net::IpAddr;
use std::num::NonZeroU16;

use super::{BadValue, listen_on, value};

/// Whether and where statistics are told, as it is written.
#[derive(Debug, clap::Args)]
pub(super) struct StatsFlags {
    /// Tell statistics on a port of their own: the stock daemon's text, /metrics, /jobs, /toolchain, /healthz
    #[arg(long)]
    stats: bool,

    /// Port of the statistics [default: 3633]
    #[arg(long, value_name = "PORT")]
    stats_port: Option<String>,

    /// Address of the statistics [default: that of the jobs]
    #[arg(long, value_name = "ADDRESS")]
    stats_listen: Option<String>,
}

/// Where statistics are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatsPort {
    /// Everywhere without an address.
    pub(crate) listen: Option<IpAddr>,
    pub(crate) port: NonZeroU16,
}

/// The stock daemon's.
const DEFAULT_PORT: NonZeroU16 = NonZeroU16::new(3633).expect("3633 is not zero");

impl StatsFlags {
    /// Where to tell statistics, if at all; jobs are served on `listen`.
    pub(super) fn port(
        &self,
        listen: Option<IpAddr>,
        bad: &mut Vec<BadValue>,
    ) -> Option<StatsPort> {
        let at = self.read(listen, bad);
        self.stats.then_some(at)
    }

    /// The same for a door, which is open for statistics where a port is named.
    pub(super) fn door_port(
        &self,
        listen: Option<IpAddr>,
        bad: &mut Vec<BadValue>,
    ) -> Option<StatsPort> {
        let at = self.read(listen, bad);
        (self.stats || self.stats_port.is_some()).then_some(at)
    }

    fn read(&self, listen: Option<IpAddr>, bad: &mut Vec<BadValue>) -> StatsPort {
        let text = self.stats_port.as_deref();
        let port = text.and_then(|text| value("--stats-port", text, "a port from 1 to 65535", bad));
        let own = self
            .stats_listen
            .as_deref()
            .and_then(|text| listen_on("--stats-listen", text, bad));
        StatsPort {
            listen: own.or(listen),
            port: port.unwrap_or(DEFAULT_PORT),
        }
    }
}
