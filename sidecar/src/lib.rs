//! The data plane: a small proxy beside every application container.
//!
//! The modules read as the life of a request: `app` accepts, `pipeline` authenticates, limits, routes and attempts,
//! `dialect` translates, `upstream` calls, `meter` counts. `subscribe` and `policy` hold what the requests obey.

pub mod affinity;
pub mod dialect;
pub mod health;
pub mod json;
pub mod retry;
pub mod sse;
pub mod upstream;
