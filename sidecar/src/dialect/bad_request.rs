//! Making and placing a [`BadRequest`].

use super::BadRequest;

impl BadRequest {
    /// A request that is wrong as a whole.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            param: None,
        }
    }

    /// A request that is wrong at `param`, which starts the sentence: `messages[2].content must be …`.
    pub(super) fn at(param: impl Into<String>, problem: &str) -> Self {
        let param = param.into();
        Self {
            message: format!("{param} {problem}"),
            param: Some(param),
        }
    }
}
