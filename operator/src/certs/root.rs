//! One root: a self-signed certificate, its key, and what is signed with it.

use super::schedule::{Schedule, Term};
use super::{Error, RequestError};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType, SubjectPublicKeyInfo, date_time_ymd,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateSigningRequestDer, PrivatePkcs8KeyDer};
use std::net::IpAddr;
use std::time::Duration;
use x509_parser::certificate::BasicExtension;
use x509_parser::extensions::KeyUsage;
use x509_parser::prelude::{FromDer, X509Certificate, X509CertificationRequest};

/// Certificates are valid from this long before they are made, for peers whose clocks are behind.
const BACKDATED: i64 = 5 * 60;

/// A certificate authority.
pub(super) struct Root {
    pub(super) term: Term,
    pub(super) der: CertificateDer<'static>,
    pub(super) certificate_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// The key of a certificate request, which is all that counts of it.
pub(super) struct RequestedKey(SubjectPublicKeyInfo);

/// A serving certificate and its key.
pub(super) struct Served {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: PrivatePkcs8KeyDer<'static>,
    /// Seconds since the Unix epoch.
    pub(super) ends: i64,
}

impl Root {
    /// Of `term`. Its name is its own: of two roots of one name a verifier may try the wrong one.
    pub(super) fn make(term: Term) -> Result<Self, Error> {
        let mut params = params(term, &format!("pilotfish {:016x}", fastrand::u64(..)));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            term,
            certificate_pem: certificate.pem(),
            der: certificate.into(),
            issuer: Issuer::new(params, key),
        })
    }

    /// From what [`Root::certificate_pem`] and [`Root::key_pem`] were.
    pub(super) fn read(certificate_pem: &str, key_pem: &str) -> Result<Self, Error> {
        let key = KeyPair::from_pem(key_pem)?;
        let der = CertificateDer::from_pem_slice(certificate_pem.as_bytes()).map_err(|_| Error::Unreadable)?;
        let (_, parsed) = X509Certificate::from_der(&der).map_err(|_| Error::Unreadable)?;
        if parsed.public_key().raw != key.subject_public_key_info() {
            return Err(Error::ForeignKey);
        }
        if !signs(&parsed) {
            return Err(Error::NoAuthority);
        }
        let validity = parsed.validity();
        let term = Term {
            made: validity.not_before.timestamp().saturating_add(BACKDATED),
            ends: validity.not_after.timestamp(),
        };
        Ok(Self {
            term,
            certificate_pem: certificate_pem.to_owned(),
            issuer: Issuer::from_ca_cert_der(&der, key)?,
            der,
        })
    }

    pub(super) fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A new serving certificate for `names`.
    pub(super) fn serve(&self, names: &[String], now: i64, schedule: Schedule) -> Result<Served, Error> {
        let term = self.leaf(now, schedule.serving());
        let mut params = params(term, "pilotfish operator");
        let names: Result<Vec<SanType>, rcgen::Error> = names.iter().map(|name| server_name(name)).collect();
        params.subject_alt_names = names?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Served {
            certificate: certificate.into(),
            key: key.serialize_der().into(),
            ends: term.ends,
        })
    }

    /// A sidecar's certificate with these URIs as its names, PEM.
    pub(super) fn certify(
        &self,
        key: &RequestedKey,
        uris: &[String],
        now: i64,
        schedule: Schedule,
    ) -> Result<String, Error> {
        let mut params = params(self.leaf(now, schedule.client()), "pilotfish sidecar");
        let uri = |uri: &String| Ok(SanType::URI(uri.as_str().try_into()?));
        let uris: Result<Vec<SanType>, rcgen::Error> = uris.iter().map(uri).collect();
        params.subject_alt_names = uris?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        Ok(params.signed_by(&key.0, &self.issuer)?.pem())
    }

    /// Nothing outlives its signer.
    fn leaf(&self, now: i64, lifetime: i64) -> Term {
        Term {
            made: now,
            ends: now.saturating_add(lifetime).min(self.term.ends),
        }
    }
}

impl RequestedKey {
    /// Of a PEM certificate request that its key has signed. What else it asks for is not looked at.
    pub(super) fn of(request_pem: &[u8]) -> Result<Self, RequestError> {
        let der = CertificateSigningRequestDer::from_pem_slice(request_pem).map_err(|_| RequestError::Unreadable)?;
        let (_, request) = X509CertificationRequest::from_der(&der).map_err(|_| RequestError::Unreadable)?;
        let key = request.certification_request_info.subject_pki.raw;
        let key = SubjectPublicKeyInfo::from_der(key).map_err(|_| RequestError::WrongKind)?;
        if key.algorithm() != &PKCS_ECDSA_P256_SHA256 {
            return Err(RequestError::WrongKind);
        }
        request.verify_signature().map_err(|_| RequestError::NotSigned)?;
        Ok(Self(key))
    }
}

/// Whether its own words allow it to sign certificates. Not every verifier asks: those of the API server do.
fn signs(certificate: &X509Certificate<'_>) -> bool {
    let may = |usage: Option<_>| usage.is_none_or(|usage: BasicExtension<&KeyUsage>| usage.value.key_cert_sign());
    certificate.is_ca() && certificate.key_usage().is_ok_and(may)
}

fn params(term: Term, name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_epoch(term.made.saturating_sub(BACKDATED));
    params.not_after = epoch + since_epoch(term.ends);
    params.use_authority_key_identifier_extension = true;
    params
}

fn since_epoch(unix_seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(unix_seconds).unwrap_or(0))
}

fn server_name(name: &str) -> Result<SanType, rcgen::Error> {
    Ok(match name.parse::<IpAddr>() {
        Ok(address) => SanType::IpAddress(address),
        Err(_) => SanType::DnsName(name.try_into()?),
    })
}
