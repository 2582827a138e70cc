//! Where an upstream is: parsed and checked once, when a snapshot is built.

use super::tls::{self, RootsError};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// A base URL with all that a connection to it depends on.
pub struct Endpoint {
    pub(super) host: Host,
    pub(super) port: u16,
    /// Present for `https`.
    pub(super) tls: Option<Tls>,
    /// `host` or `host:port` as the URL has it: the `Host` header, and `:authority`.
    pub(super) authority: Authority,
    pub(super) host_header: HeaderValue,
    pub(super) identity: Identity,
    /// What stands before every suffix; no slash at its end.
    base: String,
}

/// A name to resolve, or an address that needs no resolving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Name(String),
    Address(IpAddr),
}

/// How the other side is recognised.
pub(super) struct Tls {
    pub(super) config: Arc<ClientConfig>,
    pub(super) server_name: ServerName<'static>,
}

/// Two endpoints with the same identity share connections: scheme, host, port, roots and credential are the same. The
/// path is no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity([u8; 16]);

/// Why a URL, or the roots given with it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL at all.
    #[error("the endpoint's url is not a url: {0}")]
    NotAUrl(#[from] http::uri::InvalidUri),
    /// Neither `http` nor `https`.
    #[error("the endpoint's url must start with http:// or https://")]
    Scheme,
    /// A user name or password, which would show in logs.
    #[error("the endpoint's url must not have a user name or password; a key belongs into the credentials")]
    UserInfo,
    /// `?…`
    #[error("the endpoint's url must not have a query")]
    Query,
    /// Neither a DNS name nor an address.
    #[error("the host {0:?} of the endpoint's url is neither a DNS name nor an address")]
    Host(String),
    /// Zero, or larger than a port can be.
    #[error("the port of the endpoint's url must be between 1 and 65535")]
    Port,
    /// The `caBundle` is of no use.
    #[error(transparent)]
    Roots(#[from] RootsError),
}

impl Endpoint {
    /// Reads a base URL. `ca_bundle` is PEM and replaces the usual roots; `credential_version` keeps connections that
    /// presented one key apart from those that present the next. Reads the system's roots when the first `https` URL
    /// without a bundle is met.
    pub fn parse(url: &str, ca_bundle: Option<&str>, credential_version: &str) -> Result<Arc<Self>, EndpointError> {
        let uri: Uri = url.trim_end_matches('/').parse()?;
        let secure = is_secure(&uri)?;
        let authority = checked_authority(&uri)?;
        let host = Host::parse(authority.host())?;
        let port = port_of(&authority, secure)?;
        let tls = if secure {
            Some(Tls::new(&host, ca_bundle)?)
        } else {
            None
        };
        let identity = Identity::of(secure, &host, port, ca_bundle, credential_version);
        let host_header =
            HeaderValue::from_str(authority.as_str()).map_err(|_| EndpointError::Host(authority.host().to_owned()))?;
        let base = uri.path().trim_end_matches('/').to_owned();
        Ok(Arc::new(Self {
            host,
            port,
            tls,
            authority,
            host_header,
            identity,
            base,
        }))
    }

    /// The base path with `suffix` (`/chat/completions`) behind it; worth keeping, it allocates.
    pub fn path(&self, suffix: &str) -> Result<PathAndQuery, EndpointError> {
        Ok(PathAndQuery::try_from(format!("{}{suffix}", self.base))?)
    }

    /// `host` or `host:port`, for people and labels.
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    pub(super) fn scheme(&self) -> Scheme {
        if self.tls.is_some() {
            Scheme::HTTPS
        } else {
            Scheme::HTTP
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({}://{}{})", self.scheme(), self.authority, self.base)
    }
}

impl Host {
    fn parse(host: &str) -> Result<Self, EndpointError> {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        if let Ok(address) = bare.parse() {
            return Ok(Self::Address(address));
        }
        match ServerName::try_from(host) {
            Ok(_) => Ok(Self::Name(host.to_ascii_lowercase())),
            Err(_) => Err(EndpointError::Host(host.to_owned())),
        }
    }

    fn server_name(&self) -> ServerName<'static> {
        match self {
            Self::Name(name) => ServerName::try_from(name.clone()).expect("parse accepted it as a DNS name"),
            Self::Address(address) => ServerName::from(*address),
        }
    }
}

impl Tls {
    fn new(host: &Host, ca_bundle: Option<&str>) -> Result<Self, RootsError> {
        Ok(Self {
            config: tls::client_config(ca_bundle)?,
            server_name: host.server_name(),
        })
    }
}

impl Identity {
    fn of(secure: bool, host: &Host, port: u16, ca_bundle: Option<&str>, credential_version: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        let host = match host {
            Host::Name(name) => name.clone(),
            Host::Address(address) => address.to_string(),
        };
        hasher.update(&[u8::from(secure), u8::from(ca_bundle.is_some())]);
        hasher.update(&port.to_be_bytes());
        for part in [host.as_str(), ca_bundle.unwrap_or_default(), credential_version] {
            // The length first, or two neighbours could trade characters.
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        let mut identity = [0; 16];
        hasher.finalize_xof().fill(&mut identity);
        Self(identity)
    }
}

fn is_secure(uri: &Uri) -> Result<bool, EndpointError> {
    match uri.scheme_str() {
        Some("https") => Ok(true),
        Some("http") => Ok(false),
        _ => Err(EndpointError::Scheme),
    }
}

fn checked_authority(uri: &Uri) -> Result<Authority, EndpointError> {
    let authority = uri.authority().ok_or(EndpointError::Scheme)?;
    if authority.as_str().contains('@') {
        return Err(EndpointError::UserInfo);
    }
    if uri.query().is_some() {
        return Err(EndpointError::Query);
    }
    Ok(authority.clone())
}

fn port_of(authority: &Authority, secure: bool) -> Result<u16, EndpointError> {
    let written = authority.as_str().len() > authority.host().len();
    match authority.port_u16() {
        Some(0) => Err(EndpointError::Port),
        Some(port) => Ok(port),
        None if written => Err(EndpointError::Port),
        None => Ok(if secure { 443 } else { 80 }),
    }
}
