//! The item form into a Converse request. The model stands in the path, and so does whether the answer streams.

mod encode;
mod maker;
mod media;
mod settings;
mod tools;
mod turns;

pub(in crate::dialect) use encode::encode;
