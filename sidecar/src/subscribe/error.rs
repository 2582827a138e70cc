//! Why there is no stream from the operator, or no more.

use super::certificate::CertificateError;
use super::lines::LineError;
use http::StatusCode;
use std::io;
use std::path::PathBuf;

/// What went wrong between this sidecar and the operator. Never quotes a token.
#[derive(Debug, thiserror::Error)]
pub(super) enum OperatorError {
    /// The address has no port, or its name no address.
    #[error("the operator's address {address} could not be resolved: {reason}")]
    Resolve { address: String, reason: String },
    /// Nobody took the connection.
    #[error("no connection to the operator at {address}: {source}")]
    Connect { address: String, source: io::Error },
    /// No answer to one of our steps in time.
    #[error("the operator at {address} took longer than {seconds} s: {step}")]
    Late {
        address: String,
        seconds: u64,
        step: &'static str,
    },
    /// The file that says whom to trust.
    #[error("the CA bundle {} cannot be used: {reason}", path.display())]
    Bundle { path: PathBuf, reason: String },
    /// The handshake, on our side or on theirs.
    #[error("the TLS handshake with the operator at {address} failed: {reason}")]
    Tls { address: String, reason: String },
    /// The file that says who we are.
    #[error("the token {} cannot be used: {reason}", path.display())]
    Token { path: PathBuf, reason: String },
    /// It answered, and said no.
    #[error("the operator answered {path} with {status}: {sentence}")]
    Refused {
        path: &'static str,
        status: StatusCode,
        sentence: String,
    },
    /// Its certificate for us.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The connection, before an answer or in the middle of one.
    #[error("the connection to the operator broke: {0}")]
    Lost(String),
    /// What it sent.
    #[error("the operator sent what cannot be read: {0}")]
    Line(#[from] LineError),
    /// A line that is none of ours.
    #[error("the operator sent what cannot be read: {0}")]
    Message(#[from] pilotfish_wire::DecodeError),
    /// The first line is to say who speaks.
    #[error("the operator's first line is not a hello")]
    NoHello,
    /// It was named as the leader, and names another.
    #[error("the replica that is said to lead does not")]
    NoLeader,
    /// It ended the stream, as it does from time to time.
    #[error("the operator ended the stream")]
    Ended,
}

/// How streams end: the operator ends them, they break, or what is sent is not read.
pub(super) const ENDINGS: [&str; 3] = ["ended", "lost", "protocol"];

/// How an attempt to be connected went, for its counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Connected,
    Unreachable,
    Tls,
    Refused,
    Protocol,
}

impl Outcome {
    pub(super) const ALL: [Self; 5] = [
        Self::Connected,
        Self::Unreachable,
        Self::Tls,
        Self::Refused,
        Self::Protocol,
    ];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::Refused => "refused",
            Self::Protocol => "protocol",
        }
    }
}

impl OperatorError {
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Resolve { .. } | Self::Connect { .. } | Self::Late { .. } | Self::Lost(_) | Self::Ended => {
                Outcome::Unreachable
            }
            Self::Bundle { .. } | Self::Tls { .. } => Outcome::Tls,
            Self::Token { .. } | Self::Refused { .. } => Outcome::Refused,
            Self::Certificate(_) | Self::Line(_) | Self::Message(_) | Self::NoHello | Self::NoLeader => {
                Outcome::Protocol
            }
        }
    }

    /// How a stream ended, for its counter: one of [`ENDINGS`].
    pub(super) fn ending(&self) -> &'static str {
        match self {
            Self::Ended => "ended",
            other if other.outcome() == Outcome::Protocol => "protocol",
            _ => "lost",
        }
    }

    /// Whether it may have been our certificate that was not accepted. In TLS 1.3 the server says so when the client is
    /// done already, so that it looks like a connection that breaks.
    pub(super) fn doubts_certificate(&self) -> bool {
        match self {
            Self::Tls { .. } | Self::Lost(_) => true,
            Self::Refused { status, .. } => [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(status),
            Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::Late { .. }
            | Self::Bundle { .. }
            | Self::Token { .. }
            | Self::Certificate(_)
            | Self::Line(_)
            | Self::Message(_)
            | Self::NoHello
            | Self::NoLeader
            | Self::Ended => false,
        }
    }
}
