//! The operator's own certificate authority: what sidecars and the API server trust, and what sidecars prove.
//!
//! The roots are in the Secret `pilotfish-ca` of the operator's namespace, made by whichever replica comes first and
//! shared by all ([`Keeper`]). [`Authority`] holds what this replica makes of them: the bundle to be trusted, its own
//! serving certificate, and the certificates of sidecars. When what is done to them is decided in `schedule.rs`.
//!
//! Of the Kubernetes API it needs `get`, `create` and `update` of that Secret.

mod keeper;
mod root;
mod schedule;
mod stored;
mod tls;

pub use keeper::Keeper;
pub use schedule::{DEFAULT_LIFETIME, SHORTEST_LIFETIME};

use crate::metrics::{Certificate, Metrics};
use root::{RequestedKey, Root};
use rustls::ServerConfig;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use schedule::Schedule;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tls::Resolver;
use tokio::sync::watch;

/// What this replica does with the roots.
pub struct Authority {
    schedule: Schedule,
    /// What the serving certificate is for.
    names: Vec<String>,
    metrics: Arc<Metrics>,
    held: Mutex<Held>,
    bundle: watch::Sender<Arc<str>>,
    certificate: watch::Sender<Option<Arc<CertifiedKey>>>,
    sidecars: watch::Sender<Option<Arc<ServerConfig>>>,
}

/// The roots, and which of them signs.
#[derive(Default)]
struct Held {
    roots: Vec<Arc<Root>>,
    signs: Option<Arc<Root>>,
    serving: Option<Serving>,
}

/// The serving certificate of the moment.
struct Serving {
    signed_by: Arc<Root>,
    /// In seconds since the Unix epoch.
    made: i64,
    /// When the next one is due, in seconds since the Unix epoch.
    renewed: i64,
}

/// Why a root or a certificate could not be made, read or kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused, or could not be reached.
    #[error("secret pilotfish-ca: {0}")]
    Api(#[from] kube::Error),
    /// The API server gave no answer.
    #[error("secret pilotfish-ca: no answer within {0:?}")]
    Silent(Duration),
    /// Certificates could not be made.
    #[error("certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// They could not be used.
    #[error("certificate: {0}")]
    Use(#[from] rustls::Error),
    /// The roots could not be used to verify clients.
    #[error("certificate authority: {0}")]
    Verify(#[from] rustls::server::VerifierBuilderError),
    /// Text that is no certificate.
    #[error("certificate is no X.509 in PEM")]
    Unreadable,
    /// A certificate and a key that do not belong together.
    #[error("certificate is not that of its key")]
    ForeignKey,
    /// A certificate that may sign none.
    #[error("certificate is no authority's: its basicConstraints or its keyUsage do not let it sign others")]
    NoAuthority,
    /// There is no root yet.
    #[error("the certificate authority has not been read yet")]
    NoRoot,
}

/// Why a sidecar is given no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertifyError {
    /// What it sent cannot be signed.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// We cannot sign.
    #[error(transparent)]
    Own(#[from] Error),
}

/// What is wrong with a certificate request.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Not a request at all.
    #[error("the body is no PEM certificate request")]
    Unreadable,
    /// Its key is not one we sign for.
    #[error("the key of the certificate request is not on the curve P-256")]
    WrongKind,
    /// Who sent it does not hold the key.
    #[error("the certificate request is not signed by its own key")]
    NotSigned,
}

impl Authority {
    /// Without roots yet. Serving certificates are for `names`, which are DNS names and IP addresses; a root that is made
    /// here lasts `lifetime`.
    pub fn new(names: Vec<String>, lifetime: Duration, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self {
            schedule: Schedule::new(lifetime),
            names,
            metrics,
            held: Mutex::default(),
            bundle: watch::Sender::new("".into()),
            certificate: watch::Sender::default(),
            sidecars: watch::Sender::default(),
        })
    }

    /// The PEM bundle that everybody has to trust; empty until there is a root.
    pub fn trust(&self) -> watch::Receiver<Arc<str>> {
        self.bundle.subscribe()
    }

    /// Serves with the certificate of the moment: for a listener that asks its clients for none, as the webhooks' does.
    pub fn serving(&self) -> Arc<dyn ResolvesServerCert> {
        Arc::new(self.resolver())
    }

    /// How to take sidecars' connections: to be looked up for each, as the roots change. `None` until there is one.
    pub fn sidecars(&self) -> watch::Receiver<Option<Arc<ServerConfig>>> {
        self.sidecars.subscribe()
    }

    /// A certificate with these URIs as its only names, for the key of a PEM certificate request; PEM.
    pub fn certify(&self, request_pem: &[u8], uris: &[String], now: i64) -> Result<String, CertifyError> {
        let key = RequestedKey::of(request_pem)?;
        let signs = self.lock().signs.clone().ok_or(Error::NoRoot)?;
        Ok(signs.certify(&key, uris, now, self.schedule)?)
    }

    /// From `now` on these are the roots. Those that have ended are left out.
    fn adopt(&self, roots: Vec<Arc<Root>>, now: i64) -> Result<(), Error> {
        let terms: Vec<_> = roots.iter().map(|root| root.term).collect();
        let step = self.schedule.at(now, &terms);
        let trusted: Vec<_> = step.kept.iter().map(|&root| Arc::clone(&roots[root])).collect();
        let signs = step.signs.map(|root| Arc::clone(&roots[root])).ok_or(Error::NoRoot)?;

        let bundle: Arc<str> = stored::bundle(&trusted).into();
        let changed = *bundle != **self.bundle.borrow();
        if changed {
            let config = tls::sidecars(&trusted, Arc::new(self.resolver()))?;
            self.sidecars.send_replace(Some(Arc::new(config)));
            self.bundle.send_replace(bundle);
            tracing::info!(roots = trusted.len(), "certificate authority in use");
        }
        self.renew_serving(&signs, now)?;
        let ends = signs.term.ends;
        let mut held = self.lock();
        held.roots = trusted;
        held.signs = Some(signs);
        drop(held);
        self.metrics.certificate_expires(Certificate::Authority, ends);
        Ok(())
    }

    /// Makes a serving certificate when there is none, when another root signs, and well before the last one ends.
    fn renew_serving(&self, signs: &Arc<Root>, now: i64) -> Result<(), Error> {
        // One of the future was made before this clock was set right; nobody takes it yet.
        let fits = |serving: &Serving| serving.made <= now && now < serving.renewed;
        let still_good = |serving: &Serving| serving.signed_by.der == signs.der && fits(serving);
        if self.lock().serving.as_ref().is_some_and(still_good) {
            return Ok(());
        }
        let served = signs.serve(&self.names, now, self.schedule)?;
        let ends = served.ends;
        self.certificate.send_replace(Some(Arc::new(tls::certified(served)?)));
        self.lock().serving = Some(Serving {
            signed_by: Arc::clone(signs),
            made: now,
            renewed: now + (ends - now) * 2 / 3,
        });
        self.metrics.certificate_expires(Certificate::Serving, ends);
        Ok(())
    }

    fn resolver(&self) -> Resolver {
        Resolver(self.certificate.subscribe())
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
