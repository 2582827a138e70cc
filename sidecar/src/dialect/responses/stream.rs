//! Responses streams: decoded, encoded.

mod calls;
mod decode;
mod encode;
mod forms;
mod open;

pub(in crate::dialect) use decode::Decoder;
pub(in crate::dialect) use encode::Encoder;
