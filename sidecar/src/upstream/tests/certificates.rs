//! An authority, and servers that present what it signed.

use super::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Signs certificates; its own is the `caBundle`.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A listener that speaks TLS.
pub(super) struct Secure {
    pub(super) listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // Two authorities of one name would be taken for one whose signature is wrong.
        params
            .distinguished_name
            .push(DnType::CommonName, format!("Authority {:x}", fastrand::u64(..)));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(super) fn bundle(&self) -> String {
        self.0.pem()
    }

    /// A certificate for `name`, and its key.
    fn sign(&self, name: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.into(), PrivateKeyDer::Pkcs8(key.serialize_der().into()))
    }

    /// Listens with a certificate for `name`, and prefers these protocols in this order.
    pub(super) async fn listens(&self, name: &str, protocols: &[&str]) -> Secure {
        let (certificate, key) = self.sign(name);
        let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Secure {
            listener,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }
    }
}

impl Secure {
    pub(super) fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// The endpoint at `host` here, trusting `bundle`.
    pub(super) fn endpoint(&self, host: &str, bundle: &str) -> Arc<Endpoint> {
        Endpoint::parse(&format!("https://{host}:{}", self.port()), Some(bundle), "").unwrap()
    }

    pub(super) async fn accept(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let (stream, _) = self.listener.accept().await?;
        self.acceptor.accept(stream).await
    }
}
