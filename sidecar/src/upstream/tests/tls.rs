//! Who is trusted, and what is spoken then.

use super::certificates::{Authority, Secure};
use super::*;
use SendErrorKind::Connect;
use tokio_rustls::server::TlsStream;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Sends one request, and gives the answer with what the client said of the server's name.
async fn call(worker: &Worker, server: &Secure, endpoint: &Arc<Endpoint>) -> (String, Option<String>) {
    let (response, name) = tokio::join!(worker.send(endpoint, bytes("{}")), async {
        let stream: TlsStream<_> = server.accept().await.unwrap();
        let name = stream.get_ref().1.server_name().map(str::to_owned);
        let mut upstream = Script::new(stream);
        upstream.request().await;
        upstream.write(OK).await;
        name
    });
    (read(response.unwrap()).await.unwrap(), name)
}

#[test]
fn a_server_of_the_bundles_authority_is_trusted_and_told_the_name_it_was_called_by() {
    on_a_worker(async |worker| {
        let authority = Authority::new();
        for (host, certified, told) in [
            ("localhost", "localhost", Some("localhost")),
            ("127.0.0.1", "127.0.0.1", None),
        ] {
            let server = authority.listens(certified, &["http/1.1"]).await;
            let endpoint = server.endpoint(host, &authority.bundle());
            let (answer, name) = call(worker, &server, &endpoint).await;
            assert_eq!((answer.as_str(), name.as_deref()), ("ok", told));
        }
    });
}

#[test]
fn a_server_that_cannot_prove_who_it_is_gets_nothing() {
    on_a_worker(async |worker| {
        let (ours, theirs) = (Authority::new(), Authority::new());
        for (signer, name, why) in [
            (&theirs, "localhost", "invalid peer certificate: UnknownIssuer"),
            (
                &ours,
                "elsewhere.example",
                "invalid peer certificate: certificate not valid for name \"localhost\"",
            ),
        ] {
            let server = signer.listens(name, &["h2", "http/1.1"]).await;
            let endpoint = server.endpoint("localhost", &ours.bundle());
            let (outcome, accepted) = tokio::join!(worker.send(&endpoint, bytes("secret")), server.accept());
            let error = outcome.err().unwrap();
            assert_eq!(
                (error.kind(), error.sent()),
                (Connect(ConnectFailure::Tls), Sent::Nothing)
            );
            let expected = format!("the TLS handshake with {} failed: {why}", endpoint.authority());
            assert!(error.to_string().starts_with(&expected), "{error}");
            assert!(accepted.is_err());
        }
    });
}

#[test]
fn a_server_that_speaks_no_tls_gets_nothing() {
    on_a_worker(async |worker| {
        let authority = Authority::new();
        let server = authority.listens("localhost", &[]).await;
        let endpoint = server.endpoint("localhost", &authority.bundle());
        for answer in ["", "HTTP/1.1 400 Bad Request\r\n\r\n"] {
            let (outcome, ()) = tokio::join!(worker.send(&endpoint, bytes("secret")), async {
                let mut upstream = Script::accept(&server.listener).await;
                upstream.read_exactly(1).await;
                upstream.write(answer).await;
            });
            assert_eq!(row(outcome), (Connect(ConnectFailure::Tls), Sent::Nothing));
        }
    });
}

#[test]
fn a_server_that_is_silent_in_the_handshake_is_a_connect_timeout() {
    on_a_worker(async |worker| {
        let authority = Authority::new();
        let server = authority.listens("localhost", &[]).await;
        let endpoint = server.endpoint("localhost", &authority.bundle());
        let timeout = Duration::from_millis(30);
        let outcome = worker
            .pools
            .send(&endpoint, post(bytes("{}").into()), timeout, Reuse::Allowed)
            .await;
        assert_eq!(row(outcome), (Connect(ConnectFailure::Timeout), Sent::Nothing));
        let mut upstream = Script::accept(&server.listener).await;
        upstream.is_gone().await;
    });
}

#[test]
fn an_upstream_without_http2_gets_http1_and_keeps_its_connections() {
    on_a_worker(async |worker| {
        let authority = Authority::new();
        // The second says nothing about protocols at all.
        for protocols in [&["http/1.1"][..], &[]] {
            let server = authority.listens("localhost", protocols).await;
            let endpoint = server.endpoint("localhost", &authority.bundle());
            let both = async { tokio::join!(worker.send(&endpoint, bytes("1")), worker.send(&endpoint, bytes("2"))) };
            let ((one, two), (mut first, mut second)) = tokio::join!(both, async {
                // Whoever waits shares the first attempt; when it turns out to be HTTP/1, the other opens its own.
                let (mut first, mut second) = (
                    Script::new(server.accept().await.unwrap()),
                    Script::new(server.accept().await.unwrap()),
                );
                first.answer("a").await;
                second.answer("b").await;
                (first, second)
            });
            let (one, two) = (read(one.unwrap()).await.unwrap(), read(two.unwrap()).await.unwrap());
            assert_eq!(one.len() + two.len(), 2);
            let both = async { tokio::join!(first.answer("c"), second.answer("d")) };
            let sends = async { tokio::join!(worker.send(&endpoint, bytes("3")), worker.send(&endpoint, bytes("4"))) };
            let ((three, four), _) = tokio::join!(sends, both);
            assert!(three.unwrap().reused && four.unwrap().reused);
        }
    });
}

#[test]
fn a_stale_encrypted_connection_is_told_like_a_plain_one() {
    on_a_worker(async |worker| {
        let authority = Authority::new();
        let server = authority.listens("localhost", &["http/1.1"]).await;
        let endpoint = server.endpoint("localhost", &authority.bundle());
        let client = async {
            read(worker.send(&endpoint, bytes("{}")).await.unwrap()).await.unwrap();
            worker.send(&endpoint, bytes("{}")).await
        };
        let (outcome, ()) = tokio::join!(client, async {
            let mut upstream = Script::new(server.accept().await.unwrap());
            upstream.answer("ok").await;
            upstream.request().await;
        });
        assert_eq!(row(outcome), (SendErrorKind::Stale, Sent::Whole));
    });
}

#[test]
fn a_useless_bundle_is_refused_with_a_sentence() {
    let good = Authority::new().bundle();
    let damaged = good.replace("MII", "!!!");
    let cut = good.replace("-----END CERTIFICATE-----", "");
    let key = KEY_INSTEAD.replace('_', "PRIVATE");
    for (bundle, sentence) in [
        (
            "",
            "the caBundle holds no certificate; it must be PEM with at least one",
        ),
        (
            "hello",
            "the caBundle holds no certificate; it must be PEM with at least one",
        ),
        (
            &key,
            "the caBundle holds no certificate; it must be PEM with at least one",
        ),
        (
            &damaged,
            "certificate 1 of the caBundle is not PEM: what stands between the markers is not base64",
        ),
        (
            &format!("{good}{cut}"),
            "certificate 2 of the caBundle is not PEM: its end marker is missing",
        ),
        (
            NO_CERTIFICATE,
            "certificate 1 of the caBundle cannot be a root: invalid peer certificate: BadEncoding",
        ),
    ] {
        let error = Endpoint::parse("https://localhost", Some(bundle), "").unwrap_err();
        assert_eq!(error.to_string(), sentence);
    }
}

const KEY_INSTEAD: &str = "-----BEGIN _ KEY-----\nAAAA\n-----END _ KEY-----\n";
const NO_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
