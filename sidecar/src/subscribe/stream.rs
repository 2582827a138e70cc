//! The stream: reports in the request's body, messages in the answer's, a line each.

use super::connection::{Connection, STEP, within};
use super::error::OperatorError;
use super::lines::Lines;
use super::outbox::{Outgoing, Reports};
use crate::upstream::reason;
use http::header::HeaderValue;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use pilotfish_wire::{FEATURES, Hello, Message, REVISION, Report};
use std::collections::BTreeMap;

const PATH: &str = "/v1/stream";

/// An open stream of which the first line has been read.
pub(super) struct Stream {
    body: Incoming,
    lines: Lines,
    reports: Reports,
    /// After its streams: dropping it ends them.
    connection: Connection,
}

impl Stream {
    /// Opens it on `connection`: as the client certificate's owner, or as the `token`'s. Says what is `known`, and
    /// returns what the operator said first.
    pub(super) async fn open(
        mut connection: Connection,
        token: Option<HeaderValue>,
        known: BTreeMap<String, String>,
    ) -> Result<(Self, Hello), OperatorError> {
        let reports = Reports::default();
        reports.say(Report::Hello(Hello {
            revision: REVISION,
            features: FEATURES.iter().map(|&feature| feature.to_owned()).collect(),
            known,
            ..Hello::default()
        }));
        let sent = Outgoing::Reports(reports.clone());
        let body = connection.post(PATH, token, "application/x-ndjson", sent).await?;
        let mut stream = Self {
            body,
            lines: Lines::default(),
            reports,
            connection,
        };
        let address = stream.connection.address().to_owned();
        match within(STEP, &address, "to say hello", stream.next()).await? {
            Message::Hello(hello) => Ok((stream, hello)),
            _ => Err(OperatorError::NoHello),
        }
    }

    /// The next message, whenever it comes: that the operator is there is what pings are for. Cancelling loses nothing.
    pub(super) async fn next(&mut self) -> Result<Message, OperatorError> {
        loop {
            match self.lines.next().transpose()? {
                Some(line) if line.is_empty() => {}
                Some(line) => return Ok(Message::decode(&line)?),
                None => self.read().await?,
            }
        }
    }

    async fn read(&mut self) -> Result<(), OperatorError> {
        let frame = self.body.frame().await.ok_or(OperatorError::Ended)?;
        let frame = frame.map_err(|error| OperatorError::Lost(reason(&error)))?;
        if let Ok(data) = frame.into_data() {
            self.lines.push(&data);
        }
        Ok(())
    }

    /// Queues a report.
    pub(super) fn say(&self, report: Report) {
        self.reports.say(report);
    }

    /// The other end, as it was dialled.
    pub(super) fn address(&self) -> &str {
        self.connection.address()
    }
}
