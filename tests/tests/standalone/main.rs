//! The programs without a cluster, as processes: what they serve, when they are ready, how they end.

#![cfg(test)]

mod directory;
mod ending;
mod program;
mod ready;
mod snapshot;
