//! The life of a resource: `kubectl apply`, and the next request obeys.

#![cfg(test)]

mod absence;
mod apply;
mod authority;
mod callers;
mod conflicts;
mod examples;
mod forged;
mod identity;
mod keys;
mod leader;
mod log;
mod lost_key;
mod repositories;
mod restored;
mod scene;
mod secrets;
mod sidecars;
mod status;
mod statuses;
mod streams;
mod telemetry;
mod versions;
mod wire;
