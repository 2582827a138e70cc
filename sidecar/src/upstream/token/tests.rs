//! Tokens over time, which is an argument: nothing here waits for an hour.

use super::*;
use crate::upstream::{Gauges, IntGauge};
use std::cell::Cell;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

/// When the first token is fetched, and how long each lives.
const NOW: i64 = 1_000_000;
const LIFE: i64 = 3_600;

/// A token endpoint that numbers its tokens, and fails when it is told to.
struct Issuer {
    tokens: Arc<Tokens>,
    pools: Rc<Pools>,
    asked: Rc<Cell<usize>>,
    fails: Rc<Cell<bool>>,
    _serving: tokio::task::JoinSet<()>,
}

impl Issuer {
    async fn start(life: i64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/identity/token", listener.local_addr().unwrap());
        let (asked, fails) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
        let mut serving = tokio::task::JoinSet::new();
        let (count, broken) = (Rc::clone(&asked), Rc::clone(&fails));
        serving.spawn_local(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                count.set(count.get() + 1);
                let answer = match broken.get() {
                    true => {
                        "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_owned()
                    }
                    false => {
                        let body = format!(r#"{{"access_token":"token-{}","expires_in":{life}}}"#, count.get());
                        let length = body.len();
                        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
                    }
                };
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let gauges = Gauges {
            connections: IntGauge::default(),
            tasks: IntGauge::default(),
        };
        let key = ProviderKey::new("ibm-key".to_owned());
        Self {
            tokens: Tokens::of(&TokenGrant::Ibm { url }, Some(&key)).unwrap(),
            pools: Pools::new(TaskTracker::new(), gauges),
            asked,
            fails,
            _serving: serving,
        }
    }

    /// What a call at that time presents, or why it cannot.
    async fn present(&self, now: i64) -> Result<String, TokenError> {
        let mut headers = HeaderMap::new();
        self.tokens.present(&mut headers, &self.pools, now).await?;
        Ok(headers[AUTHORIZATION].to_str().unwrap().to_owned())
    }
}

fn check(test: impl Future<Output = ()>) {
    crate::app::block_on(test).unwrap();
}

#[test]
fn a_token_is_kept_until_shortly_before_its_end_and_then_renewed() {
    check(async {
        let issuer = Issuer::start(LIFE).await;
        for (now, token, asked) in [
            (NOW, "Bearer token-1", 1),
            (NOW + 1, "Bearer token-1", 1),
            (NOW + LIFE - EARLY - 1, "Bearer token-1", 1),
            // It would hold for five minutes more.
            (NOW + LIFE - EARLY, "Bearer token-2", 2),
            (NOW + LIFE, "Bearer token-2", 2),
            // Nobody called for long.
            (NOW + 10 * LIFE, "Bearer token-3", 3),
        ] {
            assert_eq!(issuer.present(now).await.as_deref(), Ok(token), "{now}");
            assert_eq!(issuer.asked.get(), asked, "{now}");
        }
    });
}

#[test]
fn a_short_token_is_renewed_in_the_last_quarter_of_its_life() {
    check(async {
        let issuer = Issuer::start(100).await;
        for (now, token) in [
            (NOW, "Bearer token-1"),
            (NOW + 74, "Bearer token-1"),
            (NOW + 75, "Bearer token-2"),
        ] {
            assert_eq!(issuer.present(now).await.as_deref(), Ok(token), "{now}");
        }
    });
}

#[test]
fn a_renewal_that_fails_leaves_the_token_that_still_holds() {
    check(async {
        let issuer = Issuer::start(LIFE).await;
        issuer.present(NOW).await.unwrap();
        issuer.fails.set(true);
        let early = NOW + LIFE - EARLY;
        for (now, asked) in [
            (early, 2),
            // Not again at once.
            (early + PAUSE - 1, 2),
            (early + PAUSE, 3),
            (NOW + LIFE - 1, 4),
        ] {
            assert_eq!(issuer.present(now).await.as_deref(), Ok("Bearer token-1"), "{now}");
            assert_eq!(issuer.asked.get(), asked, "{now}");
        }
        // Now it has ended.
        let refused = issuer.present(NOW + LIFE + PAUSE).await;
        assert!(matches!(refused, Err(TokenError::Refused(_, 503, _))), "{refused:?}");
        issuer.fails.set(false);
        assert_eq!(
            issuer.present(NOW + LIFE + 2 * PAUSE).await.as_deref(),
            Ok("Bearer token-6")
        );
    });
}
