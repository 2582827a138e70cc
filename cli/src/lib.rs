//! The `pilotfish` command: from a directory of YAML to a World, and from there on what the operator does.
//!
//! [`load`] reads documents as an API server would take them and says what is wrong in file, line and field. [`feed`]
//! turns a directory that changes into the batches that an operator would send, and [`run`] serves them with a sidecar
//! in this process. [`snapshot`] writes down what one sidecar would have, and [`generate`] writes the definitions that a
//! cluster needs to know our kinds.

pub mod arguments;
pub mod demo;
pub mod feed;
pub mod generate;
pub mod load;
pub mod run;
pub mod snapshot;
