//! A sidecar as far as the operator can tell: it connects, says hello, and acknowledges every batch.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::channel::Channel;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pilotfish_wire::{Ack, Hello, Message, REVISION, Report};
use rustls::ClientConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;

/// Lines on their way to the operator.
const QUEUE: usize = 4;

/// Where the operator is, and how to know it.
#[derive(Clone)]
pub(crate) struct Operator {
    pub(crate) address: SocketAddr,
    pub(crate) name: String,
    pub(crate) authority: String,
}

/// Who a peer is: a client certificate and its key.
pub(crate) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

/// What a peer has, so that a reconnect is sent nothing.
pub(crate) type Known = BTreeMap<String, String>;

impl Operator {
    fn tls(&self, identity: Option<&Identity>) -> Result<ClientConfig> {
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(self.authority.as_bytes()) {
            roots.add(certificate?)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13])?;
        let builder = builder.with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let key = PrivateKeyDer::Pkcs8(identity.key.clone().into());
                builder.with_client_auth_cert(identity.chain.clone(), key)?
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }

    /// A connection, and the task that drives it.
    async fn connect<B>(&self, identity: Option<&Identity>) -> Result<http2::SendRequest<B>>
    where
        B: http_body_util::BodyExt<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let connector = tokio_rustls::TlsConnector::from(Arc::new(self.tls(identity)?));
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let stream = connector
            .connect(ServerName::try_from(self.name.clone())?, stream)
            .await?;
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        #[expect(clippy::disallowed_methods, reason = "it ends with its sender")]
        drop(tokio::spawn(connection));
        Ok(sender)
    }

    /// A certificate for the pod whose token this is.
    pub(crate) async fn certify(&self, token: &str) -> Result<Identity> {
        let key = rcgen::KeyPair::generate()?;
        let request = rcgen::CertificateParams::default().serialize_request(&key)?.pem()?;
        let mut sender = self.connect::<Full<Bytes>>(None).await?;
        let request = http::Request::post(format!("https://{}/v1/certificate", self.name))
            .header("authorization", format!("Bearer {token}"))
            .body(Full::new(Bytes::from(request)))?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect_whole().await?;
        ensure!(status == 200, "{status} {}", String::from_utf8_lossy(&body));
        let chain = CertificateDer::pem_slice_iter(&body).collect::<Result<Vec<_>, _>>()?;
        Ok(Identity {
            chain,
            key: key.serialize_der(),
        })
    }

    /// Stays connected and acknowledges until the stream ends; what it was sent is in `known`.
    pub(crate) async fn stream(&self, identity: &Identity, known: &mut Known) -> Result<()> {
        let mut sender = self.connect::<Channel<Bytes>>(Some(identity)).await?;
        let (mut reports, body) = Channel::new(QUEUE);
        let hello = Report::Hello(Hello {
            revision: REVISION,
            known: known.clone(),
            ..Hello::default()
        });
        reports.send_data(line(&hello)?).await.context("the queue is new")?;
        let request = http::Request::post(format!("https://{}/v1/stream", self.name)).body(body)?;
        let answer = sender.send_request(request).await?;
        ensure!(answer.status() == 200, "{}", answer.status());
        let mut body = answer.into_body();
        let mut lines = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            lines.extend_from_slice(&data);
            while let Some(end) = lines.iter().position(|byte| *byte == b'\n') {
                let line_read: Vec<u8> = lines.drain(..=end).collect();
                if let Some(ack) = received(&line_read, known)? {
                    reports
                        .send_data(line(&Report::Ack(ack))?)
                        .await
                        .context("the operator has gone")?;
                }
            }
        }
        Ok(())
    }
}

fn received(line: &[u8], known: &mut Known) -> Result<Option<Ack>> {
    let line = std::str::from_utf8(line)?;
    let key = |kind, name: &str| -> Result<String> {
        let kind = serde_json::to_value(kind)?;
        Ok(format!("{}/{name}", kind.as_str().context("a kind is a word")?))
    };
    match Message::decode(line)? {
        Message::Resource(resource) => drop(known.insert(key(resource.kind, &resource.name)?, resource.version)),
        Message::Remove(remove) => drop(known.remove(&key(remove.kind, &remove.name)?)),
        Message::Commit(commit) => {
            return Ok(Some(Ack {
                nonce: commit.nonce,
                version: commit.version,
                refused: Vec::new(),
                unnamed: 0,
            }));
        }
        _ => {}
    }
    Ok(None)
}

fn line(report: &Report) -> Result<Bytes> {
    let mut text = serde_json::to_vec(report)?;
    text.push(b'\n');
    Ok(text.into())
}

/// Answers here are small.
trait Whole {
    async fn collect_whole(self) -> Result<Bytes>;
}

impl Whole for hyper::body::Incoming {
    async fn collect_whole(mut self) -> Result<Bytes> {
        let mut all = Vec::new();
        while let Some(frame) = self.frame().await {
            if let Ok(data) = frame?.into_data() {
                all.extend_from_slice(&data);
            }
        }
        Ok(all.into())
    }
}
