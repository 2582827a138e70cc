//! One connection to the operator: TCP, TLS, HTTP/2, and the tasks that drive it, which end with it.

use super::error::OperatorError;
use super::operator::Operator;
use super::outbox::Outgoing;
use crate::upstream::{reason, tcp};
use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Each step towards a stream must be done by then: the connection, the head of an answer, its first line.
pub(super) const STEP: Duration = Duration::from_secs(10);

/// After this long without a byte the operator is asked whether it is there, and must answer within as long again: a
/// stream that is half open is noticed in 20 s.
const PING_EVERY: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// What is on its way to us before we read it, bytes.
const WINDOW: u32 = 256 * 1024;

/// The longest answer that is not a stream: a chain of certificates, or a sentence.
const LONGEST_ANSWER: usize = 64 * 1024;

/// An open connection.
pub(super) struct Connection {
    sender: http2::SendRequest<Outgoing>,
    address: String,
    authority: String,
    tasks: Tasks,
}

/// hyper's tasks, which end when the connection is dropped.
#[derive(Clone, Default)]
struct Tasks(Rc<RefCell<JoinSet<()>>>);

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.0.borrow_mut().spawn_local(task);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.tasks.0.borrow_mut().abort_all();
    }
}

impl Connection {
    /// Connects to `address` and presents `certificate`, if there is one. Whatever the address, the operator's
    /// certificate must be for the operator's name.
    pub(super) async fn open(
        operator: &Operator,
        address: &str,
        certificate: Option<Arc<CertifiedKey>>,
    ) -> Result<Self, OperatorError> {
        let config = tls_config(operator, certificate)?;
        let opening = async {
            let stream = encrypted(operator, address, config).await?;
            Self::handshake(operator, address, stream).await
        };
        within(STEP, address, "to connect", opening).await
    }

    async fn handshake(
        operator: &Operator,
        address: &str,
        stream: TlsStream<TcpStream>,
    ) -> Result<Self, OperatorError> {
        let tasks = Tasks::default();
        let handshake = http2::Builder::new(tasks.clone())
            .timer(TokioTimer::new())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIMEOUT)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(stream));
        let (sender, connection) = handshake.await.map_err(|error| OperatorError::Lost(reason(&error)))?;
        tasks.0.borrow_mut().spawn_local(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection to the operator ended");
            }
        });
        Ok(Self {
            sender,
            address: address.to_owned(),
            authority: operator.name.to_str().into_owned(),
            tasks,
        })
    }

    /// The other end, as it was dialled.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Sends a body to `path` and waits for the head of a 200; anything else is an error with the operator's sentence.
    pub(super) async fn post(
        &mut self,
        path: &'static str,
        token: Option<HeaderValue>,
        content_type: &'static str,
        body: Outgoing,
    ) -> Result<Incoming, OperatorError> {
        let mut request = Request::post(self.uri(path)).header(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, token);
        }
        let request = request
            .body(body)
            .map_err(|error| OperatorError::Lost(error.to_string()))?;
        let answer = self.sender.send_request(request);
        let answer = async { answer.await.map_err(|error| OperatorError::Lost(reason(&error))) };
        let answer = within(STEP, &self.address, "to answer", answer).await?;
        if answer.status() == StatusCode::OK {
            return Ok(answer.into_body());
        }
        Err(self.refusal(path, answer).await)
    }

    /// The rest of a short answer.
    pub(super) async fn whole(&self, mut body: Incoming) -> Result<Bytes, OperatorError> {
        let reading = async {
            let mut whole = BytesMut::new();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| OperatorError::Lost(reason(&error)))?;
                if let Ok(data) = frame.into_data() {
                    whole.extend_from_slice(&data);
                }
                if whole.len() > LONGEST_ANSWER {
                    return Err(OperatorError::Lost(format!(
                        "an answer is longer than {LONGEST_ANSWER} bytes"
                    )));
                }
            }
            Ok(whole.freeze())
        };
        within(STEP, &self.address, "to answer whole", reading).await
    }

    async fn refusal(&self, path: &'static str, answer: Response<Incoming>) -> OperatorError {
        let status = answer.status();
        match self.whole(answer.into_body()).await {
            Ok(body) => OperatorError::Refused {
                path,
                status,
                sentence: sentence(&body),
            },
            Err(error) => error,
        }
    }

    fn uri(&self, path: &'static str) -> Uri {
        let built = Uri::builder()
            .scheme("https")
            .authority(self.authority.as_str())
            .path_and_query(path)
            .build();
        built.unwrap_or_else(|_| Uri::from_static(path))
    }
}

/// `{"error": "…"}`, or the beginning of whatever was said instead.
fn sentence(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Said {
        error: String,
    }
    match serde_json::from_slice(body) {
        Ok(Said { error }) => error,
        Err(_) => String::from_utf8_lossy(body).chars().take(200).collect(),
    }
}

/// Gives up when `step` takes too long.
pub(super) async fn within<T>(
    limit: Duration,
    address: &str,
    step: &'static str,
    work: impl Future<Output = Result<T, OperatorError>>,
) -> Result<T, OperatorError> {
    let late = |_| OperatorError::Late {
        address: address.to_owned(),
        seconds: limit.as_secs(),
        step,
    };
    tokio::time::timeout(limit, work).await.map_err(late)?
}

async fn encrypted(
    operator: &Operator,
    address: &str,
    config: ClientConfig,
) -> Result<TlsStream<TcpStream>, OperatorError> {
    let unresolved = |reason: String| OperatorError::Resolve {
        address: address.to_owned(),
        reason,
    };
    let addresses = tokio::net::lookup_host(address).await;
    let addresses: Vec<SocketAddr> = addresses.map_err(|error| unresolved(error.to_string()))?.collect();
    let stream = tcp(&addresses).await.map_err(|source| OperatorError::Connect {
        address: address.to_owned(),
        source,
    })?;
    let connector = TlsConnector::from(Arc::new(config));
    let connected = connector.connect(operator.name.clone(), stream).await;
    connected.map_err(|error| OperatorError::Tls {
        address: address.to_owned(),
        reason: reason(&error),
    })
}

/// Read anew for each connection: bundles and certificates are rotated.
fn tls_config(operator: &Operator, certificate: Option<Arc<CertifiedKey>>) -> Result<ClientConfig, OperatorError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("ring has the suites of TLS 1.3")
        .with_root_certificates(roots(operator)?);
    let mut config = match certificate {
        Some(certificate) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certificate))),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

fn roots(operator: &Operator) -> Result<RootCertStore, OperatorError> {
    let unusable = |reason: String| OperatorError::Bundle {
        path: operator.ca.clone(),
        reason,
    };
    let text = std::fs::read(&operator.ca).map_err(|error| unusable(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|_| unusable("it is not PEM".to_owned()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(unusable("it holds no certificate".to_owned())),
        false => Ok(roots),
    }
}
