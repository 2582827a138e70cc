//! From an endpoint to a connection: address, TCP, TLS. Whoever calls has the deadline over all of it.

use super::Shared;
use super::endpoint::{Endpoint, Host, Tls};
use super::error::{ConnectError, ConnectFailure, of_system, reason};
use super::resolve::Resolver;
use super::tls;
use super::transport::{Stream, Transport};
use futures::stream::{FuturesUnordered, StreamExt};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long one address may stay silent before the next is tried beside it (RFC 8305's recommendation).
const STAGGER: Duration = Duration::from_millis(250);

/// A generation can think for minutes without a byte; without these, what lies between may forget the connection.
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);

/// A ready transport, encrypted if the endpoint is `https`.
pub(super) async fn connect(
    endpoint: &Endpoint,
    resolver: &Resolver,
    shared: &Shared,
) -> Result<Transport, ConnectError> {
    let stream = match &endpoint.host {
        Host::Address(address) => tcp(&[SocketAddr::new(*address, endpoint.port)]).await,
        Host::Name(name) => {
            let addresses = resolver.addresses(name, endpoint.port).await?;
            tcp(&addresses).await.inspect_err(|_| resolver.forget())
        }
    };
    let stream = stream.map_err(|error| tcp_error(endpoint, &error))?;
    if stream.peer_addr().is_ok_and(|peer| shared.is_own(peer)) {
        return Err(ConnectError {
            failure: ConnectFailure::Other,
            sentence: format!("no connection to {}: that is this sidecar itself", endpoint.authority()),
        });
    }
    let stream = match &endpoint.tls {
        None => Stream::Plain(stream),
        Some(tls) => encrypted(endpoint, tls, stream).await?,
    };
    Ok(Transport::new(stream, &shared.gauges))
}

/// The first address to answer, each with a head start of [`STAGGER`] over the next.
pub(crate) async fn tcp(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut waiting = addresses.iter();
    let mut attempts = FuturesUnordered::new();
    let mut failure = None;
    loop {
        attempts.extend(waiting.next().map(TcpStream::connect));
        let more = waiting.len() > 0;
        tokio::select! {
            Some(attempt) = attempts.next() => match attempt {
                Ok(stream) => return prepared(stream),
                Err(error) => failure = Some(error),
            },
            () = tokio::time::sleep(STAGGER), if more => {}
            else => return Err(failure.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into())),
        }
    }
}

fn prepared(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    let keepalive = socket2::TcpKeepalive::new().with_time(TCP_KEEPALIVE);
    socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    Ok(stream)
}

async fn encrypted(endpoint: &Endpoint, tls: &Tls, stream: TcpStream) -> Result<Stream, ConnectError> {
    let connector = TlsConnector::from(Arc::clone(&tls.config));
    match connector.connect(tls.server_name.clone(), stream).await {
        Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
        Err(error) => {
            let why = match error.kind() {
                io::ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
                _ => reason(&error),
            };
            Err(ConnectError {
                failure: ConnectFailure::Tls,
                sentence: format!("the TLS handshake with {} failed: {why}", endpoint.authority()),
            })
        }
    }
}

/// TLS to a host whose certificate must be one of the usual roots', for an exchange of HTTP/1.1.
pub(crate) async fn encrypted_http1(host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let mut config = ClientConfig::clone(&*tls::client_config(None).map_err(io::Error::other)?);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn tcp_error(endpoint: &Endpoint, error: &io::Error) -> ConnectError {
    let failure = match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectFailure::Refused,
        io::ErrorKind::TimedOut => ConnectFailure::Timeout,
        _ => ConnectFailure::Other,
    };
    ConnectError {
        failure,
        sentence: format!("no connection to {}: {}", endpoint.authority(), of_system(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn free_address() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
    }

    #[tokio::test]
    async fn an_address_that_refuses_or_is_silent_does_not_hold_up_the_next() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let refuses = free_address().await;
        let (silent, _full) = crate::upstream::tests::script::full_backlog();
        for addresses in [&[refuses, good][..], &[silent, good], &[refuses, silent, refuses, good]] {
            assert_eq!(tcp(addresses).await.unwrap().peer_addr().unwrap(), good);
        }
    }

    #[tokio::test]
    async fn no_address_that_answers_is_the_last_ones_error() {
        let refuses = free_address().await;
        assert_eq!(
            tcp(&[refuses, refuses]).await.unwrap_err().kind(),
            io::ErrorKind::ConnectionRefused
        );
        assert_eq!(tcp(&[]).await.unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
    }
}
