//! One upstream call: prepare, send, hold, commit.

mod collected;
mod failures;
mod prepare;

use super::keeper::Keeper;
use super::stream::{AnswerStream, Conversion, Listening, Timers, Uncommitted};
use super::{Called, Course, Failure, Request, Settlement, headers};
use crate::body::{Body, Held};
use crate::dialect::{
    Carrier, Class, ClientDialect, EventArray, Exchange, Fault, Framer, Framing, Grade, Keeping, Loss, Losses,
    Operation, PREVIOUS, Translator, Usage, Watch, contents_of_request, decode_error, encode_error, inspect_response,
    is_unknown, is_unreadable, kept_of_answer, refuses_count, reset_after, retell_response, translate_response,
};
use crate::health::Verdict as Health;
use crate::meter::Outcome;
use crate::pipeline::deadline::AttemptTimers;
use crate::pipeline::limit::Admission;
use crate::pipeline::respond::{CollectFault, Refusal};
use crate::pipeline::route::{Candidate, Plan};
use crate::pipeline::stamp;
use crate::pipeline::verdict::verdict;
use crate::upstream::{self, OutBody, Reuse, UpstreamBody};
use bytes::Bytes;
use collected::{Collected, collect};
use failures::{broke_off, failure, outcome_of, unsent, unsigned, without_token};
use http::Response;
use http::response::Parts;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// What of a non-streaming answer is held before it is committed unseen, bytes.
const MAX_HELD: usize = 1024 * 1024;
/// Longest answer that is translated, bytes: all of it is needed at once.
const MAX_TRANSLATED: usize = 32 * 1024 * 1024;
/// What is read of an error's body, bytes.
const MAX_ERROR: usize = 64 * 1024;
/// How long an error's body may take.
const ERROR_TIME: Duration = Duration::from_secs(2);

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
    let timers = request.deadlines.attempt(candidate.target.deployment.timeouts, called);
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
        if let Some(settlement) = self.settlement.take() {
            let row = verdict(failure.outcome, failure.reset, self.request.policy.retry.on_ambiguous);
            settlement.give_up(failure.outcome, row.health);
            self.request.visit.counted.set(false);
        }
        Called::Failed(failure)
    }

    /// The answer is whole: it is settled, and the client gets it.
    fn settled(
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
    fn settled_as(
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
    fn streaming(&mut self, head: Parts, mut stream: Pin<Box<AnswerStream>>, translated: bool, first: bool) -> Called {
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

    /// Nobody asked for that. Only the status can be read, which is the client's business as any other.
    fn compressed(&mut self, head: Parts) -> Called {
        let coding = headers::coding(&head).unwrap_or_default();
        let status = head.status.as_u16();
        let fault = match head.status.is_success() {
            true => Fault::malformed(format!(
                "its answer is compressed ({coding}), which it was not asked for"
            )),
            false => Fault {
                message: format!(
                    "the upstream answered {status} with a body compressed ({coding}) without being asked"
                ),
                ..decode_error(self.candidate.upstream.dialect, status, &head.headers, &[])
            },
        };
        if fault.class == Class::Client {
            return self.faulty(head, fault);
        }
        let reset = reset_after(&head.headers, self.request.visit.unix_seconds);
        self.failed(failure(fault, reset))
    }

    /// An error status: the client's own goes to the client, any other is the next attempt's business.
    async fn error(&mut self, head: Parts, body: UpstreamBody) -> Called {
        let dialect = self.candidate.upstream.dialect;
        // The status has been said; a body that does not come must not turn it into a timeout.
        let (bytes, rest) = match tokio::time::timeout(ERROR_TIME, collect(body, MAX_ERROR, None)).await {
            Ok(Ok(Collected::Whole(bytes))) => (bytes, None),
            Ok(Ok(Collected::Long(bytes, rest))) => (bytes, Some(rest)),
            Ok(Ok(Collected::NoMemory) | Err(_)) | Err(_) => (Bytes::new(), None),
        };
        let bytes = self.candidate.upstream.standing.redacted(bytes);
        let told = decode_error(dialect, head.status.as_u16(), &head.headers, &bytes);
        let fault = self.without_keys(told.clone());
        if is_unknown(&fault) && self.course.leaves_another_of_its_dialect() {
            return self.unknown_here();
        }
        if let Some(called) = self.unreadable(&fault).or_else(|| self.uncounted(&fault)) {
            return called;
        }
        if !self.is_the_clients(&fault) {
            let reset = reset_after(&head.headers, self.request.visit.unix_seconds);
            return self.failed(failure(fault, reset));
        }
        let client = self.request.asked.dialect;
        // A host says what is wrong in its own words.
        let passes = self.candidate.upstream.passes(self.request.asked) && self.candidate.upstream.hosting.is_none();
        if let (Some(rest), true) = (rest, passes) {
            let stream = self.answer_stream(rest, Conversion::Raw);
            return self.streaming(head, stream.preceded_by(bytes), false, false);
        }
        // A key that JSON had to escape is found only once it is decoded: then the error is told anew.
        let translated = !passes || fault != told;
        let bytes = if translated {
            in_dialect(client, &fault).into()
        } else {
            bytes
        };
        self.settled(head, bytes, translated, None, outcome_of(fault.class))
    }

    /// Another account may have the response that this one does not have.
    fn unknown_here(&mut self) -> Called {
        if let Some(settlement) = self.settlement.take() {
            settlement.give_up(Outcome::Client, Health::Nothing);
            self.request.visit.counted.set(false);
        }
        Called::Lossy(vec![Loss {
            field: PREVIOUS.into(),
            grade: Grade::Meaning,
            why: "it does not have this response".into(),
        }])
    }

    /// It cannot read what another account's model reasoned, and is asked once more without that.
    fn unreadable(&mut self, fault: &Fault) -> Option<Called> {
        if !is_unreadable(self.candidate.upstream.dialect, fault) || self.course.is_spared(self.candidate) {
            return None;
        }
        let sealed = contents_of_request(self.translated.as_ref().unwrap_or(self.request.body));
        if sealed.is_empty() {
            return None;
        }
        self.keeper().refused(&sealed);
        Some(self.spared(fault))
    }

    /// It refuses to be asked for the usage of a stream, for which the client has not asked, and is asked once more without.
    fn uncounted(&mut self, fault: &Fault) -> Option<Called> {
        let Request { asked, .. } = self.request;
        let upstream = &self.candidate.upstream;
        let is_ours = asked.stream && !(asked.wants_usage && upstream.passes(asked));
        if !is_ours || !refuses_count(upstream.dialect, fault) || self.course.is_spared(self.candidate) {
            return None;
        }
        self.keeper().refused_count();
        Some(self.spared(fault))
    }

    fn spared(&mut self, fault: &Fault) -> Called {
        if let Some(settlement) = self.settlement.take() {
            settlement.give_up(Outcome::Client, Health::Nothing);
            self.request.visit.counted.set(false);
        }
        Called::Spared(failure(fault.clone(), None))
    }

    /// Nothing else is tried for it: the client hears it as the provider said it.
    fn is_the_clients(&self, fault: &Fault) -> bool {
        let is_4xx = fault.status.is_some_and(|status| (400..500).contains(&status));
        let overflows = fault.class == Class::ContextOverflow && is_4xx;
        fault.class == Class::Client || overflows && self.course.ends_with_overflow(self.candidate)
    }

    /// What a provider says may quote the key it was called with.
    fn without_keys(&self, fault: Fault) -> Fault {
        let standing = &self.candidate.upstream.standing;
        fault.redacted(|text| standing.redacted_text(text))
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
        if self.is_one_of_several() {
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

    /// Held until it is complete and parsed, or longer than may be held.
    async fn whole(&mut self, head: Parts, body: UpstreamBody) -> Called {
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
                if let Some(settlement) = self.settlement.take() {
                    settlement.give_up(Outcome::NoMemory, Health::Nothing);
                    self.request.visit.counted.set(false);
                }
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

    /// Others could be asked to go on from a response that only this one keeps.
    fn is_one_of_several(&self) -> bool {
        let Plan {
            order,
            limited,
            excluded,
            ..
        } = self.plan;
        let speaks = self.request.asked.dialect == ClientDialect::Responses && self.exchange.is_none();
        speaks && order.len() + limited.len() + excluded.len() > 1
    }

    fn remember_kept(&self, answer: &[u8]) {
        if self.is_one_of_several() {
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

    /// A status of success that was none: what it stands for is the client's own error, or the next attempt's business.
    fn faulty(&mut self, mut head: Parts, fault: Fault) -> Called {
        let fault = self.without_keys(fault);
        if let Some(called) = self.unreadable(&fault).or_else(|| self.uncounted(&fault)) {
            return called;
        }
        if !self.is_the_clients(&fault) {
            return self.failed(failure(fault, None));
        }
        head.status = fault
            .status
            .and_then(|status| http::StatusCode::from_u16(status).ok())
            .unwrap_or(head.status);
        let bytes = in_dialect(self.request.asked.dialect, &fault).into();
        self.settled(head, bytes, true, None, outcome_of(fault.class))
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

/// The upstream's own error, in the client's dialect.
fn in_dialect(client: ClientDialect, fault: &Fault) -> Vec<u8> {
    encode_error(client, fault.status.unwrap_or(502), &fault.body())
}
