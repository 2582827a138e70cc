//! One upstream call: prepare, send, hold, commit.

mod collected;
mod committed;
mod failures;
mod faults;
mod prepare;
mod whole;

use super::keeper::Keeper;
use super::stream::{AnswerStream, Conversion, Listening, Timers, Uncommitted};
use super::{Called, Course, Failure, Request, Settlement, headers};
use crate::dialect::{Carrier, Exchange, Framer, Framing, Keeping, Losses, Translator, Watch};
use crate::health::Verdict as Health;
use crate::meter::Outcome;
use crate::pipeline::deadline::AttemptTimers;
use crate::pipeline::limit::Admission;
use crate::pipeline::route::{Candidate, Plan};
use crate::pipeline::verdict::verdict;
use crate::upstream::{self, OutBody, Reuse, UpstreamBody};
use bytes::Bytes;
use failures::{broke_off, unsent, unsigned, without_token};
use http::response::Parts;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Everything one call is made of.
struct Call<'a, 'b> {
    request: &'a Request<'a, 'b>,
    plan: &'a Plan<'a>,
    candidate: &'a Candidate<'a>,
    course: &'a Course<'a, 'b>,
    timers: AttemptTimers,
    /// The way back across dialects; absent where both sides speak the same.
    exchange: Option<Exchange>,
    /// What is to be kept of the answer's reasoning, across dialects only.
    keeping: Option<Keeping>,
    /// Where an upstream that is passed to wants to see reasoning again, and what is to be kept of it, if the request was
    /// walked.
    carrier: Option<Carrier>,
    walked: Option<Option<Keeping>>,
    /// What is sent, where that is no part of the client's body.
    translated: Option<Bytes>,
    losses: Losses,
    /// Taken by whatever ends the call; left here, the client has gone away.
    settlement: Option<Settlement>,
}

/// Calls one deployment. Dropping the future cancels the call and settles it.
pub(super) async fn call<'a, 'b>(
    request: &'a Request<'a, 'b>,
    plan: &'a Plan<'a>,
    candidate: &'a Candidate<'a>,
    admission: Admission,
    fresh: bool,
    course: &'a Course<'a, 'b>,
) -> Called {
    let called = Instant::now();
    let deployment = &candidate.target.deployment;
    let thinks_silently = deployment.capabilities.thinks_silently;
    let timers = request.deadlines.attempt(deployment.timeouts, thinks_silently, called);
    let (exchange, keeping, losses, settlement) = (None, None, Losses::new(), None);
    let mut call = Call {
        request,
        plan,
        candidate,
        course,
        timers,
        exchange,
        keeping,
        carrier: None,
        walked: None,
        translated: None,
        losses,
        settlement,
    };
    let body = match call.prepare().await {
        Ok(body) => body,
        Err(called) => return called,
    };
    let reuse = if fresh { Reuse::Never } else { Reuse::Allowed };
    let deadline = if request.asked.stream {
        timers.first_token.min(timers.end)
    } else {
        timers.end
    };
    call.settlement = Some(call.begin(called, admission));
    request.visit.counted.set(true);
    match timeout_at(deadline, call.answer(body, reuse)).await {
        Ok(called) => called,
        Err(_elapsed) => call.timed_out(deadline.saturating_duration_since(called)),
    }
}

impl Call<'_, '_> {
    /// Of this tenant's reasoning at this deployment.
    fn keeper(&self) -> Keeper {
        Keeper {
            shared: Arc::clone(&self.request.visit.worker.shared),
            tenant: Arc::clone(self.request.tenant),
            deployment: Arc::clone(&self.candidate.target.deployment),
        }
    }

    fn begin(&self, called: Instant, admission: Admission) -> Settlement {
        let Request {
            asked, visit, route, ..
        } = self.request;
        Settlement {
            route: Arc::clone(route),
            deployment: Arc::clone(&self.candidate.target.deployment),
            standing: Arc::clone(&self.candidate.upstream.standing),
            index: self.candidate.target.index,
            shape: visit.shape_of(asked),
            started: visit.started,
            called,
            first_token: None,
            code: 200,
            usage: None,
            admission,
            _in_flight: Rc::clone(&visit.in_flight),
            finished: false,
        }
    }

    /// The attempt came to nothing: whoever decides what is next counts it.
    fn failed(&mut self, failure: Failure) -> Called {
        let row = verdict(failure.outcome, failure.reset, self.request.policy.retry.on_ambiguous);
        self.give_up(failure.outcome, row.health);
        Called::Failed(failure)
    }

    /// Nothing of it is the client's.
    fn give_up(&mut self, outcome: Outcome, health: Health) {
        if let Some(settlement) = self.settlement.take() {
            settlement.give_up(outcome, health);
            self.request.visit.counted.set(false);
        }
    }

    async fn answer(&mut self, body: OutBody, reuse: Reuse) -> Called {
        let Request { asked, head, visit, .. } = self.request;
        let candidate = self.candidate;
        let path = candidate.upstream.path(asked);
        let mut out = http::Request::new(body);
        *out.method_mut() = http::Method::POST;
        // `route` only offers candidates that have the operation.
        *out.uri_mut() = path.cloned().map(http::Uri::from).unwrap_or_default();
        *out.headers_mut() = headers::upstream(&head.headers, asked.dialect, candidate.upstream, asked.stream);
        let (endpoint, standing) = (&candidate.upstream.endpoint, &candidate.upstream.standing);
        // A request may have waited since it came, and a signature is soon too old.
        let now = visit
            .unix_seconds
            .saturating_add_unsigned(visit.started.elapsed().as_secs());
        let authorised = standing.authorise(out.headers_mut(), &visit.worker.pools, now).await;
        if let Err(error) = authorised {
            return self.failed(without_token(&error));
        }
        if let Err(error) = standing.sign(&mut out, endpoint, now) {
            return self.failed(unsigned(&error));
        }
        let sent = visit.worker.pools.send(endpoint, out, self.timers.connect, reuse).await;
        match sent {
            Ok(upstream::Response { head, .. }) if headers::coding(&head).is_some() => self.compressed(head),
            Ok(upstream::Response { head, body, .. }) if !head.status.is_success() => self.error(head, body).await,
            Ok(upstream::Response { head, body, .. }) if asked.stream && !headers::is_json(&head) => {
                self.stream(head, body).await
            }
            Ok(upstream::Response { head, body, .. }) => self.whole(head, body).await,
            Err(error) => self.failed(unsent(&error)),
        }
    }

    /// Held until the first content; after that it is the client's.
    async fn stream(&mut self, head: Parts, body: UpstreamBody) -> Called {
        let asked = self.request.asked;
        let (translated, conversion) = match self.exchange.take() {
            Some(exchange) => (true, self.translated(&exchange)),
            None => (
                false,
                Conversion::Watched(
                    Box::new(Watch::new(asked.dialect, !asked.wants_usage).of_choices(asked.choices())),
                    self.carrier.map(|carrier| Box::new(Listening::new(carrier, asked))),
                ),
            ),
        };
        let mut stream = self.answer_stream(body, conversion);
        if asked.framing == Framing::Array {
            stream = stream.as_array();
        }
        if self.is_kept_by_one() {
            stream = stream.kept_by(self.keeper());
        }
        match stream.until_content().await {
            Ok(()) => {
                stream.remember(|| Some((self.keeper(), self.keeping_passed()?)));
                self.losses.extend(stream.losses());
                self.streaming(head, stream, translated, true)
            }
            Err(Uncommitted::Fault(fault)) => self.faulty(head, fault),
            Err(Uncommitted::BrokeOff(message)) => self.failed(broke_off(message)),
        }
    }

    fn translated(&self, exchange: &Exchange) -> Conversion {
        let translator = Translator::new(exchange);
        match self.keeping {
            Some(keeping) => Conversion::Translated(Box::new(translator.recording()), Some((self.keeper(), keeping))),
            None => Conversion::Translated(Box::new(translator), None),
        }
    }

    fn answer_stream(&self, body: UpstreamBody, conversion: Conversion) -> Pin<Box<AnswerStream>> {
        let upstream = self.candidate.upstream;
        let timers = Timers {
            idle: self.timers.idle,
            end: self.timers.end,
            total: self.request.deadlines.total,
        };
        let tasks = self.request.visit.worker.tasks.clone();
        Box::pin(AnswerStream::new(
            body,
            conversion,
            (
                self.request.asked.dialect,
                Framer::at(upstream.dialect, upstream.hosting),
            ),
            timers,
            tasks,
        ))
    }

    fn timed_out(&mut self, limit: Duration) -> Called {
        let what = if self.request.asked.stream {
            "no content"
        } else {
            "no answer"
        };
        let message = format!("{what} within {:.1} s", limit.as_secs_f64());
        // When the whole request's time is up, that is the client's patience or the policy's, and no upstream's failure.
        let over = Instant::now() >= self.request.deadlines.begin;
        let outcome = if over { Outcome::Deadline } else { Outcome::Timeout };
        self.failed(Failure {
            outcome,
            message,
            reset: None,
            status: None,
        })
    }
}
