//! Why there is no answer, in the distinctions of the failure table.

use super::out_body::Sent;
use std::error::Error;
use std::fmt;
use std::io;

/// A call that got no answer: which row of the failure table it stands in, and a sentence for people. No sentence
/// quotes a header or a body.
pub struct SendError {
    kind: SendErrorKind,
    sent: Sent,
    sentence: Box<str>,
}

/// The rows of the failure table that a connection can stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SendErrorKind {
    /// There never was a connection.
    Connect(ConnectFailure),
    /// Not processed for certain: HTTP/2 refused the stream, or went away below it.
    NotProcessed,
    /// Lost before the upstream can have had the whole body.
    BodyNotSent,
    /// A connection that had served before ended before any byte of the answer. [`SendError::sent`] still says whether
    /// the upstream can have had the body.
    Stale,
    /// Reset or ended after the body was sent, or answered with something that is not HTTP.
    Ambiguous,
}

/// Why there never was a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectFailure {
    /// Nobody listens.
    Refused,
    /// The name has no address.
    Dns,
    /// The other side does not speak TLS, or is not who it should be.
    Tls,
    /// Not within the connect timeout.
    Timeout,
    /// Unreachable, out of sockets, and the like.
    Other,
}

/// An answer that broke off.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BodyError(Box<str>);

/// Why no connection was made; shared by all that waited for it.
#[derive(Clone, Debug)]
pub(super) struct ConnectError {
    pub(super) failure: ConnectFailure,
    pub(super) sentence: String,
}

impl SendError {
    pub(super) fn new(kind: SendErrorKind, sent: Sent, sentence: impl Into<Box<str>>) -> Self {
        Self {
            kind,
            sent,
            sentence: sentence.into(),
        }
    }

    /// The connection ended before any of the answer, for `why`.
    pub(super) fn lost(sent: Sent, host: &str, why: &str) -> Self {
        if sent == Sent::Whole {
            Self::new(
                SendErrorKind::Ambiguous,
                sent,
                format!("{host} broke off after the request was sent: {why}"),
            )
        } else {
            let sentence = format!("the connection to {host} was lost before the whole request was sent: {why}");
            Self::new(SendErrorKind::BodyNotSent, sent, sentence)
        }
    }

    /// The row.
    pub fn kind(&self) -> SendErrorKind {
        self.kind
    }

    /// How much of the body had left. Anything but [`Sent::Whole`] means that it cannot have been processed.
    pub fn sent(&self) -> Sent {
        self.sent
    }
}

impl From<ConnectError> for SendError {
    fn from(error: ConnectError) -> Self {
        Self::new(SendErrorKind::Connect(error.failure), Sent::Nothing, error.sentence)
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl fmt::Debug for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SendError({:?}, {:?}, {:?})", self.kind, self.sent, self.sentence)
    }
}

impl Error for SendError {}

impl BodyError {
    pub(super) fn new(sentence: impl Into<Box<str>>) -> Self {
        Self(sentence.into())
    }
}

/// The innermost reason: the layers above only repeat that something failed.
pub(crate) fn reason(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let of_http = innermost.downcast_ref::<hyper::Error>().map(of_http);
    let of_http2 = || innermost.downcast_ref::<h2::Error>().map(of_http2);
    let of_system = || innermost.downcast_ref::<io::Error>().map(of_system);
    of_http
        .or_else(of_http2)
        .or_else(of_system)
        .unwrap_or_else(|| innermost.to_string())
}

const CLOSED_EARLY: &str = "the connection was closed before the answer was complete";

fn of_http(error: &hyper::Error) -> String {
    if error.is_incomplete_message() {
        CLOSED_EARLY.to_owned()
    } else if error.is_canceled() || error.is_closed() {
        "the connection was closed".to_owned()
    } else {
        error.to_string().trim_end_matches(" parsed").to_owned()
    }
}

/// Its own text quotes what the other side sent along.
fn of_http2(error: &h2::Error) -> String {
    match (error.reason(), error.get_io()) {
        (Some(reason), _) => reason.description().to_owned(),
        (None, Some(error)) => of_system(error),
        (None, None) => error.to_string(),
    }
}

/// Errors of the system by their kind, without its numbers; those that a protocol made in its own words.
pub(super) fn of_system(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => CLOSED_EARLY.to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => "the connection was reset".to_owned(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::NotConnected => "the connection was closed".to_owned(),
        kind => match error.raw_os_error() {
            // Most kinds have no stable name yet, and all of those one word.
            Some(_) if kind.to_string() != "uncategorized error" => kind.to_string(),
            Some(_) | None => error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_told_in_words() {
        for (number, expected) in [
            (111, "connection refused"),
            (104, "the connection was reset"),
            (32, "the connection was closed"),
            (113, "host unreachable"),
            (110, "timed out"),
        ] {
            assert_eq!(of_system(&io::Error::from_raw_os_error(number)), expected);
        }
        let own = io::Error::new(io::ErrorKind::InvalidInput, "Invalid chunk size line");
        assert_eq!(reason(&own), "Invalid chunk size line");
    }
}
