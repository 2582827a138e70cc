//! `finish_reason`, both ways.

use crate::dialect::Class;

/// Finish reasons that are no finish: the upstream broke while it answered.
const BROKEN: &[(&str, Class)] = &[
    ("error", Class::ServerError),
    ("insufficient_system_resource", Class::Limited),
    ("load", Class::Limited),
];

/// What an answer that ended with this reason means, if it failed.
pub(in crate::dialect) fn failure(reason: &str) -> Option<Class> {
    BROKEN.iter().find(|(name, _)| *name == reason).map(|(_, class)| *class)
}
