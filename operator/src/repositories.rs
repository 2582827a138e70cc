//! From which repositories this installation injects sidecars, and until when it did: a Secret of the operator's namespace.
//!
//! Whoever moves the sidecar's image to another registry has pods that run the former one, and they are to be served until
//! they are replaced. What a pod says of itself is no proof, so the operator writes down what it injects. Each replica
//! keeps the time of its own repository ahead of the clock, and when the last one that injects from it is gone, the time
//! runs out: pods that were made by then stay trusted, and later ones never are. Whoever may write this Secret may write
//! the certificate authority's as well, so nothing is won by it.
//!
//! Every replica does this without a leader, like the certificate authority (`certs/keeper.rs`). A Secret that is deleted
//! is made again with what is injected now: that is how former repositories are given up at once.

use crate::identity::{Injected, Trusted, repository};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ObjectMeta, PostParams};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The Secret.
const NAME: &str = "pilotfish-sidecar-images";
/// Its entry: a JSON object of repositories and seconds since the Unix epoch.
const ENTRY: &str = "repositories.json";
/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Before an API server that is away is asked again, at the start.
const PAUSE: Duration = Duration::from_secs(1);
/// The API server's time for one look.
const PATIENCE: Duration = Duration::from_secs(10);
/// By how much the time of what is injected is ahead, seconds: the API server's clock may be another, and it may be away.
const AHEAD: i64 = 3600;
/// When less than this is left of it, it is written anew, seconds.
const LEFT: i64 = 1800;
/// When more than this is left of it, it was written by a wrong clock, seconds.
const TOO_FAR: i64 = 2 * AHEAD;
/// So many repositories are remembered.
const MOST: usize = 16;
/// Another replica was first.
const CONFLICT: u16 = 409;
/// An API server with too much to do.
const TOO_MANY_REQUESTS: u16 = 429;

/// Remembers what one replica injects.
pub(crate) struct Memory {
    secrets: Api<Secret>,
    /// The repository that this replica injects from.
    own: String,
    trusted: Arc<Trusted>,
}

/// Why nothing was remembered.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Api(#[from] kube::Error),
    #[error("the API server gave no answer in time")]
    Slow,
    #[error("it cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Memory {
    /// Of a replica that injects `image`. What is read is told to `trusted`.
    pub(crate) fn new(client: kube::Client, namespace: &str, image: &str, trusted: Arc<Trusted>) -> Self {
        Self {
            secrets: Api::namespaced(client, namespace),
            own: repository(image).to_owned(),
            trusted,
        }
    }

    /// Reads what there is, and adds what is injected from now on, before any pod is judged or injected. Waits for an API
    /// server that is away.
    pub(crate) async fn begin(&self, now: impl Fn() -> i64) {
        while let Err(error) = self.look(now()).await {
            tracing::warn!(%error, secret = NAME, "what sidecars ran before is not known");
            if !error.is_away() {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Keeps it, for as long as it is polled. `now` is the time in seconds since the Unix epoch.
    pub(crate) async fn run(self, now: impl Fn() -> i64) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if let Err(error) = self.look(now()).await {
                tracing::warn!(%error, secret = NAME, "the image of sidecars cannot be remembered");
            }
        }
    }

    async fn look(&self, now: i64) -> Result<(), Error> {
        let turn = tokio::time::timeout(PATIENCE, self.turn(now)).await;
        turn.map_err(|_| Error::Slow)?
    }

    /// Reads the Secret and writes it if it is not as it should be, until nobody else has written it meanwhile. What was
    /// read counts, also where nothing can be written.
    async fn turn(&self, now: i64) -> Result<(), Error> {
        loop {
            let found = self.secrets.get_opt(NAME).await?;
            let known = found.as_ref().map(read).unwrap_or_default();
            let extended = extended(&known, &self.own, now);
            self.trusted.remember(known);
            let Some(extended) = extended else { return Ok(()) };
            match self.write(found, &extended).await {
                Ok(()) => {
                    self.trusted.remember(extended);
                    return Ok(());
                }
                Err(Error::Api(kube::Error::Api(status))) if status.code == CONFLICT => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn write(&self, found: Option<Secret>, injected: &Injected) -> Result<(), Error> {
        let entry = (ENTRY.to_owned(), ByteString(serde_json::to_vec(injected)?));
        let is_new = found.is_none();
        let mut secret = found.unwrap_or_else(|| Secret {
            metadata: ObjectMeta {
                name: Some(NAME.to_owned()),
                ..ObjectMeta::default()
            },
            ..Secret::default()
        });
        secret.data.get_or_insert_with(BTreeMap::new).extend([entry]);
        let parameters = PostParams::default();
        if is_new {
            self.secrets.create(&parameters, &secret).await?;
        } else {
            self.secrets.replace(NAME, &parameters, &secret).await?;
        }
        Ok(())
    }
}

impl Error {
    /// Another attempt may bring more.
    fn is_away(&self) -> bool {
        match self {
            Self::Api(kube::Error::Api(status)) => status.code >= 500 || status.code == TOO_MANY_REQUESTS,
            Self::Api(kube::Error::HyperError(_) | kube::Error::Service(_)) | Self::Slow => true,
            Self::Api(_) | Self::Json(_) => false,
        }
    }
}

/// What it holds; nothing, where somebody spoilt it.
fn read(secret: &Secret) -> Injected {
    let entry = secret.data.as_ref().and_then(|data| data.get(ENTRY));
    let read = entry.map(|entry| serde_json::from_slice(&entry.0)).transpose();
    read.unwrap_or_else(|error| {
        tracing::warn!(%error, secret = NAME, "what sidecars ran before cannot be read");
        None
    })
    .unwrap_or_default()
}

/// What is `known` with `own` ahead of the clock again; `None`: it is. Of too many those go that were injected the longest
/// ago.
fn extended(known: &Injected, own: &str, now: i64) -> Option<Injected> {
    let is_ahead = known
        .get(own)
        .is_some_and(|until| (now + LEFT..=now + TOO_FAR).contains(until));
    if is_ahead && known.len() <= MOST {
        return None;
    }
    let mut latest: Vec<_> = known.iter().filter(|(repository, _)| *repository != own).collect();
    latest.sort_by_key(|(_, until)| std::cmp::Reverse(**until));
    let others = latest
        .into_iter()
        .take(MOST - 1)
        .map(|(name, until)| (name.clone(), *until));
    Some(others.chain([(own.to_owned(), now + AHEAD)]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn injected(entries: &[(&str, i64)]) -> Injected {
        entries
            .iter()
            .map(|(name, until)| ((*name).to_owned(), *until))
            .collect()
    }

    #[test]
    fn what_is_injected_is_kept_ahead_of_the_clock_and_the_rest_runs_out() {
        let first = injected(&[("old", NOW + AHEAD)]);
        assert_eq!(extended(&Injected::new(), "old", NOW), Some(first.clone()));
        assert_eq!(extended(&first, "old", NOW + AHEAD - LEFT), None);
        let later = NOW + AHEAD - LEFT + 1;
        assert_eq!(
            extended(&first, "old", later),
            Some(injected(&[("old", later + AHEAD)]))
        );
        let both = injected(&[("old", NOW + AHEAD), ("new", later + AHEAD)]);
        assert_eq!(extended(&first, "new", later), Some(both.clone()));
        assert_eq!(extended(&both, "new", later), None, "nobody extends the former one");
        let far = injected(&[("old", NOW + TOO_FAR + 1)]);
        assert_eq!(
            extended(&far, "old", NOW),
            Some(first),
            "a clock was wrong and is right again"
        );
    }

    #[test]
    fn of_too_many_the_longest_gone_are_forgotten() {
        let many: Injected = (0..40).map(|n| (format!("r{n:02}"), NOW + n)).collect();
        let kept = extended(&many, "own", NOW).unwrap();
        assert_eq!(kept.len(), MOST);
        assert!(kept.contains_key("own") && kept.contains_key("r39") && !kept.contains_key("r24"));
        assert_eq!(extended(&kept, "own", NOW), None);
    }

    #[test]
    fn what_somebody_spoilt_is_nothing() {
        let secret = |entry: &str| Secret {
            data: Some(BTreeMap::from([(ENTRY.to_owned(), ByteString(entry.into()))])),
            ..Secret::default()
        };
        assert_eq!(read(&secret(r#"{"a/b": 5}"#)), injected(&[("a/b", 5)]));
        for spoilt in ["", "[]", r#"{"a/b": "x"}"#] {
            assert_eq!(read(&secret(spoilt)), Injected::new(), "{spoilt}");
        }
        assert_eq!(read(&Secret::default()), Injected::new());
    }
}
