//! `--demo`: two local providers, and what to try with them.
//!
//! The providers are processes of their own, so that one of them can be stopped to see failover. Each ends when its
//! standard input does, which is when this process goes, however that happens.

use crate::arguments::{DemoPorts, DemoProviderArguments, DemoShape};
use anyhow::Context;
use pilotfish_provider::{Anthropic, OpenAi};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The keys that the quickstart's Secrets hold; the providers take no others.
const OPENAI_KEY: &str = "demo-openai-key";
const ANTHROPIC_KEY: &str = "demo-anthropic-key";
/// The VirtualKey of the quickstart.
const VIRTUAL_KEY: &str = "sk-pf-quickstart-0123456789";

/// How often it is looked whether a provider has ended.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The two providers while they run.
pub struct Demo {
    openai: Provider,
    anthropic: Provider,
}

/// A provider in a process of its own, which ends with this value.
struct Provider(Child);

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Demo {
    /// Starts both and waits until they listen.
    pub fn start(ports: &DemoPorts) -> anyhow::Result<Self> {
        let openai = Provider::start("openai", ports.demo_openai)?;
        let anthropic = Provider::start("anthropic", ports.demo_anthropic)?;
        Ok(Self { openai, anthropic })
    }

    /// Says what to try, once the sidecar is ready for it, and afterwards which provider has ended.
    pub fn attend(mut self, listen: SocketAddr, telemetry: SocketAddr, stop: &AtomicBool) {
        self.explain(listen, telemetry, stop);
        let mut running = vec![("OpenAI", &mut self.openai), ("Anthropic", &mut self.anthropic)];
        while !stop.load(Ordering::Relaxed) {
            thread::sleep(LOOK_EVERY);
            running.retain_mut(|(shape, provider)| {
                // Asking is what takes an ended process off the system's list.
                let ended = provider.0.try_wait().ok().flatten();
                if let Some(status) = ended {
                    tracing::info!(shape, %status, "a demo provider has ended");
                }
                ended.is_none()
            });
        }
    }

    fn explain(&self, listen: SocketAddr, telemetry: SocketAddr, stop: &AtomicBool) {
        while !is_ready(telemetry) {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let text = explanation(listen, telemetry, self.openai.0.id(), self.anthropic.0.id());
        // Whoever closed standard output does not want to read it.
        drop(std::io::stdout().write_all(text.as_bytes()));
    }
}

/// Whether the telemetry port says that a configuration is in force.
fn is_ready(telemetry: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(telemetry)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line)
    };
    ask().is_ok_and(|line| line.contains(" 200 "))
}

impl Provider {
    fn start(shape: &str, listen: SocketAddr) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe().context("cannot tell where this program is")?);
        command.args(["demo-provider", shape, "--listen", &listen.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start a demo provider")?;
        let listening = child.stdout.take().map(BufReader::new).and_then(|mut said| {
            let mut line = String::new();
            said.read_line(&mut line).ok().filter(|length| *length > 0)
        });
        let provider = Self(child);
        listening.with_context(|| format!("the {shape} demo provider on {listen} did not start"))?;
        Ok(provider)
    }
}

/// The process of one provider: says where it listens, and ends with its standard input.
pub fn provider(arguments: &DemoProviderArguments) -> anyhow::Result<()> {
    let builder = match arguments.shape {
        DemoShape::Openai => OpenAi::builder().keys([OPENAI_KEY]),
        DemoShape::Anthropic => Anthropic::builder().keys([ANTHROPIC_KEY]),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listen = arguments.listen;
    let fake = runtime
        .block_on(builder.start_on(listen))
        .with_context(|| format!("a demo provider cannot listen on {listen}"))?;
    writeln!(std::io::stdout(), "{}", fake.url())?;
    let (input, input_ended) = tokio::sync::oneshot::channel::<()>();
    thread::spawn(move || {
        drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        drop(input);
    });
    runtime.block_on(async {
        drop(input_ended.await);
        fake.stop().await;
    });
    Ok(())
}

/// What is printed. Every line that starts with `curl` is a whole request.
fn explanation(listen: SocketAddr, telemetry: SocketAddr, openai: u32, anthropic: u32) -> String {
    let json = "-H 'content-type: application/json'";
    let chat = |model: &str, extra: &str| {
        format!(r#"{json} -d '{{"model":"{model}",{extra}"messages":[{{"role":"user","content":"Hello"}}]}}'"#)
    };
    format!(
        "\n\
         An OpenAI-shaped provider (process {openai}) and an Anthropic-shaped one (process {anthropic}) run beside this.\n\
         Try:\n\n\
         # 80 of 100 answers come from OpenAI's shape, 20 from Anthropic's; the application sees one\n\
         curl -sS http://{listen}/v1/chat/completions {}\n\n\
         # the same as a stream\n\
         curl -sSN http://{listen}/v1/chat/completions {}\n\n\
         # a client of Anthropic's API\n\
         curl -sS http://{listen}/v1/messages {}\n\n\
         # an OpenAI client, answered by a Claude\n\
         curl -sS http://{listen}/v1/chat/completions {}\n\n\
         # only with a key\n\
         curl -sS http://{listen}/v1/chat/completions -H 'authorization: Bearer {VIRTUAL_KEY}' {}\n\n\
         What it counted is at http://{telemetry}/metrics\n\n\
         Failover: stop one provider, go on asking for chat, and the other answers:\n\
         kill {openai}\n\n\
         Ctrl-C ends all of it.\n\n",
        chat("chat", ""),
        chat("chat", r#""stream":true,"#),
        chat("claude", r#""max_tokens":64,"#),
        chat("claude", ""),
        chat("vip", ""),
    )
}
