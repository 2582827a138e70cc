//! As whom this sidecar calls the operator: by a client certificate while it has a good one, else by its token.

use super::backoff::Backoff;
use super::certificate::{Certificate, Request};
use super::connection::Connection;
use super::error::{OperatorError, Outcome};
use super::operator::Operator;
use super::outbox::Outgoing;
use super::stream::Stream;
use crate::app::unix_seconds;
use crate::meter::OperatorSeries;
use http::StatusCode;
use http::header::HeaderValue;
use pilotfish_wire::Hello;
use rustls::sign::CertifiedKey;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const PATH: &str = "/v1/certificate";

/// The token's place, and the certificate that it has bought.
pub(super) struct Identity {
    operator: Operator,
    series: OperatorSeries,
    certificate: RefCell<Option<Certificate>>,
}

impl Identity {
    pub(super) fn new(operator: Operator, series: OperatorSeries) -> Self {
        Self {
            operator,
            series,
            certificate: RefCell::new(None),
        }
    }

    /// Opens a stream at `address`, whatever it takes: a certificate, or the token when the operator does not accept
    /// the certificate, as after a change of its authority.
    pub(super) async fn stream(
        &self,
        address: &str,
        known: &BTreeMap<String, String>,
    ) -> Result<(Stream, Hello), OperatorError> {
        let opened = match self.presentable() {
            None => Box::pin(self.by_token(address, known)).await,
            Some(certificate) => match self.by_certificate(address, certificate, known).await {
                Err(error) if error.doubts_certificate() => {
                    tracing::info!(%error, "the client certificate may not be accepted, the token is used instead");
                    Box::pin(self.by_token(address, known)).await
                }
                opened => opened,
            },
        };
        let outcome = opened
            .as_ref()
            .map_or_else(OperatorError::outcome, |_| Outcome::Connected);
        self.series.attempt(outcome.label());
        opened
    }

    async fn by_certificate(
        &self,
        address: &str,
        certificate: Arc<CertifiedKey>,
        known: &BTreeMap<String, String>,
    ) -> Result<(Stream, Hello), OperatorError> {
        let connection = Connection::open(&self.operator, address, Some(certificate)).await?;
        Stream::open(connection, None, known.clone()).await
    }

    /// Buys a certificate and comes back with it; the token alone will do where that does not work.
    async fn by_token(
        &self,
        address: &str,
        known: &BTreeMap<String, String>,
    ) -> Result<(Stream, Hello), OperatorError> {
        let mut connection = Connection::open(&self.operator, address, None).await?;
        match self.buy(&mut connection).await {
            Ok(()) => {}
            Err(error) if is_verdict(&error) => return Err(error),
            Err(error) => tracing::warn!(%error, "no client certificate, the token is used instead"),
        }
        if let Some(certificate) = self.presentable() {
            match self.by_certificate(address, certificate, known).await {
                Err(error) if error.doubts_certificate() => {
                    tracing::warn!(%error, "a new client certificate is not accepted, the token is used instead");
                }
                opened => return opened,
            }
        }
        Stream::open(connection, Some(self.token()?), known.clone()).await
    }

    /// Renews the certificate whenever it is due, for as long as it is polled.
    pub(super) async fn keep_renewed(&self) -> ! {
        let mut backoff = Backoff::default();
        loop {
            let renew_at = self.certificate.borrow().as_ref().map(Certificate::renew_at);
            let due_in = renew_at.map_or(0, |at| at.saturating_sub(unix_seconds()));
            tokio::time::sleep(Duration::from_secs(u64::try_from(due_in).unwrap_or(0))).await;
            match self.renew().await {
                Ok(()) => backoff.reset(),
                Err(error) => {
                    tracing::warn!(%error, "the client certificate was not renewed");
                    tokio::time::sleep(backoff.next(fastrand::f64())).await;
                }
            }
        }
    }

    async fn renew(&self) -> Result<(), OperatorError> {
        let mut connection = Connection::open(&self.operator, &self.operator.address, None).await?;
        self.buy(&mut connection).await
    }

    async fn buy(&self, connection: &mut Connection) -> Result<(), OperatorError> {
        let token = self.token()?;
        let request = Request::new()?;
        let body = Outgoing::Whole(Some(request.pem().to_owned().into()));
        let answer = connection.post(PATH, Some(token), "application/pkcs10", body).await?;
        let chain = connection.whole(answer).await?;
        let certificate = request.answered(&chain, unix_seconds(), fastrand::f64())?;
        self.series.certificate_ends.set(certificate.ends_at());
        tracing::debug!(ends_at = certificate.ends_at(), "client certificate received");
        self.certificate.replace(Some(certificate));
        Ok(())
    }

    fn presentable(&self) -> Option<Arc<CertifiedKey>> {
        let certificate = self.certificate.borrow();
        certificate
            .as_ref()
            .and_then(|certificate| certificate.presentable(unix_seconds()))
    }

    /// Read anew each time: the kubelet replaces it long before it expires.
    fn token(&self) -> Result<HeaderValue, OperatorError> {
        let unusable = |reason: String| OperatorError::Token {
            path: self.operator.token.clone(),
            reason,
        };
        let text = std::fs::read_to_string(&self.operator.token).map_err(|error| unusable(error.to_string()))?;
        let token = text.trim();
        if token.is_empty() {
            return Err(unusable("it is empty".to_owned()));
        }
        let bearer = HeaderValue::try_from(format!("Bearer {token}"));
        let mut bearer = bearer.map_err(|_| unusable("no header can carry it".to_owned()))?;
        bearer.set_sensitive(true);
        Ok(bearer)
    }
}

/// The operator looked at the token and said no; it would say the same of the stream.
fn is_verdict(error: &OperatorError) -> bool {
    match error {
        OperatorError::Refused { status, .. } => [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(status),
        other => matches!(other, OperatorError::Token { .. }),
    }
}
