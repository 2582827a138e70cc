//! A certificate authority, as an operator has one.

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// From when until when a certificate holds, seconds from now.
pub(crate) type Life = Range<i64>;

/// Signs for servers and clients.
pub(crate) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, "test authority");
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        let issuer = Issuer::new(params, key);
        Ok(Self { pem, issuer })
    }

    /// Its own certificate.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Who trusts nobody else.
    pub(crate) fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes())?)?;
        Ok(roots)
    }

    /// A server's certificate for `name`, and its key.
    pub(crate) fn server(&self, name: &str) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new([name.to_owned()])?.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok((vec![certificate.der().clone()], key))
    }

    /// A client's certificate, as PEM, for the key of a request.
    pub(crate) fn client(&self, request: &str, life: &Life) -> Result<String> {
        let mut request = CertificateSigningRequestParams::from_pem(request).context("no certificate request")?;
        let epoch = date_time_ymd(1970, 1, 1);
        request.params.not_before = epoch + from_now(life.start)?;
        request.params.not_after = epoch + from_now(life.end)?;
        request.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        Ok(request.signed_by(&self.issuer)?.pem())
    }
}

/// Since the Unix epoch.
fn from_now(seconds: i64) -> Result<Duration> {
    #[expect(clippy::disallowed_methods, reason = "certificates are judged by the real time")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let apart = Duration::from_secs(seconds.unsigned_abs());
    Ok(if seconds < 0 { now - apart } else { now + apart })
}
