//! As much of an API server as looking up a sidecar takes. The real one is asked in the tests of the whole operator.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Objects by path, and whose tokens are whose.
#[derive(Default)]
struct Known {
    objects: BTreeMap<String, Value>,
    /// The pod's namespace, name and uid, by token.
    tokens: BTreeMap<String, (String, String, String)>,
}

pub(super) struct FakeApi {
    known: Arc<Mutex<Known>>,
    url: String,
    _serving: JoinSet<()>,
}

/// What a token that is bound to a pod looks like; `name` tells it from others.
pub(super) fn token(name: &str) -> String {
    let claims = json!({"aud": ["pilotfish.dev"], "exp": i64::MAX, "sub": name, "kubernetes.io": {"pod": {}}});
    format!("e30.{}.AAAA", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

impl FakeApi {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let known = Arc::<Mutex<Known>>::default();
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::clone(&known)));
        Self {
            known,
            url,
            _serving: serving,
        }
    }

    pub(super) fn client(&self) -> kube::Client {
        kube::Client::try_from(kube::Config::new(self.url.parse().unwrap())).unwrap()
    }

    /// There is an object at `path`.
    pub(super) fn put(&self, path: &str, object: Value) {
        self.known.lock().unwrap().objects.insert(path.to_owned(), object);
    }

    /// The [`token`] of this name is bound to a pod.
    pub(super) fn issue(&self, name_of_token: &str, namespace: &str, name: &str, uid: &str) {
        let pod = (namespace.to_owned(), name.to_owned(), uid.to_owned());
        self.known.lock().unwrap().tokens.insert(token(name_of_token), pod);
    }
}

async fn serve(listener: TcpListener, known: Arc<Mutex<Known>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let known = Arc::clone(&known);
        connections.spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&known), request));
            let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            drop(served.await);
        });
    }
}

async fn answer(known: Arc<Mutex<Known>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, mut body) = request.into_parts();
    let mut bytes = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        bytes.extend(frame.into_data().unwrap_or_default());
    }
    let known = known.lock().unwrap();
    let object = match head.method {
        Method::POST if head.uri.path() == "/apis/authentication.k8s.io/v1/tokenreviews" => {
            Some(reviewed(&known, serde_json::from_slice(&bytes).unwrap()))
        }
        _ => known.objects.get(head.uri.path()).cloned(),
    };
    let mut response = Response::new(Full::default());
    match object {
        Some(object) => *response.body_mut() = Full::new(object.to_string().into()),
        None => {
            let status =
                json!({"kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound", "message": "no"});
            *response.status_mut() = StatusCode::NOT_FOUND;
            *response.body_mut() = Full::new(status.to_string().into());
        }
    }
    Ok(response)
}

fn reviewed(known: &Known, mut review: Value) -> Value {
    let token = review["spec"]["token"].as_str().unwrap();
    review["status"] = match known.tokens.get(token) {
        None => json!({"authenticated": false, "error": "invalid bearer token"}),
        Some((namespace, name, uid)) => json!({
            "authenticated": true,
            "audiences": review["spec"]["audiences"],
            "user": {
                "username": format!("system:serviceaccount:{namespace}:web"),
                "extra": {
                    "authentication.kubernetes.io/pod-name": [name],
                    "authentication.kubernetes.io/pod-uid": [uid],
                },
            },
        }),
    };
    review
}
