//! Gemini's `generateContent`, as the Gemini API and Vertex AI have it.
//!
//! The model stands in the path, and so does whether the answer is streamed. Keys are taken in both of Google's
//! spellings, `systemInstruction` and `system_instruction`.

pub(super) mod finish;
mod grounding;
pub(super) mod request;
pub(super) mod response;
pub(super) mod signature;
pub(super) mod spelling;
pub(super) mod stream;
pub(super) mod usage;
pub(super) mod watch;
