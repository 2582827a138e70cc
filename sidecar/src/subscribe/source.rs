//! Where configuration comes from, and the thread that it comes in on.

use super::operator::{Following, Operator};
use super::{Clock, Received, Subscription};
use crate::app;
use crate::pipeline::Shared;
use anyhow::Context;
use pilotfish_wire::{Message, Report};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Where configuration comes from.
pub enum Source {
    /// A channel: from files, or a snapshot.
    Channel(Subscribed),
    /// An operator, over the network.
    Operator(Operator),
}

/// Where messages come from and acks go to; both bounded.
pub struct Subscribed {
    /// Lines to obey.
    pub messages: mpsc::Receiver<Message>,
    /// Lines back; dropped when nobody takes them.
    pub reports: mpsc::Sender<Report>,
}

/// The thread that obeys a source.
pub(crate) struct Configuring {
    thread: JoinHandle<()>,
    stop: CancellationToken,
}

impl Configuring {
    /// Starts it. The receiver is told when it ends, which it must not before [`Configuring::stop`].
    pub(crate) fn start(source: Source, shared: Arc<Shared>) -> anyhow::Result<(Self, oneshot::Receiver<()>)> {
        let stop = CancellationToken::new();
        let (alive, ended) = oneshot::channel();
        let stopped = stop.clone();
        let work = move || {
            let _alive: oneshot::Sender<()> = alive;
            if let Err(error) = app::block_on(obey(source, shared, stopped)) {
                tracing::error!(%error, "no configuration can be received");
            }
        };
        let thread = std::thread::Builder::new()
            .name("configuration".to_owned())
            .spawn(work)
            .context("no thread for the configuration")?;
        Ok((Self { thread, stop }, ended))
    }

    /// Ends it and waits for that.
    pub(crate) fn stop(self) {
        self.stop.cancel();
        if self.thread.join().is_err() {
            tracing::error!("the configuration's thread panicked");
        }
    }
}

/// Ends when it is told to, and only then, or there is no obeying.
async fn obey(source: Source, shared: Arc<Shared>, stop: CancellationToken) {
    match source {
        Source::Channel(subscribed) => {
            stop.run_until_cancelled(channel(subscribed, shared)).await;
        }
        Source::Operator(settings) => match Following::new(settings, shared) {
            Ok(mut following) => {
                following.restore();
                stop.run_until_cancelled(Box::pin(following.run())).await;
                following.save();
            }
            Err(error) => tracing::error!(%error, "no operator can be followed"),
        },
    }
}

/// Obeys a channel until its sender is gone; the last good configuration stays.
async fn channel(subscribed: Subscribed, shared: Arc<Shared>) {
    let Subscribed { mut messages, reports } = subscribed;
    let mut subscription = Subscription::new(shared);
    let mut received = Received::default();
    while let Some(message) = messages.recv().await {
        let Some(said) = received.receive(message) else {
            continue;
        };
        subscription.count(&said);
        let ack = subscription.obey(received.configuration(), said, Clock::read());
        if ack.is_some_and(|ack| reports.try_send(Report::Ack(ack)).is_err()) {
            tracing::debug!("an ack found no taker");
        }
    }
    std::future::pending().await
}
