//! The stock client's list of hosts.

use super::Line;

/// The value of `DISTCC_HOSTS`: blanks between `HOST:PORT/LIMIT,OPTIONS`, in exactly this order, which is the one that
/// the stock client reads (`distcc(1)`, host specifications). `lzo` asks for protocol version 2.
pub(super) fn host_list<'l>(lines: impl Iterator<Item = &'l Line>) -> String {
    let items: Vec<String> = lines
        .map(|line| format!("{}:{}/{},lzo", line.address, line.port, line.slots))
        .collect();
    items.join(" ")
}
