//! Keeps the Secret with the roots: reads it, makes it, heals it, and makes the next root when it is due.
//!
//! Every replica does all of this, without a leader: what is written depends on what was read, by its resourceVersion,
//! so of two replicas that make a root at the same time one is told to read again and finds the other's. While the API
//! server cannot be reached, the roots that are known stay in use, and serving certificates are renewed from them.

use super::root::Root;
use super::stored::{self, Data};
use super::{Authority, Error};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ObjectMeta, PostParams};
use std::sync::Arc;
use std::time::Duration;

/// The Secret's name.
pub(super) const SECRET: &str = "pilotfish-ca";
/// The Secret is read again this often, or as often as a bundle's spreading needs.
const INTERVAL: Duration = Duration::from_secs(10);
/// The API server's time for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Until the next attempt after one that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps the roots of one [`Authority`].
pub struct Keeper {
    authority: Arc<Authority>,
    secrets: Api<Secret>,
}

impl Keeper {
    /// `client`'s user may read and write the Secret in `namespace`.
    pub fn new(authority: Arc<Authority>, client: kube::Client, namespace: &str) -> Self {
        Self {
            authority,
            secrets: Api::namespaced(client, namespace),
        }
    }

    /// For ever. `now` is the time in seconds since the Unix epoch.
    pub async fn run(self, now: impl Fn() -> i64) -> ! {
        let interval = self.interval();
        loop {
            let pause = match self.turn(&now).await {
                Ok(()) => interval,
                Err(error) => {
                    tracing::warn!(%error, "certificate authority not read");
                    self.carry_on(now());
                    PAUSE.min(interval)
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// A root must be known to all replicas before it has spread.
    fn interval(&self) -> Duration {
        let spread = u64::try_from(self.authority.schedule.spread()).unwrap_or(0);
        INTERVAL.min(Duration::from_secs(spread) / 3)
    }

    /// Reads the Secret, writes it if it is not as it should be, and uses what is in it.
    async fn turn(&self, now: &impl Fn() -> i64) -> Result<(), Error> {
        loop {
            let stored = answer(self.secrets.get_opt(SECRET)).await?;
            let now = now();
            let roots = self.due(stored.as_ref(), now)?;
            let wanted = stored::write(&roots);
            if stored.as_ref().and_then(|secret| secret.data.as_ref()) == Some(&wanted) {
                return self.authority.adopt(roots, now);
            }
            // Written even if only an entry was edited: `ca.crt` is read by people, and by nobody else.
            match self.write(stored, wanted).await {
                Ok(()) => return self.authority.adopt(roots, now),
                Err(Error::Api(kube::Error::Api(status))) if status.code == 409 => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The roots that there should be, given the Secret as it is. A Secret that is gone, or that holds nothing of use, is
    /// made again from the roots this replica still has: whoever trusts them need not learn anything new.
    fn due(&self, stored: Option<&Secret>, now: i64) -> Result<Vec<Arc<Root>>, Error> {
        let schedule = self.authority.schedule;
        let mut roots = stored.map_or_else(Vec::new, readable);
        if roots.is_empty() {
            roots = self.authority.lock().roots.clone();
        }
        let terms: Vec<_> = roots.iter().map(|root| root.term).collect();
        if terms.iter().any(|term| schedule.is_ahead(now, *term)) {
            tracing::warn!(
                secret = SECRET,
                "a root was made in the future: another replica's clock is wrong, or this one's"
            );
        }
        let step = schedule.at(now, &terms);
        roots = step.kept.iter().map(|&root| Arc::clone(&roots[root])).collect();
        if step.make {
            roots.push(Arc::new(Root::make(schedule.term(now))?));
        }
        Ok(roots)
    }

    async fn write(&self, stored: Option<Secret>, data: Data) -> Result<(), Error> {
        let params = PostParams::default();
        let is_new = stored.is_none();
        let mut secret = stored.unwrap_or_else(empty);
        secret.data = Some(data);
        if is_new {
            answer(self.secrets.create(&params, &secret)).await?;
        } else {
            answer(self.secrets.replace(SECRET, &params, &secret)).await?;
        }
        tracing::info!(secret = SECRET, "certificate authority written");
        Ok(())
    }

    /// Time passes although the API server is away.
    fn carry_on(&self, now: i64) {
        let roots = self.authority.lock().roots.clone();
        if roots.is_empty() {
            return;
        }
        if let Err(error) = self.authority.adopt(roots, now) {
            tracing::error!(%error, "certificate authority not usable");
        }
    }
}

fn readable(secret: &Secret) -> Vec<Arc<Root>> {
    let (roots, unreadable) = secret.data.as_ref().map(stored::read).unwrap_or_default();
    if !unreadable.is_empty() {
        tracing::warn!(secret = SECRET, entries = ?unreadable, "entries of the certificate authority are no roots and are removed");
    }
    roots
}

fn empty() -> Secret {
    let managed_by = ("app.kubernetes.io/managed-by".to_owned(), "pilotfish".to_owned());
    Secret {
        metadata: ObjectMeta {
            name: Some(SECRET.to_owned()),
            labels: Some([managed_by].into()),
            ..ObjectMeta::default()
        },
        ..Secret::default()
    }
}

async fn answer<T>(call: impl Future<Output = kube::Result<T>>) -> Result<T, Error> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Error::Silent(PATIENCE)),
    }
}
