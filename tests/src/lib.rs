//! What tests of whole programs share: the program as a child process, and what talks to it.
//!
//! Nothing here stands in for the product. [`Launch`] starts the real binary on ports that the system chooses, on YAML
//! as a user writes it ([`documents`]); [`Client`] and [`raw`] speak to its sockets; [`Metrics`] and [`Gauges`] read
//! its telemetry port. The providers behind it are those of `pilotfish-provider`.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use pilotfish_tests::{Client, Deployment, Dialect, Launch, Policy};
//! let east = Dialect::Chat.provider("east").start().await?;
//! let documents = [
//!     Deployment::of(Dialect::Chat, "east", &east).to_string(),
//!     Policy::named("chat").targets(["east"]).to_string(),
//! ];
//! let pilotfish = Launch::run(&documents).start().await?;
//! let answer = Client::new(&pilotfish)?.ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello")).await?;
//! assert_eq!((answer.status, answer.header("x-pilotfish-deployment")), (200, Some("default/east")));
//! pilotfish.back_to_idle(&[&east]).await?;
//! # Ok(())
//! # }
//! ```

pub mod bedrock;
mod client;
pub mod cluster;
mod dialect;
pub mod documents;
pub mod fixtures;
mod gauges;
mod launch;
mod log;
mod metrics;
pub mod operator;
mod pair;
mod pilotfish;
pub mod promtool;
pub mod raw;
mod sse;
mod strangers;

pub use client::{Answer, Answering, Client, http, http_with_pool};
pub use cluster::Cluster;
pub use dialect::{Dialect, HOUSE_MODEL, Said, in_all, in_both};
pub use documents::{Deployment, Policy};
pub use gauges::Gauges;
pub use launch::{Launch, Mounts, binary};
pub use metrics::Metrics;
pub use operator::{Operator, Pod};
pub use pair::Pair;
pub use pilotfish::Pilotfish;
pub use sse::{Event, Events};
pub use strangers::Strangers;
