//! The handle of a running fake: where it is, what it is told to do, what it saw.

use crate::control::Control;
use crate::ledger::Bill;
use crate::received::Received;
use crate::record::{Connections, Ended, NeverCame, Sent};
use crate::serve::{self, Provider, Server};
use crate::step::Step;
use crate::tls::Identity;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Where and how a fake listens.
#[derive(Clone, Debug)]
pub(crate) struct Listen {
    pub(crate) address: SocketAddr,
    pub(crate) protocols: Option<Vec<&'static str>>,
    pub(crate) max_streams: Option<u32>,
}

impl Default for Listen {
    fn default() -> Self {
        Listen {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            protocols: None,
            max_streams: None,
        }
    }
}

/// A running fake provider. It stops, with all its connections, when it is dropped.
pub struct Fake {
    server: Arc<Server>,
    address: SocketAddr,
    identity: Option<Arc<Identity>>,
    base_path: &'static str,
    tasks: JoinSet<()>,
}

impl Fake {
    pub(crate) async fn start(
        provider: Box<dyn Provider>,
        base_path: &'static str,
        listen: Listen,
    ) -> anyhow::Result<Fake> {
        let server = Arc::new(Server::new(provider, listen.max_streams));
        let identity = listen
            .protocols
            .map(|protocols| Identity::new(&protocols))
            .transpose()?
            .map(Arc::new);
        let (listener, address) = serve::listen(listen.address).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(serve::accept(listener, Arc::clone(&server), identity.clone()));
        Ok(Fake {
            server,
            address,
            identity,
            base_path,
            tasks,
        })
    }

    /// The base URL as the SDK of its shape takes it: OpenAI's ends in `/v1`, Anthropic's in the port.
    pub fn url(&self) -> String {
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{}", self.address, self.base_path)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the authority that signed its own, as PEM; `None` without TLS.
    pub fn authority_pem(&self) -> Option<&str> {
        self.identity.as_deref().map(Identity::authority_pem)
    }

    /// Adds steps to the end of the script.
    pub fn script(&self, steps: impl IntoIterator<Item = Step>) {
        self.server.script.extend(steps);
    }

    /// What happens to every request that fits no step of the script.
    pub fn always(&self, step: Step) {
        self.server.script.stand(Some(step));
    }

    /// Forgets the script and the standing step: in good health again.
    pub fn recover(&self) {
        self.server.script.clear();
    }

    /// How many requests the script still waits for.
    pub fn steps_left(&self) -> usize {
        self.server.script.left()
    }

    /// Closes the connections on which no request is under way, as a keep-alive timeout does.
    pub fn close_idle_connections(&self) {
        self.server.close_idle_connections();
    }

    /// Every request so far that has been read, or that the script acted on unread, in order of arrival.
    pub fn received(&self) -> Vec<Received> {
        self.server.record.requests()
    }

    /// Waits until so many requests are in `received`, and returns them. Fails after 30 s.
    pub async fn arrived(&self, count: usize) -> Result<Vec<Received>, NeverCame> {
        self.server.record.until_arrived(count).await
    }

    /// Waits until the exchange of request `number` is over: answered, broken off, or left by its client. Fails after 30 s.
    pub async fn ended(&self, number: usize) -> Result<Ended, NeverCame> {
        self.server.record.until_ended(number).await
    }

    /// What has been sent in answer to request `number`; `None` if there is no such request.
    pub fn sent(&self, number: usize) -> Option<Sent> {
        self.server.record.sent(number)
    }

    /// The connections now.
    pub fn connections(&self) -> Connections {
        self.server.record.connections()
    }

    /// Waits until the connections are as wanted. Fails after 30 s.
    pub async fn connections_until(&self, wanted: impl Fn(Connections) -> bool) -> Result<Connections, NeverCame> {
        self.server.record.until_connections(wanted).await
    }

    /// What it would charge, in order of arrival.
    pub fn bills(&self) -> Vec<Bill> {
        self.server.record.bills()
    }

    /// What clients did against the rules of HTTP, one sentence each.
    pub fn violations(&self) -> Vec<String> {
        self.server.record.violations()
    }

    /// Opens a port over which this fake can be steered by HTTP, for programs that do not hold this handle:
    /// `POST /script`, `PUT /always`, `DELETE /script`, `GET /received`, `GET /bills`, `GET /violations`.
    pub async fn control(&self, address: SocketAddr) -> anyhow::Result<Fake> {
        let control = Box::new(Control::new(Arc::clone(&self.server)));
        Fake::start(
            control,
            "",
            Listen {
                address,
                ..Listen::default()
            },
        )
        .await
    }

    /// Stops listening and drops every connection; returns when the port is free.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}
