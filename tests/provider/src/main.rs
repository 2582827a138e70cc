//! Runs one fake provider by hand.

use anyhow::Result;
use clap::{Parser, ValueEnum};
use pilotfish_provider::{Anthropic, Bedrock, Builder, Cohere, Gemini, Ollama, OpenAi, Step};
use std::net::SocketAddr;
use std::time::Duration;

/// A strict fake provider on a loopback port.
#[derive(Parser)]
struct Arguments {
    /// Whose API it has.
    shape: Shape,
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A key it accepts; may be repeated. Without any it accepts every key.
    #[arg(long = "key")]
    keys: Vec<String>,
    /// A model it knows; may be repeated. Without any: a few well-known ones.
    #[arg(long = "model")]
    models: Vec<String>,
    /// Milliseconds between the pieces of a stream.
    #[arg(long, default_value_t = 0)]
    pace: u64,
    /// Where scripts are taken by HTTP (`POST /script`); without it, nowhere.
    #[arg(long)]
    control: Option<SocketAddr>,
    /// Serve TLS; the authority's certificate is printed.
    #[arg(long)]
    tls: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shape {
    Openai,
    Anthropic,
    Bedrock,
    Gemini,
    Ollama,
    Cohere,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let fake = builder(&arguments).start_on(arguments.listen).await?;
    if arguments.pace > 0 {
        fake.always(Step::normal().pace(Duration::from_millis(arguments.pace)));
    }
    say(&fake.url());
    if let Some(pem) = fake.authority_pem() {
        say(pem);
    }
    let control = match arguments.control {
        Some(address) => Some(fake.control(address).await?),
        None => None,
    };
    if let Some(control) = &control {
        say(&control.url());
    }
    tokio::signal::ctrl_c().await?;
    fake.stop().await;
    Ok(())
}

fn builder(arguments: &Arguments) -> Builder {
    let mut builder = match arguments.shape {
        Shape::Openai => OpenAi::builder(),
        Shape::Anthropic => Anthropic::builder(),
        Shape::Bedrock => Bedrock::builder(),
        Shape::Gemini => Gemini::builder(),
        Shape::Ollama => Ollama::builder(),
        Shape::Cohere => Cohere::builder(),
    };
    if !arguments.models.is_empty() {
        builder = builder.models(arguments.models.iter().map(String::as_str));
    }
    if arguments.tls {
        builder = builder.tls();
    }
    builder.keys(arguments.keys.clone())
}

#[expect(
    clippy::print_stdout,
    reason = "what a person or a script that starts it wants to know"
)]
fn say(line: &str) {
    println!("{line}");
}
