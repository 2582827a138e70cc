//! Streamed Gemini answers.

mod decode;
mod encode;

pub(in crate::dialect) use decode::Decoder;
pub(in crate::dialect) use encode::Encoder;
