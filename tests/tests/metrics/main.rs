//! `/metrics`: what is counted is there from the start, exact, bounded, and what Prometheus and the dashboard expect.

#![cfg(test)]

mod dashboard;
mod endings;
mod exposition;
mod invented;
mod names;
mod promtool;
mod usage;
