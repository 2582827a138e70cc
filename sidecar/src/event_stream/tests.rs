use super::*;
use proptest::prelude::*;

/// A header with a string.
fn header(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(name.len()).unwrap()];
    bytes.extend(name.as_bytes());
    bytes.push(7);
    bytes.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
    bytes.extend(value.as_bytes());
    bytes
}

fn message(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = u32::try_from(PRELUDE + headers.len() + payload.len() + CHECKSUM).unwrap();
    let mut bytes = total.to_be_bytes().to_vec();
    bytes.extend(u32::try_from(headers.len()).unwrap().to_be_bytes());
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes.extend(headers);
    bytes.extend(payload);
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

/// A message that is an event.
pub(crate) fn event(name: &str, payload: &str) -> Vec<u8> {
    let headers = [
        header(":event-type", name),
        header(":content-type", "application/json"),
        header(":message-type", "event"),
    ];
    message(&headers.concat(), payload.as_bytes())
}

/// A message that ends a stream.
pub(crate) fn exception(name: &str, payload: &str) -> Vec<u8> {
    let headers = [header(":exception-type", name), header(":message-type", "exception")];
    message(&headers.concat(), payload.as_bytes())
}

/// Every kind of message and of header.
fn stream() -> Vec<u8> {
    let mut all_types = Vec::new();
    for (kind, value) in [
        (0, vec![]),
        (1, vec![]),
        (2, vec![1]),
        (3, vec![1; 2]),
        (4, vec![1; 4]),
        (5, vec![1; 8]),
        (6, vec![0, 2, 1, 1]),
        (8, vec![1; 8]),
        (9, vec![1; 16]),
    ] {
        all_types.extend([2, b'h', b'0' + kind, kind]);
        all_types.extend(value);
    }
    all_types.extend(header(":event-type", "typed"));
    let error = [
        header(":message-type", "error"),
        header(":error-code", "InternalError"),
        header(":error-message", "it broke"),
    ];
    [
        event("messageStart", "{\"role\":\"assistant\"}"),
        message(&all_types, b"x"),
        message(&[], b""),
        exception("throttlingException", "{\"message\":\"slow down\"}"),
        message(&error.concat(), b""),
    ]
    .concat()
}

type Understood = Result<(Kind, Option<String>, Vec<u8>), Error>;

fn understood(block: &[u8]) -> Vec<Understood> {
    let owned = |message: Message<'_>| (message.kind, message.name.map(str::to_owned), message.payload.to_vec());
    messages(block).map(|message| message.map(owned)).collect()
}

fn framed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Understood> {
    let mut framer = Framer::default();
    let mut all = Vec::new();
    for piece in pieces {
        all.extend(understood(&framer.push(Bytes::copy_from_slice(piece))));
        // Nobody reads on behind what is wrong.
        if all.last().is_some_and(Result::is_err) {
            return all;
        }
    }
    all.extend(understood(&framer.finish()));
    all
}

fn expected() -> Vec<Understood> {
    let one = |kind, name: &str, payload: &str| {
        Ok((
            kind,
            Some(name.to_owned()).filter(|name| !name.is_empty()),
            payload.as_bytes().to_vec(),
        ))
    };
    vec![
        one(Kind::Event, "messageStart", "{\"role\":\"assistant\"}"),
        one(Kind::Event, "typed", "x"),
        one(Kind::Event, "", ""),
        one(Kind::Exception, "throttlingException", "{\"message\":\"slow down\"}"),
        one(Kind::Error, "InternalError", "it broke"),
    ]
}

/// An event called `chunk` with the payload `{"a":1}`, as botocore's decoder takes it.
const BY_BOTOCORE: &str = "000000620000004b67de635c0b3a6576656e742d747970650700056368756e6b0d3a636f6e74656e742d7479706507001061\
    70706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b2261223a317d9150a922";

#[test]
fn a_stream_is_understood_however_it_is_cut() {
    let stream = stream();
    assert_eq!(framed([&stream[..]]), expected());
    assert_eq!(framed(stream.chunks(1)), expected());
    for at in 0..=stream.len() {
        assert_eq!(framed([&stream[..at], &stream[at..]]), expected(), "cut at {at}");
        let again = (at + 17).min(stream.len());
        let pieces = [&stream[..at], &stream[at..again], &stream[again..]];
        assert_eq!(framed(pieces), expected(), "cut at {at} and {again}");
    }
}

#[test]
fn a_stream_that_breaks_off_ends_within_a_message() {
    let stream = event("messageStop", "{\"stopReason\":\"end_turn\"}");
    for end in 1..stream.len() {
        assert_eq!(framed([&stream[..end]]), [Err(Error::Truncated)], "{end}");
    }
}

#[test]
fn a_damaged_message_is_refused_after_those_before_it() {
    let (good, bad) = (event("a", "1"), event("b", "2"));
    let first = framed([&good[..]]);
    for at in 0..bad.len() {
        let mut damaged = bad.clone();
        damaged[at] ^= 0x40;
        let stream = [good.clone(), damaged, good.clone()].concat();
        let expected = if at < PRELUDE { Error::Prelude } else { Error::Checksum };
        let found = framed([&stream[..]]);
        assert_eq!(found[..1], first, "{at}");
        assert_eq!(found[1], Err(expected), "{at}");
        assert_eq!(framed(stream.chunks(1)), found, "{at}");
    }
}

#[test]
fn absurd_lengths_and_headers_are_refused() {
    let prelude = |total: u32, headers: u32| {
        let mut bytes = [total.to_be_bytes(), headers.to_be_bytes()].concat();
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes
    };
    let cases = [
        (prelude(u32::MAX, 0), Error::TooLong),
        (prelude(16 * 1024 * 1024 + 1, 0), Error::TooLong),
        (prelude(0, 0), Error::Prelude),
        (prelude(15, 0), Error::Prelude),
        (prelude(1024, 1024), Error::Prelude),
        (prelude(1024 * 1024, 200 * 1024), Error::Prelude),
        (message(&[200, b'x'], b""), Error::Headers),
        (message(&[1, b'x'], b""), Error::Headers),
        (message(&[1, b'x', 7, 0, 9, b'y'], b""), Error::Headers),
        (message(&[1, b'x', 10], b""), Error::Headers),
    ];
    for (stream, expected) in cases {
        assert_eq!(framed([&stream[..]]), [Err(expected)], "{stream:?}");
    }
}

#[test]
fn what_another_decoder_takes_is_read() {
    let pairs = BY_BOTOCORE
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap());
    let bytes: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
    assert_eq!(
        framed([&bytes[..]]),
        [Ok((Kind::Event, Some("chunk".to_owned()), b"{\"a\":1}".to_vec()))]
    );
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), damage in any::<(prop::sample::Index, u8)>()) {
        framed([&bytes[..]]);
        let mut stream = stream();
        let at = damage.0.index(stream.len());
        stream[at] = damage.1;
        let whole = framed([&stream[..]]);
        prop_assert_eq!(framed(stream.chunks(5)), whole);
    }
}
