//! Cohere's own chat, version 2. Only its servers speak it.

pub(super) mod finish;
pub(super) mod request;
pub(super) mod response;
pub(super) mod stream;
pub(super) mod usage;
