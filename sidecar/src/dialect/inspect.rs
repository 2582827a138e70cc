//! Looking at a whole answer that passes through: is it one, and what did it cost?

use super::{ClientDialect, Fault, Operation, Usage, chat, gemini, messages, responses};

/// What an answer says beside its content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// As the provider counted; `None` when it did not.
    pub usage: Option<Usage>,
}

/// Validates an answer with a status of success that the client will get as it is. An error that some providers send
/// under 200 is the [`Fault`] it stands for; what is no answer of this dialect is [`super::Class::Malformed`].
pub fn inspect_response(dialect: ClientDialect, operation: Operation, body: &[u8]) -> Result<Inspection, Fault> {
    match dialect {
        ClientDialect::Chat => chat::response::inspect(operation, body),
        ClientDialect::Messages => messages::response::inspect(operation, body),
        ClientDialect::Gemini => gemini::response::inspect(operation, body),
        ClientDialect::Responses => responses::response::inspect(body),
    }
}

#[cfg(test)]
mod tests;
