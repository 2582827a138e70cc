//! Chat streams: decoded, encoded.

mod calls;
mod decode;
mod encode;

pub(in crate::dialect) use decode::Decoder;
pub(in crate::dialect) use encode::{Encoder, write_end};
