//! The data plane: a small proxy beside every application container.
//!
//! The modules read as the life of a request: `app` starts and `inbound` accepts; `pipeline` authenticates, limits,
//! routes and attempts; `dialect` translates; `upstream` calls; `meter` counts. `subscribe` and `policy` hold what the
//! requests obey, and `admin` shows it.

pub mod admin;
pub mod affinity;
pub mod app;
mod body;
pub mod dialect;
pub mod event_stream;
mod halves;
pub mod health;
mod inbound;
pub mod json;
pub mod lines;
pub mod log;
mod meter;
mod pictures;
pub mod pipeline;
mod policy;
pub mod retry;
mod sealed;
pub mod sse;
pub mod standalone;
mod stored;
mod subscribe;
mod telemetry;
mod thoughts;
mod uncounted;
pub mod upstream;
