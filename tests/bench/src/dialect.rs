//! The dialects that are measured: of those that providers speak, the ones that clients speak too.

/// What a client or an upstream of the bench speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// OpenAI Chat Completions.
    Chat,
    /// Anthropic Messages.
    Messages,
}

impl Dialect {
    /// As the sidecar is told it.
    pub(crate) fn on_the_wire(self) -> pilotfish_wire::Dialect {
        match self {
            Self::Chat => pilotfish_wire::Dialect::Chat,
            Self::Messages => pilotfish_wire::Dialect::Messages,
        }
    }
}
