//! The real sidecar and an operator that a test plays, line by line, over real TLS.

#![cfg(test)]

mod admin;
mod authority;
mod bad_input;
mod certificate;
mod ending;
mod last_good;
mod leader;
mod metrics;
mod obey;
mod operator;
mod reconnect;
mod resources;
mod scene;
mod trust;
