//! The installation key: 32 random bytes in a Secret of the operator's namespace, made by whichever replica is first.
//!
//! Callers' keys are hashed with one key that is derived from it, so that the same key has the same version after any
//! restart, and what is in force is sealed with another, because sidecars know the first. Were the Secret replaced, every
//! sidecar would be sent every key once more after the operator's next start, and what is held then would no longer serve:
//! nobody could tell who wrote down what was in force. So a Secret that is deleted is put back as it was.

use crate::remember::SealKey;
use crate::world::InstallationKey;
use anyhow::{Context, bail};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ObjectReference, Secret};
use kube::api::PostParams;
use kube::core::ObjectMeta;
use kube::{Api, Client};
use rustls::crypto::ring::default_provider;
use std::collections::BTreeMap;
use std::time::Duration;

/// The Secret.
const NAME: &str = "pilotfish-installation";
/// Its entry.
const ENTRY: &str = "key";
/// Another replica was first.
const ALREADY_EXISTS: u16 = 409;
/// An API server with too much to do.
const TOO_MANY_REQUESTS: u16 = 429;
/// Before an API server that is away is asked again.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What is derived from the installation key. Neither tells anything about the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    /// Known to sidecars.
    pub(crate) callers: InstallationKey,
    /// Known to the operator alone.
    pub(crate) seals: SealKey,
}

impl Keys {
    fn derive(root: [u8; 32]) -> Self {
        let derived = |purpose| blake3::derive_key(purpose, &root);
        Self {
            callers: InstallationKey::new(derived("pilotfish.dev 2026-11 key hashes of an installation")),
            seals: SealKey::new(derived("pilotfish.dev 2026-11 seals of what is in force")),
        }
    }
}

/// The Secret, as this process found or made it.
pub(crate) struct Kept {
    api: Api<Secret>,
    namespace: String,
    data: Data,
}

type Data = BTreeMap<String, ByteString>;

/// The keys of the installation in `namespace`, made now if there are none, and the Secret that they are of. Waits for an
/// API server that is away.
pub(crate) async fn keys(client: &Client, namespace: &str) -> anyhow::Result<(Keys, Kept)> {
    loop {
        match once(client, namespace).await {
            Err(error) if is_away(&error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "the API server is away, and is asked again until it answers");
                tokio::time::sleep(PAUSE).await;
            }
            keys => return keys,
        }
    }
}

/// It gave no answer, or none of its own.
fn is_away(error: &anyhow::Error) -> bool {
    match error.downcast_ref() {
        Some(kube::Error::Api(status)) => status.code >= 500 || status.code == TOO_MANY_REQUESTS,
        Some(kube::Error::HyperError(_) | kube::Error::Service(_)) => true,
        _ => false,
    }
}

async fn once(client: &Client, namespace: &str) -> anyhow::Result<(Keys, Kept)> {
    let api = Api::<Secret>::namespaced(client.clone(), namespace);
    let existing = api.get_opt(NAME).await;
    let secret = match existing.with_context(|| format!("Secret {namespace}/{NAME} cannot be read"))? {
        Some(secret) => secret,
        None => made(&api, namespace).await?,
    };
    let kept = Kept {
        api,
        namespace: namespace.to_owned(),
        data: secret.data.clone().unwrap_or_default(),
    };
    Ok((read(namespace, &secret)?, kept))
}

async fn made(api: &Api<Secret>, namespace: &str) -> anyhow::Result<Secret> {
    match api.create(&PostParams::default(), &secret_of(random()?)).await {
        Ok(secret) => {
            tracing::info!(
                namespace,
                "Secret {NAME} was made, and nothing is sealed with its key yet"
            );
            Ok(secret)
        }
        Err(kube::Error::Api(status)) if status.code == ALREADY_EXISTS => Ok(api.get(NAME).await?),
        Err(error) => Err(error).with_context(|| format!("Secret {namespace}/{NAME} cannot be created")),
    }
}

impl Kept {
    /// Keeps it as it is, for as long as it is polled.
    pub(crate) async fn run(self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if let Err(error) = self.look().await {
                tracing::warn!(namespace = self.namespace, %error, "Secret {NAME} could not be looked at");
            }
        }
    }

    async fn look(&self) -> kube::Result<()> {
        let namespace = &self.namespace;
        match self.api.get_opt(NAME).await? {
            Some(found) if entry(&found) == self.data.get(ENTRY) => {}
            Some(_) => tracing::warn!(
                namespace,
                "Secret {NAME} has another key: an operator that starts with it knows nothing of what is held in force"
            ),
            None => match self
                .api
                .create(&PostParams::default(), &secret_of(self.data.clone()))
                .await
            {
                Ok(_) => tracing::warn!(namespace, "Secret {NAME} was deleted and is put back"),
                Err(kube::Error::Api(status)) if status.code == ALREADY_EXISTS => {}
                Err(error) => return Err(error),
            },
        }
        Ok(())
    }
}

/// The Secret, for who tells something about it.
pub(crate) fn reference(namespace: &str) -> ObjectReference {
    ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Secret".to_owned()),
        namespace: Some(namespace.to_owned()),
        name: Some(NAME.to_owned()),
        ..ObjectReference::default()
    }
}

fn random() -> anyhow::Result<Data> {
    let mut bytes = [0; 32];
    if default_provider().secure_random.fill(&mut bytes).is_err() {
        bail!("the system has no random bytes");
    }
    Ok(BTreeMap::from([(ENTRY.to_owned(), ByteString(bytes.to_vec()))]))
}

fn secret_of(data: Data) -> Secret {
    Secret {
        metadata: ObjectMeta {
            name: Some(NAME.to_owned()),
            ..ObjectMeta::default()
        },
        data: Some(data),
        ..Secret::default()
    }
}

/// Whatever else somebody put beside it.
fn entry(secret: &Secret) -> Option<&ByteString> {
    secret.data.as_ref()?.get(ENTRY)
}

fn read(namespace: &str, secret: &Secret) -> anyhow::Result<Keys> {
    let bytes = entry(secret).and_then(|bytes| <[u8; 32]>::try_from(bytes.0.as_slice()).ok());
    bytes.map(Keys::derive).with_context(|| {
        format!("entry {ENTRY} of Secret {namespace}/{NAME} is not 32 bytes; delete the Secret to have a new one made")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remember::seal;

    #[test]
    fn a_key_that_was_made_can_be_read_and_no_two_are_equal() {
        let (one, other) = (secret_of(random().unwrap()), secret_of(random().unwrap()));
        assert!(read("ns", &one).unwrap() != read("ns", &other).unwrap());
    }

    #[test]
    fn what_somebody_puts_beside_the_key_changes_nothing() {
        let mut secret = secret_of(random().unwrap());
        let before = entry(&secret).cloned();
        let note = ("note".to_owned(), ByteString(b"restored".to_vec()));
        secret.data.get_or_insert_default().extend([note]);
        assert!(before.is_some() && entry(&secret) == before.as_ref());
    }

    #[tokio::test]
    async fn an_api_server_that_is_away_is_waited_for() {
        let secret = secret_of(random().unwrap());
        let status = |code: u16| {
            let status = serde_json::json!({"kind": "Status", "status": "Failure", "code": code, "reason": "x", "message": "no"});
            (code, status)
        };
        let asked = async |answers: Vec<(u16, serde_json::Value)>, patience| {
            let answers = std::sync::Mutex::new(answers.into_iter());
            let answers = std::sync::Arc::new(answers);
            let service = tower::service_fn(move |_: http::Request<kube::client::Body>| {
                let answer = answers.lock().unwrap().next();
                async move {
                    let (code, body) = answer.ok_or_else(|| std::io::Error::other("refused"))?;
                    let body = kube::client::Body::from(body.to_string().into_bytes());
                    Ok::<_, std::io::Error>(http::Response::builder().status(code).body(body).unwrap())
                }
            });
            let client = Client::new(service, "default");
            tokio::time::timeout(patience, keys(&client, "ns")).await
        };
        let found = (200, serde_json::to_value(&secret).unwrap());
        let keys = asked(vec![status(503), status(429), found], 60 * PAUSE)
            .await
            .unwrap()
            .unwrap()
            .0;
        assert_eq!(keys, read("ns", &secret).unwrap());
        let forbidden = asked(vec![status(403)], 60 * PAUSE).await.unwrap();
        assert!(forbidden.is_err(), "no waiting helps");
        assert!(asked(vec![], 2 * PAUSE).await.is_err(), "it waits while nobody answers");
    }

    #[test]
    fn what_sidecars_are_sent_seals_nothing() {
        let keys = Keys::derive([7; 32]);
        let spec = serde_json::json!({"models": ["chat"]});
        let known = blake3::Hash::from_hex(keys.callers.to_hex()).unwrap();
        let forged = seal(SealKey::new(*known.as_bytes()), "uid-1", 3, &spec);
        assert_ne!(forged, seal(keys.seals, "uid-1", 3, &spec));
        assert_ne!(*known.as_bytes(), [7; 32]);
    }

    #[test]
    fn a_damaged_secret_says_what_to_do() {
        let secret = secret_of(BTreeMap::from([(ENTRY.to_owned(), ByteString(vec![1, 2, 3]))]));
        let sentence = read("ns", &secret).err().unwrap().to_string();
        assert_eq!(
            sentence,
            "entry key of Secret ns/pilotfish-installation is not 32 bytes; delete the Secret to have a new one made"
        );
    }
}
