//! Connections of somebody who wants nothing but to hold them.

use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// What never happens within this time never happens.
const PATIENCE: Duration = Duration::from_secs(30);

/// Open connections, all from one address. Dropping this closes them.
#[derive(Debug)]
pub struct Strangers(Vec<TcpStream>);

impl Strangers {
    /// So many connections to `address`, on each of which `words` are said and nothing is read.
    pub async fn hold(address: SocketAddr, how_many: usize, words: &str) -> Result<Self> {
        let mut held = Vec::with_capacity(how_many);
        for _ in 0..how_many {
            let mut stream = TcpStream::connect(address).await?;
            // Who is put out at once cannot be told anything.
            drop(timeout(Duration::from_millis(100), stream.write_all(words.as_bytes())).await);
            held.push(stream);
        }
        Ok(Self(held))
    }

    /// Waits until `how_many` of them have been closed at the other end.
    pub async fn closed(self, how_many: usize) -> Result<()> {
        let mut reading = JoinSet::new();
        for mut stream in self.0 {
            reading.spawn(async move { drop(stream.read_to_end(&mut Vec::new()).await) });
        }
        for closed in 0..how_many {
            let ended = timeout(PATIENCE, reading.join_next()).await;
            let ended = ended.with_context(|| format!("only {closed} of {how_many} were closed"))?;
            ensure!(ended.is_some(), "there were only {closed}");
        }
        Ok(())
    }
}
