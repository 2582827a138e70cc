//! Responses requests: into the item form, and out of it.

mod decode;
mod encode;
mod fields;
mod input;
mod parts;
mod repeated;
mod settings;
mod tools;
mod turns;

pub(in crate::dialect) use decode::decode;
pub(in crate::dialect) use encode::encode;
pub(in crate::dialect) use repeated::repeated;

/// The tables of every level, for the test that keeps them sorted.
#[cfg(test)]
pub(in crate::dialect) const TABLES: &[&[crate::dialect::loss::Field]] = &[
    fields::REQUEST,
    fields::ITEM,
    fields::PART,
    fields::TOOL,
    fields::REASONING,
    fields::TEXT,
];
