//! Usage as Ollama counts it. What its own cache held is not told apart, and when that was everything, not told at all.

use crate::dialect::Usage;
use crate::json::{Object, Raw};

/// The usage of an answer or of a stream's last line.
pub(in crate::dialect) fn of(answer: &Object<'_>) -> Option<Usage> {
    let number = |key| answer.get(key).and_then(Raw::u64);
    let (input, output) = (number("prompt_eval_count"), number("eval_count"));
    input.or(output)?;
    Some(Usage {
        input: input.unwrap_or(0),
        output: output.unwrap_or(0),
        ..Usage::default()
    })
}
