//! The only reader of provider keys: turns them into headers that no log shows, or signs with them.

use super::signature::{SignError, Signer};
use super::token::{Token, TokenError, Tokens};
use super::{Endpoint, OutBody, Pools};
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use pilotfish_wire::{Auth, ProviderKey};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A provider's key and its version. Not `Clone`; its `Debug` shows the version alone.
pub struct Credential {
    key: ProviderKey,
    version: String,
}

/// The headers that every call to one endpoint carries: its deployment's credential, and those its owner added. Made once per
/// snapshot; a call costs no allocation. Not `Clone`; its `Debug` shows names alone.
pub struct StandingHeaders {
    headers: Vec<Standing>,
    /// Where a credential is not presented but signs.
    signer: Option<Signer>,
    /// Where it is exchanged for tokens.
    tokens: Option<Arc<Tokens>>,
    credential_version: String,
}

struct Standing {
    name: HeaderName,
    value: HeaderValue,
    /// Where in the value a key begins; absent: it holds none.
    key_at: Option<usize>,
}

/// Why a deployment's headers cannot be made. Never quotes a value.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HeaderError {
    /// Named, but not in the snapshot.
    #[error("the credential {0:?} is missing")]
    MissingCredential(String),
    /// The deployment presents a key and names none.
    #[error("the deployment presents a key but names no credential")]
    NoCredential,
    /// What should sign is something else.
    #[error("the credential holds no keys of an AWS account")]
    NotAws,
    /// What should sign is something else.
    #[error("the credential holds no key file of a Google service account")]
    NotGoogle,
    /// Where tokens should come from.
    #[error("the token endpoint cannot be used: {0}")]
    TokenEndpoint(String),
    /// Its name has characters a header's name cannot have.
    #[error("{0:?} cannot be a header's name")]
    Name(String),
    /// Its value has characters a header's value cannot have.
    #[error("the value for the header {0:?} has a line break or another character that no header can carry")]
    Value(String),
    /// It would change how the message is framed or where it goes.
    #[error("the header {0:?} belongs to the connection and cannot be set")]
    Reserved(String),
}

/// What the proxy and the connection write themselves.
const RESERVED: [&str; 8] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

impl Credential {
    /// Takes the key over. `version` is that of the wire resource: it changes when the key does.
    pub fn new(key: ProviderKey, version: impl Into<String>) -> Self {
        Self {
            key,
            version: version.into(),
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl StandingHeaders {
    /// The headers of a deployment that presents the credential named `credential` as `auth` says, and adds `added`.
    /// `find` looks a credential up by `namespace/name`.
    pub fn new<'a>(
        auth: &Auth,
        credential: Option<&str>,
        added: &BTreeMap<String, pilotfish_wire::HeaderValue>,
        find: impl Fn(&str) -> Option<&'a Credential>,
    ) -> Result<Self, HeaderError> {
        let mut standing = Self {
            headers: Vec::with_capacity(added.len() + 1),
            signer: None,
            tokens: None,
            credential_version: String::new(),
        };
        let find = |name: &str| find(name).ok_or_else(|| HeaderError::MissingCredential(name.to_owned()));
        standing.authenticate(auth, credential, &find)?;
        for (name, value) in added {
            match value {
                pilotfish_wire::HeaderValue::Value(value) => standing.push(name, value, None)?,
                pilotfish_wire::HeaderValue::Credential(credential) => standing.present(name, "", find(credential)?)?,
            }
        }
        Ok(standing)
    }

    /// Changes when any key among the headers does; empty when there is none. For [`super::Endpoint::parse`].
    pub fn credential_version(&self) -> &str {
        &self.credential_version
    }

    /// Writes them over whatever has the same names.
    pub fn apply(&self, headers: &mut HeaderMap) {
        for Standing { name, value, key_at: _ } in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
    }

    /// Signs a call to `endpoint`, if its calls are signed. The last thing before it is sent: nothing that is signed
    /// may change.
    pub fn sign(
        &self,
        request: &mut http::Request<OutBody>,
        endpoint: &Endpoint,
        now_unix_seconds: i64,
    ) -> Result<(), SignError> {
        match &self.signer {
            Some(signer) => signer.sign(request, endpoint.authority(), now_unix_seconds),
            None => Ok(()),
        }
    }

    /// Presents a token that holds, if it is called with tokens; the first one is waited for.
    pub async fn authorise(
        &self,
        headers: &mut HeaderMap,
        pools: &Pools,
        now_unix_seconds: i64,
    ) -> Result<(), TokenError> {
        match &self.tokens {
            Some(tokens) => tokens.present(headers, pools, now_unix_seconds).await,
            None => Ok(()),
        }
    }

    /// The token that is presented by now.
    pub(super) fn token(&self) -> Option<Arc<Token>> {
        self.tokens.as_ref()?.current()
    }

    /// Every key among them, as it is presented, and those that sign.
    pub(super) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let presented = self
            .headers
            .iter()
            .filter_map(|standing| standing.value.as_bytes().get(standing.key_at?..));
        presented.chain(self.signer.iter().flat_map(Signer::secrets))
    }

    fn authenticate<'a>(
        &mut self,
        auth: &Auth,
        credential: Option<&str>,
        find: &impl Fn(&str) -> Result<&'a Credential, HeaderError>,
    ) -> Result<(), HeaderError> {
        if let Auth::Token(grant) = auth {
            let credential = credential.map(find).transpose()?;
            if let Some(credential) = credential {
                self.note_version(credential);
            }
            self.tokens = Some(Tokens::of(grant, credential.map(|credential| &credential.key))?);
            return Ok(());
        }
        let credential = || credential.ok_or(HeaderError::NoCredential).and_then(find);
        match auth {
            Auth::Token(_) => Ok(()),
            Auth::None => Ok(()),
            Auth::Bearer => self.present(AUTHORIZATION.as_str(), "Bearer ", credential()?),
            Auth::Header(name) => self.present(name, "", credential()?),
            Auth::SigV4 { region, service } => {
                let credential = credential()?;
                self.note_version(credential);
                self.signer = Some(Signer::new(&credential.key, region, service)?);
                Ok(())
            }
        }
    }

    fn note_version(&mut self, credential: &Credential) {
        self.credential_version.push_str(&credential.version);
        self.credential_version.push('\n');
    }

    fn present(&mut self, name: &str, scheme: &str, credential: &Credential) -> Result<(), HeaderError> {
        self.note_version(credential);
        // Secrets made with `echo` end in a line break, which is no part of the key.
        let key = credential.key.expose().trim_end_matches(['\r', '\n']);
        self.push(name, &format!("{scheme}{key}"), Some(scheme.len()))
    }

    fn push(&mut self, name: &str, value: &str, key_at: Option<usize>) -> Result<(), HeaderError> {
        let header = HeaderName::try_from(name).map_err(|_| HeaderError::Name(name.to_owned()))?;
        if RESERVED.contains(&header.as_str()) {
            return Err(HeaderError::Reserved(name.to_owned()));
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| HeaderError::Value(name.to_owned()))?;
        value.set_sensitive(key_at.is_some());
        self.headers.push(Standing {
            name: header,
            value,
            key_at,
        });
        Ok(())
    }
}

impl fmt::Debug for StandingHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.headers.iter().map(|standing| &standing.name))
            .finish()
    }
}
