//! Whom a connection trusts. Configurations are made once and shared: they also hold the sessions to resume.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::{ClientConfig, RootCertStore};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

/// Without a bundle: the system's roots and Mozilla's. Read when the first endpoint needs them, never before: a sidecar
/// that only calls plain HTTP stays small and starts at once.
static USUAL: OnceLock<Arc<ClientConfig>> = OnceLock::new();

/// With a bundle: one configuration per text, for as long as some endpoint has it.
static BUNDLES: Mutex<Vec<(blake3::Hash, Weak<ClientConfig>)>> = Mutex::new(Vec::new());

/// Why a `caBundle` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// The text between the markers, or the markers, are broken.
    #[error("certificate {number} of the caBundle is not PEM: {}", complaint(.source))]
    Pem {
        /// Counted from 1.
        number: usize,
        /// What was wrong with it.
        source: pem::Error,
    },
    /// PEM, but no certificate that can be trusted.
    #[error("certificate {number} of the caBundle cannot be a root: {source}")]
    Certificate {
        /// Counted from 1.
        number: usize,
        /// What was wrong with it.
        source: rustls::Error,
    },
    /// Nothing in it.
    #[error("the caBundle holds no certificate; it must be PEM with at least one")]
    Empty,
}

/// The configuration for these roots, made or found.
pub(super) fn client_config(ca_bundle: Option<&str>) -> Result<Arc<ClientConfig>, RootsError> {
    let Some(bundle) = ca_bundle else {
        return Ok(Arc::clone(USUAL.get_or_init(|| with_roots(usual_roots()))));
    };
    let hash = blake3::hash(bundle.as_bytes());
    let mut bundles = BUNDLES.lock().unwrap_or_else(PoisonError::into_inner);
    bundles.retain(|(_, config)| config.strong_count() > 0);
    let known = bundles.iter().find(|(known, _)| *known == hash);
    if let Some(config) = known.and_then(|(_, config)| config.upgrade()) {
        return Ok(config);
    }
    let config = with_roots(roots_of(bundle)?);
    bundles.push((hash, Arc::downgrade(&config)));
    Ok(config)
}

fn with_roots(roots: RootCertStore) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the suites of TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

fn usual_roots() -> RootCertStore {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "some of the system's certificates could not be read");
    }
    let (added, ignored) = roots.add_parsable_certificates(native.certs);
    tracing::debug!(added, ignored, "read the system's certificates");
    roots
}

fn roots_of(bundle: &str) -> Result<RootCertStore, RootsError> {
    let mut roots = RootCertStore::empty();
    for (index, certificate) in CertificateDer::pem_slice_iter(bundle.as_bytes()).enumerate() {
        let number = index + 1;
        let certificate = certificate.map_err(|source| RootsError::Pem { number, source })?;
        roots
            .add(certificate)
            .map_err(|source| RootsError::Certificate { number, source })?;
    }
    if roots.is_empty() {
        Err(RootsError::Empty)
    } else {
        Ok(roots)
    }
}

/// The parser's own sentences quote the text as lists of numbers.
fn complaint(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "its end marker is missing",
        pem::Error::IllegalSectionStart { .. } => "its begin marker is broken",
        pem::Error::Base64Decode(_) => "what stands between the markers is not base64",
        _ => "it cannot be read",
    }
}
