//! Tokens that live an hour, from a key that lives for years: fetched when a call needs one, renewed before they end.
//!
//! One [`Tokens`] per credential and way to ask, for all workers and all snapshots, so that no swap of a configuration
//! asks again. The calls that need the first token wait for whoever fetches it; a renewal lets all others go on with
//! the token that still holds. Who failed is not asked again for a moment, and all who waited hear the same sentence.

mod google;
mod ibm;
mod read;

use super::credential::HeaderError;
use super::{Endpoint, OutBody, Pools, Reuse};
use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Request};
use pilotfish_wire::{ProviderKey, TokenGrant};
use std::fmt;
use std::sync::{Arc, Mutex as StdMutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Mutex;

/// How long a fetch may take, connecting included.
const LONGEST_FETCH: Duration = Duration::from_secs(10);
/// How long connecting may.
const LONGEST_CONNECT: Duration = Duration::from_secs(5);
/// How long before its end a token is renewed, seconds; a short one for a quarter of its life.
const EARLY: i64 = 300;
/// How long nobody asks again after a failure, seconds.
const PAUSE: i64 = 2;

/// Why there is no token. Quotes nothing but a code from a short list of words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No answer, or half of one.
    #[error("the token endpoint {0} cannot be reached: {1}")]
    Unreachable(String, String),
    /// It answered with an error.
    #[error("the token endpoint {0} answered {1}{2}")]
    Refused(String, u16, String),
    /// It answered, and there is no token in it.
    #[error("the token endpoint {0} answered without a token")]
    NoToken(String),
    /// The key cannot sign.
    #[error("the service account's key cannot sign")]
    Unsigned,
}

impl TokenError {
    /// Nobody is to blame but the way there; the same call may work in a moment.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(..) => true,
            Self::Refused(_, status, _) => *status >= 500 || *status == 429,
            Self::NoToken(_) | Self::Unsigned => false,
        }
    }
}

/// A token and its time, seconds since the Unix epoch.
pub(super) struct Token {
    header: HeaderValue,
    renewed_at: i64,
    ends_at: i64,
}

impl Token {
    /// Behind `Bearer `.
    pub(super) fn secret(&self) -> &[u8] {
        self.header.as_bytes().get(BEARER.len()..).unwrap_or_default()
    }
}

const BEARER: &str = "Bearer ";

/// How one is asked for.
enum Grant {
    ServiceAccount(Box<google::ServiceAccount>),
    Metadata,
    Ibm(ibm::ApiKey),
}

/// One credential's tokens. Has no `Debug`: it holds keys.
pub(super) struct Tokens {
    grant: Grant,
    endpoint: Arc<Endpoint>,
    path: PathAndQuery,
    current: ArcSwapOption<Token>,
    /// Held while somebody fetches; inside, the last failure and when it was.
    fetching: Mutex<Option<(i64, TokenError)>>,
}

/// Those that some snapshot has, by what they are made of.
static KNOWN: StdMutex<Vec<(blake3::Hash, Weak<Tokens>)>> = StdMutex::new(Vec::new());

impl Tokens {
    /// Those of a credential, made or found.
    pub(super) fn of(grant: &TokenGrant, key: Option<&ProviderKey>) -> Result<Arc<Self>, HeaderError> {
        let hash = named(grant, key);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, tokens)| tokens.strong_count() > 0);
        let found = known.iter().find(|(other, _)| *other == hash);
        if let Some(tokens) = found.and_then(|(_, tokens)| tokens.upgrade()) {
            return Ok(tokens);
        }
        let tokens = Arc::new(Self::new(grant, key)?);
        known.push((hash, Arc::downgrade(&tokens)));
        Ok(tokens)
    }

    fn new(grant: &TokenGrant, key: Option<&ProviderKey>) -> Result<Self, HeaderError> {
        let key = || key.ok_or(HeaderError::NoCredential);
        let (grant, url) = match grant {
            TokenGrant::GoogleServiceAccount => {
                let account = google::ServiceAccount::read(key()?).ok_or(HeaderError::NotGoogle)?;
                let url = account.token_uri.clone();
                (Grant::ServiceAccount(Box::new(account)), url)
            }
            TokenGrant::GoogleMetadata => (Grant::Metadata, google::metadata_url()),
            TokenGrant::Ibm { url } => (Grant::Ibm(ibm::ApiKey::of(key()?)), url.clone()),
        };
        let unusable = |error: super::EndpointError| HeaderError::TokenEndpoint(error.to_string());
        let endpoint = Endpoint::parse(&url, None, "").map_err(unusable)?;
        let path = endpoint.path("").map_err(unusable)?;
        Ok(Self {
            grant,
            endpoint,
            path,
            current: ArcSwapOption::empty(),
            fetching: Mutex::new(None),
        })
    }

    /// The token that calls present by now, if there is one.
    pub(super) fn current(&self) -> Option<Arc<Token>> {
        self.current.load_full()
    }

    /// Presents a token that holds.
    pub(super) async fn present(&self, headers: &mut HeaderMap, pools: &Pools, now: i64) -> Result<(), TokenError> {
        let token = match self.current().filter(|token| now < token.ends_at) {
            Some(token) if now < token.renewed_at => token,
            // Whoever comes first renews it; the others do not wait.
            Some(token) => match self.fetching.try_lock() {
                Ok(mut failed) => self.renewed(&mut failed, pools, now).await.unwrap_or(token),
                Err(_) => token,
            },
            None => {
                let mut failed = self.fetching.lock().await;
                match self.current().filter(|token| now < token.ends_at) {
                    Some(token) => token,
                    None => self.renewed(&mut failed, pools, now).await?,
                }
            }
        };
        headers.insert(AUTHORIZATION, token.header.clone());
        Ok(())
    }

    async fn renewed(
        &self,
        failed: &mut Option<(i64, TokenError)>,
        pools: &Pools,
        now: i64,
    ) -> Result<Arc<Token>, TokenError> {
        if let Some((_, error)) = failed.as_ref().filter(|(at, _)| (0..PAUSE).contains(&(now - at))) {
            return Err(error.clone());
        }
        let late = |_| self.unreachable("no answer in time");
        let fetched = tokio::time::timeout(LONGEST_FETCH, self.fetch(pools, now)).await;
        match fetched.map_err(late).and_then(|fetched| fetched) {
            Ok(token) => {
                let token = Arc::new(token);
                self.current.store(Some(Arc::clone(&token)));
                *failed = None;
                Ok(token)
            }
            Err(error) => {
                *failed = Some((now, error.clone()));
                Err(error)
            }
        }
    }

    async fn fetch(&self, pools: &Pools, now: i64) -> Result<Token, TokenError> {
        let request = self.request(now)?;
        let sent = pools
            .send(&self.endpoint, request, LONGEST_CONNECT, Reuse::Allowed)
            .await;
        let response = sent.map_err(|error| self.unreachable(&error.to_string()))?;
        let status = response.head.status.as_u16();
        let body = read::bounded(response.body).await;
        let body = body.map_err(|reason| self.unreachable(&reason))?;
        if status != 200 {
            return Err(TokenError::Refused(self.name(), status, read::code(&body)));
        }
        let granted = read::granted(&body, now).ok_or_else(|| TokenError::NoToken(self.name()))?;
        let lives = granted.ends_at.saturating_sub(now).max(0);
        let mut header = HeaderValue::from_str(&format!("{BEARER}{}", granted.token.expose()))
            .map_err(|_| TokenError::NoToken(self.name()))?;
        header.set_sensitive(true);
        Ok(Token {
            header,
            renewed_at: granted.ends_at - EARLY.min(lives / 4),
            ends_at: granted.ends_at,
        })
    }

    fn request(&self, now: i64) -> Result<Request<OutBody>, TokenError> {
        let form = |body: String| {
            let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
            (Method::POST, body, (CONTENT_TYPE, kind))
        };
        let (method, body, (name, value)) = match &self.grant {
            Grant::ServiceAccount(account) => form(account.form(now).ok_or(TokenError::Unsigned)?),
            Grant::Ibm(key) => form(key.form()),
            Grant::Metadata => {
                let flavor = (
                    HeaderName::from_static("metadata-flavor"),
                    HeaderValue::from_static("Google"),
                );
                (Method::GET, String::new(), flavor)
            }
        };
        let mut request = Request::new(OutBody::new([Bytes::from(body)]));
        *request.method_mut() = method;
        *request.uri_mut() = http::Uri::from(self.path.clone());
        request.headers_mut().insert(name, value);
        Ok(request)
    }

    fn name(&self) -> String {
        self.endpoint.authority().to_owned()
    }

    fn unreachable(&self, reason: &str) -> TokenError {
        TokenError::Unreachable(self.name(), reason.to_owned())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("ends_at", &self.ends_at)
            .finish_non_exhaustive()
    }
}

/// What tells the tokens of one credential from those of another.
fn named(grant: &TokenGrant, key: Option<&ProviderKey>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{grant:?}\n").as_bytes());
    hasher.update(key.map(ProviderKey::expose).unwrap_or_default().as_bytes());
    hasher.finalize()
}

#[cfg(test)]
mod tests;
