//! The item form into an Ollama request.

mod encode;
mod turns;

pub(in crate::dialect) use encode::encode;
