//! What rustls needs of the roots: the serving certificate of the moment, and whose client certificates are taken.

use super::Error;
use super::root::{Root, Served};
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{default_provider, sign};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use std::fmt;
use std::sync::Arc;
use tokio::sync::watch;

/// Answers each handshake with the certificate of the moment.
pub(super) struct Resolver(pub(super) watch::Receiver<Option<Arc<CertifiedKey>>>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.borrow().clone()
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

pub(super) fn certified(served: Served) -> Result<CertifiedKey, Error> {
    let key = sign::any_ecdsa_type(&served.key.into())?;
    Ok(CertifiedKey::new(vec![served.certificate], key))
}

/// TLS 1.3 and HTTP/2 for sidecars. A client certificate is optional, and when there is one, it is of these roots. A
/// session is never resumed: that would prove an identity again whose certificate may have ended.
pub(super) fn sidecars(roots: &[Arc<Root>], resolver: Arc<Resolver>) -> Result<ServerConfig, Error> {
    let provider = Arc::new(default_provider());
    let mut trusted = RootCertStore::empty();
    for root in roots {
        trusted.add(root.der.clone())?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()?;
    let mut config = builder(provider)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn builder(
    provider: Arc<CryptoProvider>,
) -> Result<rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>, rustls::Error> {
    ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13])
}
