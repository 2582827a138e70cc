use super::{Aim, open, saturate};
use crate::awake::Awake;
use crate::marker::Clock;
use crate::request::Prompt;
use crate::scenario::named;
use crate::upstream::{self, StreamShape};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

/// A server of one connection that answers every read with `answer`, the first time after a stall.
fn server(answer: &'static [u8], stall: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 4096];
        let mut stall = Some(stall);
        while stream.read(&mut buffer).unwrap() > 0 {
            thread::sleep(stall.take().unwrap_or_default());
            stream.write_all(answer).unwrap();
        }
    });
    address
}

fn ask(plan: open::Plan, target: SocketAddr) -> anyhow::Result<open::Timings> {
    let request = &|_| b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n".to_vec();
    open::run(plan, Clock::start(), Aim { target, request })
}

#[test]
fn a_stall_is_charged_to_every_request_that_was_due_meanwhile() {
    let target = server(
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        Duration::from_millis(200),
    );
    let pace = open::Pace::Every(Duration::from_millis(10));
    let seen = ask(
        open::Plan {
            connections: 1,
            pace,
            duration: Duration::from_millis(300),
        },
        target,
    )
    .unwrap();
    assert_eq!(seen.whole.len(), 30);
    // Those due in the first half of the stall waited for at least its second half.
    let late = seen.whole.count_between(99_000_000, u64::MAX);
    assert!(late >= 9, "only {late} requests were late");
}

#[test]
fn an_answer_that_is_no_200_is_an_error_that_quotes_it() {
    let target = server(
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 7\r\n\r\nno tide",
        Duration::ZERO,
    );
    let plan = open::Plan {
        connections: 1,
        pace: open::Pace::BackToBack,
        duration: Duration::from_millis(50),
    };
    let error = format!("{:#}", ask(plan, target).unwrap_err());
    assert!(error.contains("status 404") && error.contains("no tide"), "{error}");
}

#[test]
fn every_chunk_of_a_stream_arrives_paced_or_not() {
    let clock = Clock::start();
    let target = upstream::start(clock, Awake::default()).unwrap();
    let plan = open::Plan {
        connections: 4,
        pace: open::Pace::Every(Duration::from_millis(1)),
        duration: Duration::from_millis(8),
    };
    for (scenario, gap) in [
        ("stream", 0),
        ("stream", 2),
        ("responses-chat", 2),
        ("messages-chat", 2),
        ("gemini-chat", 2),
    ] {
        let prompt = Prompt::Stream(StreamShape {
            chunks: 5,
            gap: Duration::from_millis(gap),
        });
        let scenario = named(scenario).unwrap();
        let aim = Aim {
            target,
            request: &|connection| scenario.request(prompt, connection),
        };
        let seen = open::run(plan, clock, aim).unwrap();
        assert_eq!((seen.whole.len(), seen.first.len(), seen.chunks.len()), (8, 8, 40));
    }
}

#[test]
fn a_saturated_upstream_answers_in_every_dialect() {
    let awake = Awake::default();
    let target = upstream::start(Clock::start(), awake.clone()).unwrap();
    let plan = saturate::Plan {
        connections: 8,
        warm_up: Duration::from_millis(10),
        window: Duration::from_millis(50),
    };
    for (name, prompt) in [
        ("passthrough", Prompt::Short),
        ("prompt-128k", Prompt::Long),
        ("responses-chat", Prompt::Tools),
        ("messages-chat", Prompt::Tools),
        ("gemini-chat", Prompt::Tools),
    ] {
        let scenario = named(name).unwrap();
        let aim = Aim {
            target,
            request: &|connection| scenario.request(prompt, connection),
        };
        let seen = saturate::run(plan, aim, &awake, || Ok(Duration::ZERO)).unwrap();
        assert!(seen.requests > 0 && seen.wall >= plan.window);
    }
}
