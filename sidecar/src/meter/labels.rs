//! The labels whose values are a fixed set.

use crate::dialect::{ClientDialect, Operation};

/// How one attempt ended; the rows of the failure table, and success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// An answer, or the client's own error, reached the client.
    Ok,
    /// Refused, DNS, TLS, connect timeout, or lost before the whole body was sent.
    Connect,
    /// Not processed for certain: REFUSED_STREAM, GOAWAY below our stream.
    NotProcessed,
    /// A reused connection ended before any byte of the answer.
    Stale,
    /// 429 for rate, 503, 529, 498.
    Limited,
    /// 401, 403.
    Unauthorised,
    /// 402, 429 for spend.
    Spent,
    /// 404 for the model.
    ModelNotFound,
    /// 500, 502, 504, 408.
    ServerError,
    /// Reset or end after the body was sent and before the commit.
    Interrupted,
    /// No first token in time, or the attempt's time was up.
    Timeout,
    /// Unparsable or truncated answer.
    Malformed,
    /// 400 because the input is longer than the model's window.
    ContextOverflow,
    /// Any other 4xx.
    Client,
    /// The client went away.
    Cancelled,
    /// The stream broke after it was committed.
    Broken,
    /// The whole request's time was up: the client's patience, or the policy's, says nothing about the upstream.
    Deadline,
    /// The sidecar itself had no memory left for the answer.
    NoMemory,
}

impl Outcome {
    /// Every outcome, in the order of their discriminants.
    pub(crate) const ALL: [Self; 18] = [
        Self::Ok,
        Self::Connect,
        Self::NotProcessed,
        Self::Stale,
        Self::Limited,
        Self::Unauthorised,
        Self::Spent,
        Self::ModelNotFound,
        Self::ServerError,
        Self::Interrupted,
        Self::Timeout,
        Self::Malformed,
        Self::ContextOverflow,
        Self::Client,
        Self::Cancelled,
        Self::Broken,
        Self::Deadline,
        Self::NoMemory,
    ];

    /// Those after which another deployment may be tried: the reasons of failovers.
    pub(crate) const LEADING_ON: [Self; 12] = [
        Self::Connect,
        Self::NotProcessed,
        Self::Stale,
        Self::Limited,
        Self::Unauthorised,
        Self::Spent,
        Self::ModelNotFound,
        Self::ServerError,
        Self::Interrupted,
        Self::Timeout,
        Self::Malformed,
        Self::ContextOverflow,
    ];

    /// The value of the `outcome` and `reason` labels.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Connect => "connect",
            Self::NotProcessed => "not_processed",
            Self::Stale => "stale_connection",
            Self::Limited => "limited",
            Self::Unauthorised => "unauthorised",
            Self::Spent => "spent",
            Self::ModelNotFound => "model_not_found",
            Self::ServerError => "server_error",
            Self::Interrupted => "interrupted",
            Self::Timeout => "timeout",
            Self::Malformed => "malformed",
            Self::ContextOverflow => "context_overflow",
            Self::Client => "client_error",
            Self::Cancelled => "cancelled",
            Self::Broken => "broken_stream",
            Self::Deadline => "deadline",
            Self::NoMemory => "no_memory",
        }
    }
}

/// Who asked for what, as far as the labels of a request go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub dialect: ClientDialect,
    pub operation: Operation,
    pub stream: bool,
}

impl Shape {
    /// The value of the `dialect` label.
    pub(super) fn dialect_label(self) -> &'static str {
        match (self.operation, self.dialect) {
            (Operation::Embeddings | Operation::EmbedOne, _) => "embeddings",
            (Operation::Completions, _) => "completions",
            (Operation::CountTokens, _) => "count_tokens",
            (Operation::Rerank, _) => "rerank",
            (Operation::Generate, ClientDialect::Chat) => "chat",
            (Operation::Generate, ClientDialect::Messages) => "messages",
            (Operation::Generate, ClientDialect::Gemini) => "gemini",
            (Operation::Generate, ClientDialect::Responses) => "responses",
        }
    }

    pub(super) fn stream_label(self) -> &'static str {
        if self.stream { "true" } else { "false" }
    }

    /// Index into the per-shape handles of [`RouteSeries`].
    pub(super) fn index(self) -> usize {
        let dialect = match (self.operation, self.dialect) {
            (Operation::Generate, ClientDialect::Chat) => 0,
            (Operation::Generate, ClientDialect::Messages) => 1,
            (Operation::Generate, ClientDialect::Gemini) => 2,
            (Operation::Generate, ClientDialect::Responses) => 3,
            (Operation::Completions, _) => 4,
            // Without streams, so the last.
            (Operation::Embeddings | Operation::EmbedOne, _) => return 10,
            (Operation::CountTokens, _) => return 11,
            (Operation::Rerank, _) => return 12,
        };
        dialect * 2 + usize::from(self.stream)
    }

    /// Every shape that has a handle of its own, in the order of [`Shape::index`].
    pub(super) const ALL: [Self; 13] = [
        Self {
            dialect: ClientDialect::Chat,
            operation: Operation::Generate,
            stream: false,
        },
        Self {
            dialect: ClientDialect::Chat,
            operation: Operation::Generate,
            stream: true,
        },
        Self {
            dialect: ClientDialect::Messages,
            operation: Operation::Generate,
            stream: false,
        },
        Self {
            dialect: ClientDialect::Messages,
            operation: Operation::Generate,
            stream: true,
        },
        Self {
            dialect: ClientDialect::Gemini,
            operation: Operation::Generate,
            stream: false,
        },
        Self {
            dialect: ClientDialect::Gemini,
            operation: Operation::Generate,
            stream: true,
        },
        Self {
            dialect: ClientDialect::Responses,
            operation: Operation::Generate,
            stream: false,
        },
        Self {
            dialect: ClientDialect::Responses,
            operation: Operation::Generate,
            stream: true,
        },
        Self {
            dialect: ClientDialect::Chat,
            operation: Operation::Completions,
            stream: false,
        },
        Self {
            dialect: ClientDialect::Chat,
            operation: Operation::Completions,
            stream: true,
        },
        Self {
            dialect: ClientDialect::Chat,
            operation: Operation::Embeddings,
            stream: false,
        },
        Self {
            dialect: ClientDialect::Chat,
            operation: Operation::CountTokens,
            stream: false,
        },
        Self {
            dialect: ClientDialect::Chat,
            operation: Operation::Rerank,
            stream: false,
        },
    ];
}
