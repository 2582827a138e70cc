//! The item form into a Cohere request.

mod encode;
mod settings;
mod tools;
mod turns;

pub(in crate::dialect) use encode::encode;
