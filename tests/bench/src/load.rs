//! The load generator: [`open`] keeps to a schedule and measures latency, [`saturate`] keeps a proxy's core full.

mod answer;
pub(crate) mod open;
pub(crate) mod saturate;

#[cfg(test)]
mod tests;

use anyhow::{Context, Result, ensure};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for a byte; whatever takes longer here has hung.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a request goes, and what it says: `request(n)` is what the n-th connection sends, again and again.
#[derive(Clone, Copy)]
pub(crate) struct Aim<'a> {
    /// Who is asked.
    pub(crate) target: SocketAddr,
    /// Head and body, per connection.
    pub(crate) request: &'a (dyn Fn(usize) -> Vec<u8> + Sync),
}

fn connect(target: SocketAddr) -> Result<TcpStream> {
    let stream =
        TcpStream::connect_timeout(&target, PATIENCE).with_context(|| format!("cannot connect to {target}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Asks `target` for `path` once; an error unless the answer is a whole 200.
pub(crate) fn probe(target: SocketAddr, path: &str) -> Result<()> {
    let mut stream = connect(target)?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: {target}\r\n\r\n").as_bytes())?;
    let mut answer = answer::Answer::default();
    while !answer.is_whole() {
        let mut buffer = [0; 4096];
        let count = std::io::Read::read(&mut stream, &mut buffer)?;
        ensure!(count > 0, "{target} closed without an answer");
        answer.push(&buffer[..count])?;
    }
    Ok(())
}
