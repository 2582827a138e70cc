//! How long things may take.

use std::time::Duration;

/// The server's patience. Tests have less.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Until a handshake is done.
    pub handshake: Duration,
    /// Until something is asked on a new connection.
    pub unasked: Duration,
    /// Until a sidecar has sent its first line, or its certificate request.
    pub first: Duration,
    /// A pod that was just made may be known to the API server and not yet to the watch.
    pub fresh_pod: Duration,
    /// A connection on which nothing is asked or done for twice this long is closed.
    pub idle: Duration,
    /// Between two pings.
    pub ping: Duration,
    /// A ping that is not answered within this means that nobody is there.
    pub dead: Duration,
    /// A sidecar that answers pings and reads nothing for this long is stuck.
    pub stuck: Duration,
    /// How long a stream lasts, give or take a fifth, so that sidecars spread over replicas.
    pub stream: Duration,
    /// Until a connection has ended once it is to, be it because the server stops.
    pub drain: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            unasked: Duration::from_secs(5),
            first: Duration::from_secs(10),
            fresh_pod: Duration::from_secs(5),
            idle: Duration::from_secs(15),
            ping: Duration::from_secs(10),
            dead: Duration::from_secs(20),
            stuck: Duration::from_secs(60),
            stream: Duration::from_secs(30 * 60),
            drain: Duration::from_secs(5),
        }
    }
}
