//! What the operator sends a sidecar, and what comes back.
//!
//! The contract is newline-delimited JSON, one [`Message`] (operator → sidecar) or [`Report`] (sidecar → operator) a
//! line. Its semantics are delta-xDS's: named resources with content-hash versions, batches with a nonce, one ack a
//! batch, refusals by name. The same lines cross a socket, a channel in memory (`pilotfish run`) and a file
//! ([`snapshot`]).
//!
//! It can grow: unknown fields and unknown message kinds are ignored, and a [`Resource`] names the features without
//! which it must not be used, so that a limit a sidecar does not know is refused and never silently dropped.

mod message;
mod resource;
pub mod scope;
mod secret;
pub mod snapshot;

pub use message::{
    Ack, Begin, Commit, DecodeError, Hello, Message, Refusal, Remove, Report, Urgent, known_as, known_kind,
};
pub use resource::{
    Affinity, AffinityMode, Auth, Authentication, Capabilities, Credential, Deployment, Dialect, Endpoint, Feature,
    HeaderMatch, HeaderValue, Hosting, Key, Kind, OnAmbiguous, OnLoss, Policy, Price, Resource, Retry, Route, Routes,
    Rule, Service, Target, Timeouts, TokenGrant, TokenRange, Unavailable, When, credential_variable, version_of,
};
pub use secret::{AwsKeys, ProviderKey};

/// The protocol revision spoken by this build; both sides say theirs in the first line and the lower one holds.
pub const REVISION: u32 = 1;

/// The features this build of the sidecar understands; a resource that requires another one is refused by name.
pub const FEATURES: &[&str] = &[QUERY, HOSTING, TOKENS];

/// What a deployment requires that is called with tokens.
pub const TOKENS: &str = "token-exchange";

/// What a deployment requires whose endpoint has a query.
pub const QUERY: &str = "endpoint-query";
/// What a deployment requires whose endpoint hosts a dialect in another form.
pub const HOSTING: &str = "endpoint-hosting";
