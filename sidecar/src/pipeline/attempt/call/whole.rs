//! Answers that are no streams: held, parsed, and remembered as far as they must be.

use super::collected::{Collected, collect};
use super::failures::broke_off;
use super::{Call, Called, Conversion, Failure};
use crate::body::Held;
use crate::dialect::{
    ClientDialect, EventArray, Framing, Operation, inspect_response, kept_of_answer, retell_response,
    translate_response,
};
use crate::health::Verdict as Health;
use crate::meter::Outcome;
use crate::pipeline::respond::{CollectFault, Refusal};
use crate::pipeline::route::Plan;
use crate::upstream::UpstreamBody;
use bytes::Bytes;
use http::response::Parts;

/// What of a non-streaming answer is held before it is committed unseen, bytes.
const MAX_HELD: usize = 1024 * 1024;
/// Longest answer that is translated, bytes: all of it is needed at once.
const MAX_TRANSLATED: usize = 32 * 1024 * 1024;

impl Call<'_, '_> {
    /// Held until it is complete and parsed, or longer than may be held.
    pub(super) async fn whole(&mut self, head: Parts, body: UpstreamBody) -> Called {
        let mut held = Held::none(&self.request.visit.worker.shared.bodies);
        let passes = self.exchange.is_none();
        let limit = if passes { MAX_HELD } else { MAX_TRANSLATED };
        match collect(body, limit, Some(&mut held)).await {
            Err(message) => self.failed(broke_off(message)),
            Ok(Collected::Whole(bytes)) => {
                let called = self.parsed(head, bytes);
                keep(called, held)
            }
            // Too long to be held: the client gets the rest as it comes, unseen.
            Ok(Collected::Long(bytes, rest)) if passes => {
                let stream = self.answer_stream(rest, Conversion::Raw);
                self.streaming(head, stream.preceded_by(bytes), false, false)
            }
            Ok(Collected::NoMemory) => {
                self.give_up(Outcome::NoMemory, Health::Nothing);
                Called::Refused(Refusal::Body(CollectFault::NoMemory))
            }
            Ok(Collected::Long(..)) => {
                let message = "its answer is longer than can be held".to_owned();
                self.failed(Failure {
                    outcome: Outcome::Malformed,
                    message,
                    reset: None,
                    status: None,
                })
            }
        }
    }

    fn parsed(&mut self, head: Parts, bytes: Bytes) -> Called {
        let asked = self.request.asked;
        if self.must_retell() {
            return self.retold(head, &bytes);
        }
        let parsed = match self.exchange.take() {
            None => inspect_response(asked.dialect, asked.operation, &bytes).map(|seen| {
                self.remember_passed(&bytes);
                self.remember_kept(&bytes);
                (bytes, false, seen.usage)
            }),
            Some(exchange) => translate_response(&exchange, &bytes).map(|answer| {
                if let (Some(reasoned), Some(keeping)) = (&answer.reasoned, self.keeping) {
                    self.keeper().keep(keeping, reasoned);
                }
                self.losses.extend(answer.losses);
                (answer.body.into(), true, answer.usage)
            }),
        };
        match parsed {
            Ok((bytes, translated, usage)) => self.settled(head, bytes, translated, usage, Outcome::Ok),
            Err(fault) => self.faulty(head, fault),
        }
    }

    /// The client asked for a stream and could read nothing else. Of several choices only one can be told, and the older
    /// form of completions has no decoder.
    fn must_retell(&self) -> bool {
        let asked = self.request.asked;
        let is_translated = self.exchange.is_some();
        asked.stream && (is_translated || asked.operation == Operation::Generate && asked.choices() == 1)
    }

    fn retold(&mut self, head: Parts, bytes: &Bytes) -> Called {
        let exchange = match self.exchange.take() {
            Some(exchange) => exchange,
            None => {
                self.remember_passed(bytes);
                self.passed()
            }
        };
        let answer = match retell_response(&exchange, bytes) {
            Ok(answer) => answer,
            Err(fault) => return self.faulty(head, fault),
        };
        if let (Some(reasoned), Some(keeping)) = (&answer.reasoned, self.keeping) {
            self.keeper().keep(keeping, reasoned);
        }
        self.losses.extend(answer.losses);
        let bytes = match self.request.asked.framing {
            Framing::Events => answer.body.into(),
            Framing::Array => EventArray::whole(&answer.body),
        };
        self.settled_as(head, bytes, (true, true), answer.usage, Outcome::Ok)
    }

    /// Others could be asked to go on from a response that only this one keeps, or other tenants could ask.
    pub(super) fn is_kept_by_one(&self) -> bool {
        let Plan {
            order,
            limited,
            excluded,
            ..
        } = self.plan;
        let speaks = self.request.asked.dialect == ClientDialect::Responses && self.exchange.is_none();
        let several = order.len() + limited.len() + excluded.len() > 1;
        speaks && (several || self.request.visit.snapshot.has_keys())
    }

    fn remember_kept(&self, answer: &[u8]) {
        if self.is_kept_by_one() {
            self.keeper().kept(&kept_of_answer(answer));
        }
    }

    fn remember_passed(&self, answer: &[u8]) {
        let reasoned = self
            .carrier
            .and_then(|carrier| carrier.reasoned(self.request.asked, answer));
        if let Some((reasoned, keeping)) = reasoned.and_then(|reasoned| Some((reasoned, self.keeping_passed()?))) {
            self.keeper().keep(keeping, &reasoned);
        }
    }
}

/// The answer's permits are given back when the client has taken it.
fn keep(called: Called, held: Held) -> Called {
    match called {
        Called::Answer(mut response) => {
            response.body_mut().keep(held);
            Called::Answer(response)
        }
        other => other,
    }
}
