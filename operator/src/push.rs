//! The server for sidecars: what each of them is to have, sent as it changes, and what they say about it.
//!
//! TLS with an optional client certificate, HTTP/2 and two requests: `POST /v1/certificate` exchanges a pod's token for
//! a certificate, `POST /v1/stream` lasts, with a line of JSON after the other in both directions ([`pilotfish_wire`]).
//!
//! A stream compares the view of its pod in the newest compilation with the one it sent last, both of them shared by
//! every pod that sees the same policies; so it remembers a pointer, and a resource is encoded once. What goes over the
//! wire first, and what a slow reader misses, is in `lanes.rs`.

mod connection;
mod lanes;
mod lines;
mod reports;
mod respond;
mod stream;
mod timing;
mod view;
mod views;

pub use timing::Timing;
pub use view::View;
pub use views::Views;

use crate::ack::Acks;
use crate::certs::Authority;
use crate::compile::Share;
use crate::identity::{Identity, Refused, Verified};
use crate::lease::Leadership;
use crate::metrics::Metrics;
use crate::watch::{Compilation, Compilations, LivePod};
use pilotfish_crowd::Crowd;
use pilotfish_wire::Resource;
use respond::Refusal;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// More connections than these wait to be accepted.
const MOST_CONNECTIONS: usize = 16 * 1024;
/// Of [`Server::most_strangers`]: more sidecars do not come at once after a restart, because they come with jitter.
pub(crate) const MOST_STRANGERS: usize = 4 * 1024;
/// Before accepting is tried again after it failed, most likely for want of descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// What the server works with.
pub struct Server {
    /// Serves TLS, and signs sidecars' certificates.
    pub authority: Arc<Authority>,
    /// Knows whose tokens are whose.
    pub identity: Arc<Identity>,
    /// What there is to send.
    pub compilations: Compilations,
    /// Where what sidecars say is kept.
    pub acks: Arc<Acks>,
    /// Which replica leads.
    pub leadership: Leadership,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Seconds since the Unix epoch.
    pub now: fn() -> i64,
    /// Ends the server and all its streams.
    pub stop: CancellationToken,
    /// Shared by all streams, and by whoever compares with what sidecars should have.
    pub views: Arc<Views>,
    /// Connections that no sidecar is served on, at most. When there are more, one of them is asked to leave: every pod
    /// may connect, and none may take the memory or the places that sidecars need.
    pub most_strangers: usize,
    /// How patient it is.
    pub timing: Timing,
}

impl Server {
    /// Serves until it is stopped, and then until every stream has ended.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        let strangers = Crowd::new(self.most_strangers);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => match accepted {
                    Ok((stream, peer)) => {
                        let place = strangers.enter(peer.ip());
                        drop(connections.spawn(connection::serve(Arc::clone(&self), stream, peer, place)));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "connection of a sidecar not accepted");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
        let all = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(self.timing.drain, all).await.is_err() {
            tracing::warn!("not every sidecar's connection has ended in time");
        }
    }

    /// Waits until the pod is seen to live, and judges it by its newest state.
    async fn admit(&self, verified: &Verified) -> Result<(), Refusal> {
        let mut compilations = self.compilations.clone();
        let is_there = |newest: &Option<Arc<Compilation>>| live(newest, verified).is_some();
        let seen = tokio::time::timeout(self.timing.fresh_pod, compilations.wait_for(is_there)).await;
        let newest = match seen {
            Ok(Ok(newest)) => newest.clone(),
            Ok(Err(_)) | Err(_) => self.compilations.borrow().clone(),
        };
        if newest.is_none() {
            return Err(Refusal::NotReady);
        }
        match live(&newest, verified) {
            Some(pod) => match &pod.refused {
                Some(why) => Err(Refused::Untrusted(why.to_string()).into()),
                None => Ok(()),
            },
            None => {
                let sentence = format!("pod {} is not seen to live and to carry a sidecar", verified.pod());
                Err(Refused::Untrusted(sentence).into())
            }
        }
    }

    /// What the pod is to have now; `None` when it is gone, or has become one that is served nothing: its image was
    /// changed, or somebody joined the sidecar's processes.
    fn view(&self, verified: &Verified) -> Option<Arc<View>> {
        let newest = self.compilations.borrow().clone();
        let pod = live(&newest, verified).filter(|pod| pod.refused.is_none())?;
        let compiled = &newest.as_ref()?.compiled;
        Some(self.views.of(compiled, &verified.pod().namespace, &pod.labels))
    }
}

fn live<'c>(newest: &'c Option<Arc<Compilation>>, verified: &Verified) -> Option<&'c LivePod> {
    let pod = newest.as_ref()?.pods.get(verified.uid())?;
    (pod.name == *verified.pod()).then_some(pod)
}

/// Everything of a share as resources, in the order of kind and name, for a transport that is no socket.
pub fn resources(share: &Share) -> Vec<Arc<Resource>> {
    let credentials = share.credentials.iter();
    let credentials = credentials.map(|credential| Arc::new(view::resource(credential)));
    credentials.chain(share.resources.iter().cloned()).collect()
}

#[cfg(test)]
mod tests;
