//! Ports that stay free until they are used, and between two uses.

use anyhow::{Context, Result};
use std::net::{IpAddr, TcpListener};
use std::ops::Range;

/// Below what systems hand out to clients. A port that the system chose is in that range: until the program has bound it,
/// and while it is down, any connection's own end may take it.
const QUIET: Range<u16> = 10_000..30_000;
/// Random ports that are tried before giving up; hardly any is taken.
const TRIES: usize = 100;

/// A port of this address on which nothing listens.
pub(super) fn free(address: IpAddr) -> Result<u16> {
    std::iter::repeat_with(|| fastrand::u16(QUIET))
        .take(TRIES)
        .find(|port| TcpListener::bind((address, *port)).is_ok())
        .with_context(|| format!("no free port on {address} among {TRIES} tried in {QUIET:?}"))
}
