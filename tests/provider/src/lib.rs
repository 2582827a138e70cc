//! Fake providers that are as strict as the real ones, and misbehave on demand.
//!
//! A fake speaks one provider's API over real sockets: it checks a request as the provider does, answers with the
//! provider's bytes, headers and errors, keeps a prompt cache and a ledger, and records all that reaches it. A script
//! makes it fail in any of the ways in which real ones do. What it says is a function of the request alone.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use pilotfish_provider::{OpenAi, Step};
//! let fake = OpenAi::builder().keys(["sk-up-1"]).models(["gpt-4o"]).start().await?;
//! fake.script([Step::status(503).header("retry-after", "2"), Step::normal()]);
//! // … a client is pointed at `fake.url()` …
//! let requests = fake.arrived(2).await?;
//! # Ok(())
//! # }
//! ```

mod answer;
mod anthropic;
mod azure;
mod bedrock;
mod builder;
mod cache;
mod clock;
mod cohere;
mod control;
mod fake;
mod gate;
mod gemini;
mod http1;
mod http2;
mod json;
mod ledger;
mod model;
mod ollama;
mod openai;
mod plan;
mod received;
mod record;
mod render;
mod reply;
mod schema;
mod script;
mod serve;
mod shape;
mod signature;
mod step;
mod stream;
mod tls;
mod token;
mod tokens;
mod vector;

pub use builder::{Anthropic, Azure, Bedrock, Builder, Cohere, Gemini, Mistral, Ollama, OpenAi, TokenEndpoint};
pub use fake::Fake;
pub use gate::Gate;
pub use ledger::{Bill, Tokens};
pub use model::Model;
pub use received::{Protocol, Received};
pub use record::{Connections, Ended, NeverCame, Outcome, Sent};
pub use reply::{FILTER, REDACT, REFUSE};
pub use step::{HangUp, INTERNAL_ERROR, Pause, Point, REFUSED_STREAM, Step};
