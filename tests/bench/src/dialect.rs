//! The dialects that are measured, and what differs between them beside the bodies.

/// What a client or an upstream of the bench speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// OpenAI Chat Completions.
    Chat,
    /// OpenAI Responses.
    Responses,
    /// Anthropic Messages.
    Messages,
    /// Gemini's `generateContent`.
    Gemini,
    /// Bedrock's Converse; no client speaks it, nor those below.
    Converse,
    /// Cohere's chat, version 2.
    Cohere,
    /// Ollama's own.
    Ollama,
}

impl Dialect {
    /// What providers speak.
    pub(crate) const ALL: [Self; 7] = [
        Self::Chat,
        Self::Responses,
        Self::Messages,
        Self::Gemini,
        Self::Converse,
        Self::Cohere,
        Self::Ollama,
    ];

    /// As the sidecar is told it.
    pub(crate) fn on_the_wire(self) -> pilotfish_wire::Dialect {
        match self {
            Self::Chat => pilotfish_wire::Dialect::Chat,
            Self::Responses => pilotfish_wire::Dialect::Responses,
            Self::Messages => pilotfish_wire::Dialect::Messages,
            Self::Gemini => pilotfish_wire::Dialect::Gemini,
            Self::Converse => pilotfish_wire::Dialect::Converse,
            Self::Cohere => pilotfish_wire::Dialect::Cohere,
            Self::Ollama => pilotfish_wire::Dialect::Ollama,
        }
    }

    /// The dialect of a request by its path, and whether the path asks for a stream.
    pub(crate) fn at(path: &str) -> Option<(Self, bool)> {
        let dialect = match path {
            "/v1/chat/completions" => Self::Chat,
            "/v1/responses" => Self::Responses,
            "/v1/messages" => Self::Messages,
            "/v2/chat" => Self::Cohere,
            "/api/chat" => Self::Ollama,
            path if path.starts_with("/v1beta/models/") => Self::Gemini,
            path if path.starts_with("/model/") => Self::Converse,
            _ => return None,
        };
        let streams = path.ends_with(":streamGenerateContent?alt=sse") || path.ends_with("/converse-stream");
        Some((dialect, streams))
    }
}
