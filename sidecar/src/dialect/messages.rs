//! Anthropic Messages.

mod cited;
pub(super) mod finish;
pub(super) mod request;
pub(super) mod response;
pub(super) mod stream;
pub(super) mod usage;
pub(super) mod watch;

pub(super) use request::thinking;
