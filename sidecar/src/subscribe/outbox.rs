//! The body of a request to the operator: whole, or reports as they arise.

use bytes::Bytes;
use http_body::{Body, Frame};
use pilotfish_wire::{Ack, Report};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Reports that wait for an operator that does not read. Acks are state: of more than these the oldest says nothing that
/// a later one does not.
const MOST_WAITING: usize = 16;

/// What the operator reads in one line, bytes, its end included.
const LONGEST_REPORT: usize = 1024 * 1024;
/// Of how many refusals the sentence is said when there is no room for all: the operator keeps no more.
const MOST_SENTENCES: usize = 64;

/// What is sent.
pub(super) enum Outgoing {
    /// All of it at once.
    Whole(Option<Bytes>),
    /// Lines, as long as the stream lives.
    Reports(Reports),
}

/// The lines that wait to be sent. Clones are the same queue.
#[derive(Clone, Default)]
pub(super) struct Reports(Rc<RefCell<Waiting>>);

#[derive(Default)]
struct Waiting {
    lines: VecDeque<Bytes>,
    reader: Option<Waker>,
}

impl Reports {
    /// Queues a report; the oldest that waits makes room.
    pub(super) fn say(&self, report: Report) {
        let mut line = fitting(report);
        line.push('\n');
        let mut waiting = self.0.borrow_mut();
        if waiting.lines.len() == MOST_WAITING {
            waiting.lines.pop_front();
            tracing::warn!("the operator does not read reports, the oldest is dropped");
        }
        waiting.lines.push_back(line.into());
        if let Some(reader) = waiting.reader.take() {
            reader.wake();
        }
    }

    fn poll_line(&self, cx: &mut Context<'_>) -> Poll<Bytes> {
        let mut waiting = self.0.borrow_mut();
        match waiting.lines.pop_front() {
            Some(line) => Poll::Ready(line),
            None => {
                waiting.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// The report as a line that is not too long to be read: without the versions that are there, which are then sent
/// again; with the first sentences alone; or with as many of the refused resources as fit, and how many there are.
fn fitting(mut report: Report) -> String {
    loop {
        let line = report.encode();
        if line.len() < LONGEST_REPORT {
            return line;
        }
        match &mut report {
            Report::Hello(hello) if !hello.known.is_empty() => hello.known.clear(),
            Report::Ack(ack) if !ack.refused.is_empty() => shorten(ack),
            Report::Hello(_) | Report::Ack(_) | Report::Unknown(_) => return line,
        }
    }
}

fn shorten(ack: &mut Ack) {
    let mut unsaid = ack.refused.iter_mut().skip(MOST_SENTENCES).peekable();
    if unsaid.peek().is_some_and(|refusal| !refusal.reason.is_empty()) {
        unsaid.for_each(|refusal| refusal.reason.clear());
        return;
    }
    let named = ack.refused.len() / 2;
    ack.unnamed += ack.refused.len() - named;
    ack.refused.truncate(named);
    tracing::warn!(named, unnamed = ack.unnamed, "more is refused than one report can name");
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Reports(reports) => reports.poll_line(cx).map(|line| Some(Ok(Frame::data(line)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use pilotfish_wire::{Hello, Kind, Refusal};

    fn ack(nonce: u64) -> Report {
        Report::Ack(Ack {
            nonce,
            version: "v".to_owned(),
            refused: Vec::new(),
            unnamed: 0,
        })
    }

    async fn read(body: &mut Outgoing) -> Report {
        let line = body.frame().await.unwrap().unwrap().into_data().unwrap();
        Report::decode(std::str::from_utf8(&line).unwrap().trim_end_matches('\n')).unwrap()
    }

    #[tokio::test]
    async fn reports_go_out_in_order_and_of_too_many_the_oldest_is_dropped() {
        let reports = Reports::default();
        let mut body = Outgoing::Reports(reports.clone());
        reports.say(ack(0));
        assert_eq!(read(&mut body).await, ack(0));
        for nonce in 1..=20 {
            reports.say(ack(nonce));
        }
        for nonce in 5..=20 {
            assert_eq!(read(&mut body).await, ack(nonce));
        }
    }

    #[test]
    fn a_report_that_would_be_too_long_says_less() {
        let names = |count| (0..count).map(|number| format!("policy/a-namespace-with-a-long-name/policy-{number:05}"));
        let hello = Hello {
            revision: 1,
            known: names(20_000)
                .map(|name| (name, "0123456789abcdef".to_owned()))
                .collect(),
            ..Hello::default()
        };
        assert_eq!(fitting(Report::Hello(hello)), r#"{"hello":{"revision":1}}"#);
        let refusal = |name| Refusal {
            kind: Kind::Policy,
            name,
            version: "0123456789abcdef".to_owned(),
            reason: "it was meant to be refused".to_owned(),
        };
        for (count, named, sentences, unnamed) in [
            (5_000, 5_000, 5_000, 0),
            (8_000, 8_000, 64, 0),
            (20_000, 5_000, 64, 15_000),
        ] {
            let ack = Report::Ack(Ack {
                nonce: 1,
                version: "v".to_owned(),
                refused: names(count).map(refusal).collect(),
                unnamed: 0,
            });
            let Report::Ack(said) = Report::decode(&fitting(ack)).unwrap() else {
                panic!("no ack")
            };
            let explained = said.refused.iter().filter(|refusal| !refusal.reason.is_empty());
            let counted = (said.refused.len(), explained.count(), said.unnamed);
            assert_eq!(counted, (named, sentences, unnamed), "of {count}");
        }
    }

    #[tokio::test]
    async fn a_report_wakes_who_waits_for_it() {
        let reports = Reports::default();
        let mut body = Outgoing::Reports(reports.clone());
        let (report, ()) = tokio::join!(read(&mut body), async { reports.say(ack(1)) });
        assert_eq!(report, ack(1));
    }
}
