//! The life of a resource: what users wrote becomes what sidecars are sent.
//!
//! [`watch`] makes a [`world`] of the cluster: everything that matters, as plain values. [`validate`] judges one document
//! by itself, [`compile()`] all of them together; both are pure. [`push`] sends sidecars what concerns them, [`ack`] keeps
//! what they say, and [`status`] tells users. Beside the journey stand [`certs`] and [`identity`] (who is calling),
//! [`inject`] and [`admission`] (what the API server asks), [`keys`] and [`lease`]. [`batch`] is for `pilotfish run`, whose
//! sidecar is in the same process.

pub mod ack;
pub mod admission;
pub mod app;
mod backoff;
pub mod batch;
pub mod certs;
pub mod compile;
pub mod events;
mod foreign;
pub mod identity;
pub mod inject;
mod installation;
pub mod keys;
pub mod lease;
pub mod log;
pub mod metrics;
pub mod models;
pub mod providers;
pub mod push;
mod refused;
mod remember;
mod repositories;
pub mod status;
pub mod telemetry;
mod trust;
pub mod validate;
pub mod watch;
pub mod webhook;
pub mod world;

pub use compile::{Compiled, compile};
pub use world::World;
