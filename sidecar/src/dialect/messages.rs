//! Anthropic Messages.

pub(super) mod response;
pub(super) mod usage;
pub(super) mod watch;
