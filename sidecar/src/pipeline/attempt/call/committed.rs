//! What the client gets: from here on nothing is tried any more.

use super::super::stream::AnswerStream;
use super::{Call, Called, headers};
use crate::body::Body;
use crate::dialect::Usage;
use crate::meter::Outcome;
use crate::pipeline::stamp;
use bytes::Bytes;
use http::Response;
use http::response::Parts;
use std::pin::Pin;

impl Call<'_, '_> {
    /// The answer is whole: it is settled, and the client gets it.
    pub(super) fn settled(
        &mut self,
        head: Parts,
        bytes: Bytes,
        translated: bool,
        usage: Option<Usage>,
        outcome: Outcome,
    ) -> Called {
        self.settled_as(head, bytes, (translated, false), usage, outcome)
    }

    /// The same, perhaps with the bytes of a stream.
    pub(super) fn settled_as(
        &mut self,
        head: Parts,
        bytes: Bytes,
        (translated, stream): (bool, bool),
        usage: Option<Usage>,
        outcome: Outcome,
    ) -> Called {
        let mut cost = None;
        if let Some(mut settlement) = self.settlement.take() {
            settlement.code = head.status.as_u16();
            settlement.usage = usage;
            cost = settlement.cost_nano_usd();
            settlement.finish(outcome);
        }
        Called::Answer(Box::new(self.dressed(
            head,
            Body::whole(bytes),
            translated,
            stream,
            cost,
        )))
    }

    /// From here on the answer is the client's.
    pub(super) fn streaming(
        &mut self,
        head: Parts,
        mut stream: Pin<Box<AnswerStream>>,
        translated: bool,
        first: bool,
    ) -> Called {
        if let Some(mut settlement) = self.settlement.take() {
            if first {
                settlement.first_token();
            }
            stream.commit(settlement);
        }
        Called::Answer(Box::new(self.dressed(
            head,
            Body::Stream(stream),
            translated,
            first,
            None,
        )))
    }

    /// The answer with its headers.
    fn dressed(&self, head: Parts, body: Body, translated: bool, stream: bool, cost: Option<u64>) -> Response<Body> {
        let mut response = Response::new(body);
        *response.status_mut() = head.status;
        let mut fields = head.headers;
        let translated = translated || self.candidate.upstream.hosting.is_some();
        headers::returned(&mut fields, translated, stream.then_some(self.request.asked.framing));
        self.candidate.upstream.standing.redact_headers(&mut fields);
        stamp::answer(
            &mut fields,
            self.request,
            self.plan,
            self.candidate,
            self.course,
            &self.losses,
            cost,
        );
        *response.headers_mut() = fields;
        self.candidate.target.deployment.series.lost(&self.losses);
        response
    }
}
