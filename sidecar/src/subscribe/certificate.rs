//! The client certificate by which the operator knows this sidecar.
//!
//! The key is made here, is held in memory alone, and never leaves the process; it is another one with every
//! certificate. What the certificate says is the operator's business: the request names nobody.

mod der;

use der::Validity;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_ecdsa_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use std::ops::Range;
use std::sync::Arc;

/// Past this share of its life a certificate is not presented any more.
const PRESENTABLE: f64 = 0.8;
/// A new one is asked for somewhere in between these shares of what was left of it when it came, so that a fleet does
/// not ask at one moment.
const RENEWED: Range<f64> = 0.5..0.65;
/// The soonest, seconds: what has so little left is a mistake, and is not to be made often.
const SOONEST_RENEWAL: i64 = 5;
/// When nothing was left of it, seconds: our clock is not the operator's.
const RENEWAL_WITHOUT_CLOCK: i64 = 600;

/// A key that is waiting for its certificate.
pub(super) struct Request {
    key: Arc<dyn SigningKey>,
    pem: String,
}

/// A certificate and its key.
#[derive(Debug)]
pub(super) struct Certificate {
    certified: Arc<CertifiedKey>,
    validity: Validity,
    /// When it is to be renewed, seconds since the Unix epoch.
    renew_at: i64,
}

/// Why there is no certificate. Never quotes a key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CertificateError {
    /// The system's random numbers, or the key made from them.
    #[error("no key could be made")]
    Key,
    /// No PEM, or no certificate in it.
    #[error("the operator's answer holds no certificate")]
    Missing,
    /// A certificate whose validity cannot be read.
    #[error("the operator's certificate cannot be read")]
    Unreadable,
    /// Signed for somebody else's key.
    #[error("the operator's certificate is for another key than the one that was asked for")]
    OtherKey,
}

impl Request {
    /// Makes a key, and asks for its certificate.
    pub(super) fn new() -> Result<Self, CertificateError> {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random)
            .map_err(|_| CertificateError::Key)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.as_ref()));
        let key = any_ecdsa_type(&key).map_err(|_| CertificateError::Key)?;
        let pem = signed_request(&*key).ok_or(CertificateError::Key)?;
        Ok(Self { key, pem })
    }

    /// The request, PKCS #10 as PEM.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    /// The operator's answer, a chain as PEM, at `unix_seconds`. `draw` is even in 0.0 to 1.0.
    pub(super) fn answered(self, chain: &[u8], unix_seconds: i64, draw: f64) -> Result<Certificate, CertificateError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
        let chain = chain.map_err(|_| CertificateError::Missing)?;
        let leaf = chain.first().ok_or(CertificateError::Missing)?;
        let validity = der::validity(leaf).ok_or(CertificateError::Unreadable)?;
        let certified = CertifiedKey::new(chain, self.key);
        certified.keys_match().map_err(|_| CertificateError::OtherKey)?;
        Ok(Certificate {
            certified: Arc::new(certified),
            renew_at: renew_at(unix_seconds, validity.until, draw),
            validity,
        })
    }
}

fn renew_at(now: i64, until: i64, draw: f64) -> i64 {
    let left = Validity { from: now, until };
    let share = RENEWED.start + draw * (RENEWED.end - RENEWED.start);
    match until > now {
        true => left.at(share).max(now + SOONEST_RENEWAL),
        false => now + RENEWAL_WITHOUT_CLOCK,
    }
}

fn signed_request(key: &dyn SigningKey) -> Option<String> {
    let information = der::request_information(&key.public_key()?);
    let signer = key.choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256])?;
    let signature = signer.sign(&information).ok()?;
    Some(der::pem("CERTIFICATE REQUEST", &der::request(&information, &signature)))
}

impl Certificate {
    /// What TLS presents, unless the certificate is too near its end to be relied on.
    pub(super) fn presentable(&self, unix_seconds: i64) -> Option<Arc<CertifiedKey>> {
        (unix_seconds < self.validity.at(PRESENTABLE)).then(|| Arc::clone(&self.certified))
    }

    /// When it is to be renewed, seconds since the Unix epoch.
    pub(super) fn renew_at(&self) -> i64 {
        self.renew_at
    }

    /// When it ends, seconds since the Unix epoch.
    pub(super) fn ends_at(&self) -> i64 {
        self.validity.until
    }
}

#[cfg(test)]
mod tests;
