//! Chat requests: into the item form, and out of it.

mod content;
mod decode;
mod encode;
mod fields;
pub(in crate::dialect) mod google;
mod provider;
mod reasoning;
mod respelt;
mod settings;
mod tools;
mod turns;
pub(in crate::dialect) mod uncounted;

pub(in crate::dialect) use content::{read_audio, read_source};
pub(in crate::dialect) use decode::decode;
pub(in crate::dialect) use encode::{NEAREST_EFFORT, allowed, effort_of, encode, kind_of, mode_of, write_user};
pub(in crate::dialect) use fields::NAMES;
pub(in crate::dialect) use provider::{
    Echo, echo, is_asked_for_usage, only_carrier, passed_id, refuses_blanks, stand_in, wants_reasoning,
};
pub(in crate::dialect) use reasoning::{FORMAT, read_detail, read_details, write_detail};
pub(in crate::dialect) use respelt::respelt;
pub(in crate::dialect) use settings::{stop, tell_other_user};
pub(in crate::dialect) use turns::{write_joined, write_url};

/// The tables of every level, for the test that keeps them sorted.
#[cfg(test)]
pub(in crate::dialect) const TABLES: &[&[crate::dialect::loss::Field]] =
    &[fields::REQUEST, fields::MESSAGE, fields::PART];
