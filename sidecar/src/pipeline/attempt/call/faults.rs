//! Answers that are none: errors by their status, and successes that stand for one.

use super::collected::{Collected, collect};
use super::failures::{failure, outcome_of};
use super::{Call, Called, Conversion, Request, headers};
use crate::dialect::{
    Class, ClientDialect, Fault, Grade, Loss, PREVIOUS, contents_of_request, decode_error, encode_error, is_unknown,
    is_unreadable, previous, refuses_count, reset_after,
};
use crate::health::Verdict as Health;
use crate::meter::Outcome;
use crate::upstream::UpstreamBody;
use bytes::Bytes;
use http::response::Parts;
use std::time::Duration;

/// What is read of an error's body, bytes.
const MAX_ERROR: usize = 64 * 1024;
/// How long an error's body may take.
const ERROR_TIME: Duration = Duration::from_secs(2);

impl Call<'_, '_> {
    /// Nobody asked for that. Only the status can be read, which is the client's business as any other.
    pub(super) fn compressed(&mut self, head: Parts) -> Called {
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
    pub(super) async fn error(&mut self, head: Parts, body: UpstreamBody) -> Called {
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
        if self.goes_on() && is_unknown(&fault) && self.course.leaves_another_of_its_dialect() {
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

    /// From a response that its provider keeps.
    fn goes_on(&self) -> bool {
        previous(self.request.asked).is_some()
    }

    /// Another account may have the response that this one does not have.
    pub(super) fn unknown_here(&mut self) -> Called {
        self.give_up(Outcome::Client, Health::Nothing);
        Called::Unknown(vec![Loss {
            field: PREVIOUS.into(),
            grade: Grade::Meaning,
            why: "it does not have this response".into(),
        }])
    }

    /// It cannot read what another account's model reasoned, and is asked once more without that.
    pub(super) fn unreadable(&mut self, fault: &Fault) -> Option<Called> {
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
        self.give_up(Outcome::Client, Health::Nothing);
        Called::Spared(failure(fault.clone(), None))
    }

    /// Nothing else is tried for it: the client hears it as the provider said it.
    pub(super) fn is_the_clients(&self, fault: &Fault) -> bool {
        let is_4xx = fault.status.is_some_and(|status| (400..500).contains(&status));
        let overflows = fault.class == Class::ContextOverflow && is_4xx;
        fault.class == Class::Client || overflows && self.course.ends_with_overflow(self.candidate)
    }

    /// What a provider says may quote the key it was called with.
    pub(super) fn without_keys(&self, fault: Fault) -> Fault {
        let standing = &self.candidate.upstream.standing;
        fault.redacted(|text| standing.redacted_text(text))
    }

    /// A status of success that was none: what it stands for is the client's own error, or the next attempt's business.
    pub(super) fn faulty(&mut self, mut head: Parts, fault: Fault) -> Called {
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
}

/// The upstream's own error, in the client's dialect.
fn in_dialect(client: ClientDialect, fault: &Fault) -> Vec<u8> {
    encode_error(client, fault.status.unwrap_or(502), &fault.body())
}
