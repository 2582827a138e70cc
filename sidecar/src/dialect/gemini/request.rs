//! Gemini requests: into the item form, and out of it.

mod decode;
mod encode;
mod fields;
mod glance;
mod media;
mod parts;
mod results;
mod schemas;
mod settings;
mod thinking;
mod tools;
mod turns;

pub(in crate::dialect) use decode::decode;
pub(in crate::dialect) use encode::encode;
pub(in crate::dialect) use encode::wants_bytes;
pub(in crate::dialect) use glance::{
    UNSIGNED, beginning, foreign_signatures, holds, inner_models, resource, unsigned_calls,
};
pub(in crate::dialect) use schemas::with_json_schemas;
pub(in crate::dialect) use settings::{generation, shows_thoughts};

/// The tables of every level, for the test that keeps them sorted.
#[cfg(test)]
pub(in crate::dialect) const TABLES: &[&[crate::dialect::loss::Field]] = &[
    fields::REQUEST,
    fields::GENERATION,
    fields::PART,
    fields::FUNCTION,
    fields::FUNCTION_RESPONSE,
];
