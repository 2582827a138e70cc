//! OpenAI Responses, as OpenAI and everything compatible with it speak it.

pub(super) mod carried;
pub(super) mod finish;
pub(super) mod request;
pub(super) mod response;
pub(super) mod sealed;
pub(super) mod stored;
pub(super) mod stream;
pub(super) mod usage;
pub(super) mod watch;
