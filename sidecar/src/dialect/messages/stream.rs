//! Anthropic streams: decoded, encoded.

mod decode;
mod encode;
mod parked;

pub(in crate::dialect) use decode::Decoder;
pub(in crate::dialect) use encode::Encoder;
