//! A webhook of somebody else's, which the API server asks after ours.

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use pilotfish_tests::Cluster;
use pilotfish_tests::cluster::Namespace;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// The longest review that is read.
const LONGEST: usize = 4 * 1024 * 1024;

/// Webhooks that answer for as long as this lives.
#[derive(Default)]
pub(crate) struct Late(JoinSet<()>);

impl Late {
    /// From now on every new pod of `namespace` is changed by `patch`, after our own webhook saw it for the first time.
    pub(crate) async fn changes(&mut self, cluster: &Cluster, namespace: &Namespace<'_>, patch: Value) -> Result<()> {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let tls = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        self.0
            .spawn(serve(listener, TlsAcceptor::from(Arc::new(tls)), Arc::new(patch)));
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": format!("zz-late-{}", namespace.name())},
            "webhooks": [{
                "name": "late.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
                "failurePolicy": "Fail",
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace.name()}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
                "clientConfig": {"url": format!("https://{address}/"), "caBundle": STANDARD.encode(made.cert.pem())},
            }],
        });
        cluster.apply(&configuration.to_string()).await
    }
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, patch: Arc<Value>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(connection(stream, tls.clone(), Arc::clone(&patch)));
    }
}

/// The API server closes it, or asks again where it fails.
async fn connection(stream: TcpStream, tls: TlsAcceptor, patch: Arc<Value>) {
    let Ok(stream) = tls.accept(stream).await else { return };
    let service = service_fn(|request| answer(request, &patch));
    drop(
        http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}

async fn answer(request: Request<Incoming>, patch: &Value) -> Result<Response<Full<Bytes>>> {
    let review: Value = serde_json::from_slice(&read(request.into_body()).await?)?;
    let uid = review.pointer("/request/uid").context("a review has a uid")?;
    let answer = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "response": {"uid": uid, "allowed": true, "patchType": "JSONPatch", "patch": STANDARD.encode(patch.to_string())},
    });
    let response = Response::builder().header("content-type", "application/json");
    Ok(response.body(Full::new(Bytes::from(answer.to_string())))?)
}

async fn read(mut body: Incoming) -> Result<Vec<u8>> {
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        read.extend(frame?.into_data().unwrap_or_default());
        ensure!(read.len() <= LONGEST, "a review is too long");
    }
    Ok(read)
}
