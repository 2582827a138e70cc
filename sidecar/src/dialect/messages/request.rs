//! Anthropic requests: into the item form, and out of it.

mod blocks;
mod decode;
mod encode;
mod fields;
mod media;
mod settings;
pub(in crate::dialect) mod thinking;
mod tools;
mod turns;

pub(in crate::dialect) use decode::decode;
pub(in crate::dialect) use encode::encode;
pub(in crate::dialect) use turns::{spelt_id, write_reasoning};

/// Stands before another provider's entry of `reasoning_details` in the `data` of a `redacted_thinking` block, the one
/// block whose contents clients return without looking at them.
pub(in crate::dialect) const FOREIGN_REASONING: &str = "pf1:";

/// The tables of every level, for the test that keeps them sorted.
#[cfg(test)]
pub(in crate::dialect) const TABLES: &[&[crate::dialect::loss::Field]] =
    &[fields::REQUEST, fields::MESSAGE, fields::BLOCK, fields::TOOL];
