//! A provider, an operator, and the volumes of a sidecar's pod.

use crate::authority::Authority;
use crate::operator::{NAME, Operator, Session, Setup, Signing};
use crate::resources::chat;
use anyhow::{Result, ensure};
use pilotfish_provider::Fake;
use pilotfish_tests::{Client, Dialect, Launch, Mounts, Pilotfish};
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use tempfile::TempDir;

/// The token that is mounted at first; no log may hold it.
pub(crate) const TOKEN: &str = "token-canary-1";
/// As long as a real one.
pub(crate) const AN_HOUR: Signing = Signing::For(-60..3_540);

/// Everything but the sidecar.
pub(crate) struct Scene {
    pub(crate) east: Fake,
    pub(crate) authority: Arc<Authority>,
    pub(crate) operator: Operator,
    pub(crate) mounts: Mounts,
    _directory: TempDir,
}

impl Scene {
    /// An operator that signs certificates for an hour.
    pub(crate) async fn new() -> Result<Self> {
        Self::signing(AN_HOUR).await
    }

    pub(crate) async fn signing(signing: Signing) -> Result<Self> {
        let authority = Arc::new(Authority::new()?);
        let operator = Operator::start(Setup {
            serving: &authority,
            clients: Arc::clone(&authority),
            name: NAME,
            signing,
            address: loopback(),
        })
        .await?;
        let directory = tempfile::tempdir()?;
        fs::create_dir(directory.path().join("state"))?;
        let mounts = Mounts {
            operator: operator.address().to_string(),
            name: NAME.to_owned(),
            directory: directory.path().to_owned(),
        };
        let scene = Self {
            east: Dialect::Chat.provider("east").start().await?,
            authority,
            operator,
            mounts,
            _directory: directory,
        };
        scene.mount("token", TOKEN)?;
        scene.mount("ca.crt", scene.authority.pem())?;
        Ok(scene)
    }

    /// Changes what is mounted.
    pub(crate) fn mount(&self, name: &str, contents: &str) -> Result<()> {
        Ok(fs::write(self.mounts.directory.join(name), contents)?)
    }

    /// A sidecar that listens.
    pub(crate) async fn sidecar(&self) -> Result<Pilotfish> {
        Launch::mounts(&self.mounts).listening().await
    }

    /// A sidecar that serves `chat`, and its stream.
    pub(crate) async fn serving(&mut self) -> Result<(Pilotfish, Session)> {
        let sidecar = self.sidecar().await?;
        let mut session = self.operator.session().await?;
        session.greet("Deployment/web", None).await?;
        let ack = session.batch(1, &chat("east", &self.east), "v1").await?;
        ensure!(ack.refused.is_empty(), "{ack:?}");
        Ok((sidecar.ready().await?, session))
    }

    /// The same operator, as another process of it would come back at the same address.
    pub(crate) async fn restart(&mut self, signing: Signing) -> Result<()> {
        let authority = Arc::clone(&self.authority);
        self.replace(authority, signing).await
    }

    /// An operator at the same address that accepts certificates of `clients` alone.
    pub(crate) async fn replace(&mut self, clients: Arc<Authority>, signing: Signing) -> Result<()> {
        let address = self.operator.address();
        self.stop().await?;
        self.operator = Operator::start(Setup {
            serving: &self.authority,
            clients,
            name: NAME,
            signing,
            address,
        })
        .await?;
        Ok(())
    }

    /// Ends the operator; nobody listens there any more.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        let elsewhere = self.replica().await?;
        std::mem::replace(&mut self.operator, elsewhere).end().await;
        Ok(())
    }

    /// An operator at this address, where nobody listens.
    pub(crate) async fn operator_at(&mut self, address: SocketAddr, signing: Signing) -> Result<()> {
        self.operator = self.started(address, signing).await?;
        Ok(())
    }

    /// Another replica, of the same authority.
    pub(crate) async fn replica(&self) -> Result<Operator> {
        self.started(loopback(), AN_HOUR).await
    }

    async fn started(&self, address: SocketAddr, signing: Signing) -> Result<Operator> {
        Operator::start(Setup {
            serving: &self.authority,
            clients: Arc::clone(&self.authority),
            name: NAME,
            signing,
            address,
        })
        .await
    }
}

pub(crate) fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// The status of a request for `chat`.
pub(crate) async fn status(sidecar: &Pilotfish) -> Result<u16> {
    status_of(&Client::new(sidecar)?).await
}

/// The same, asked by this client.
pub(crate) async fn status_of(client: &Client) -> Result<u16> {
    let answer = client
        .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
        .await?;
    Ok(answer.status)
}
