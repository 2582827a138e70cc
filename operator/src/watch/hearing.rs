//! Hears when the API server last said anything on each watch: a bookmark, an error and the beginning of a new watch are
//! word from it, too, and kube keeps those to itself.

use super::stores::Watched;
use crate::metrics::WatchSeries;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use http_body_util::combinators::MapFrame;
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::Instant;
use tower::{BoxError, Layer, Service};

/// The series of all watches, by what they are on.
pub type AllSeries = Arc<[(Watched, Arc<WatchSeries>)]>;

/// A client whose watches are heard.
pub fn client(config: Config, series: AllSeries) -> kube::Result<Client> {
    Ok(ClientBuilder::try_from(config)?.with_layer(&Hearing(series)).build())
}

struct Hearing(AllSeries);

impl<S> Layer<S> for Hearing {
    type Service = Heard<S>;

    fn layer(&self, inner: S) -> Heard<S> {
        Heard {
            inner,
            series: Arc::clone(&self.0),
        }
    }
}

struct Heard<S> {
    inner: S,
    series: AllSeries,
}

/// Takes note of a piece of an answer.
type Note = Box<dyn FnMut(Frame<Bytes>) -> Frame<Bytes> + Send>;

impl<S, B> Service<Request<Body>> for Heard<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<MapFrame<B, Note>>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let watched = watched(request.uri());
        let of_it = |(of, series): &(Watched, Arc<WatchSeries>)| (Some(*of) == watched).then(|| Arc::clone(series));
        let series = self.series.iter().find_map(of_it);
        let heard = move || {
            if let Some(series) = &series {
                series.heard(Instant::now());
            }
        };
        let answered = |response: Response<B>| {
            heard();
            let noted = move |frame| {
                heard();
                frame
            };
            response.map(|body| body.map_frame(Box::new(noted) as Note))
        };
        self.inner.call(request).map(|answer| answer.map(answered)).boxed()
    }
}

/// What a request watches, if it does.
fn watched(uri: &http::Uri) -> Option<Watched> {
    let watches = uri.query()?.split('&').any(|pair| pair == "watch=true");
    let resource = uri.path().rsplit('/').next().filter(|_| watches)?;
    super::stores::WATCHED
        .into_iter()
        .find(|watched| watched.resource() == resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_watches_are_heard_and_each_as_its_own() {
        for (uri, expected) in [
            ("/api/v1/secrets?&watch=true&timeoutSeconds=290", Some(Watched::Secret)),
            (
                "/apis/pilotfish.dev/v1alpha1/routingpolicies?watch=true",
                Some(Watched::RoutingPolicy),
            ),
            ("/api/v1/secrets?limit=500", None),
            ("/api/v1/secrets", None),
            ("/api/v1/configmaps?watch=true", None),
        ] {
            assert_eq!(watched(&uri.parse().unwrap()), expected, "{uri}");
        }
    }
}
