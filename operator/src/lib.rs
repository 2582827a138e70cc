//! The life of a resource: what users wrote becomes what sidecars are sent.
//!
//! [`world`] holds everything that matters as plain values. [`validate`] judges one document by itself, [`compile()`] all
//! of them together. Both are pure: they read no clock, do no IO, and the same World gives the same bytes. [`batch`]
//! says what a sidecar that has one configuration must be sent to have another. Around them is the control plane:
//! [`watch`] makes Worlds of a cluster.

pub mod ack;
pub mod admission;
pub mod app;
pub mod batch;
pub mod certs;
pub mod compile;
pub mod events;
pub mod identity;
pub mod inject;
mod installation;
pub mod keys;
pub mod lease;
pub mod metrics;
pub mod providers;
pub mod push;
mod remember;
pub mod status;
pub mod telemetry;
mod trust;
pub mod validate;
pub mod watch;
pub mod webhook;
pub mod world;

pub use compile::{Compiled, compile};
pub use world::World;
