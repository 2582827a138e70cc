use super::*;
use proptest::prelude::*;

/// An event as it was understood: its name and its data.
type Understood = (Option<String>, Vec<u8>);

fn understood(block: &[u8]) -> Vec<Understood> {
    events(block)
        .map(|event| (event.name.map(str::to_owned), event.data.into_owned()))
        .collect()
}

/// Feeds the pieces; what was understood, all blocks joined, and what was left.
fn framed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Understood>, Vec<u8>, Bytes) {
    let mut framer = Framer::default();
    let (mut all, mut bytes) = (Vec::new(), Vec::new());
    for piece in pieces {
        let block = framer.push(Bytes::copy_from_slice(piece)).unwrap();
        let raws: Vec<u8> = events(&block).flat_map(|event| event.raw.to_vec()).collect();
        assert!(raws.is_empty() || raws == block, "the events of a block are the block");
        all.extend(understood(&block));
        bytes.extend_from_slice(&block);
    }
    (all, bytes, framer.finish())
}

fn event(name: &str, data: &str) -> Understood {
    (Some(name.to_owned()).filter(|name| !name.is_empty()), data.into())
}

/// Every kind of line end, field, comment and blank line that a stream may hold.
const NASTY: &[u8] = b"\xef\xbb\xbf: hello\n\ndata: one\n\nevent: two\r\ndata: {\"a\":1}\r\n\r\ndata:three\rdata:  3\r\r\
    data: four\r\ndata:\ndata\rdata: 4\n\r\n\n\r\r\n\n:\r\n\r\nevent:five\nid: 7\nretry: 1\nevent: cinq\ndata: \xf0\x9f\x98\x80\n\n\
    data: a:b \n\r\rdatax: no\nDATA: no\n data: no\n\n\xef\xbb\xbfdata: six\n\ndata: [DONE]\r\n\r\nevent: left\ndata: over\n";

fn expected_of_nasty() -> Vec<Understood> {
    vec![
        event("", ""),
        event("", "one"),
        event("two", "{\"a\":1}"),
        event("", "three\n 3"),
        event("", "four\n\n\n4"),
        event("", ""),
        event("cinq", "😀"),
        event("", "a:b "),
        event("", ""),
        event("", "six"),
        event("", "[DONE]"),
    ]
}

const LEFT_OF_NASTY: &[u8] = b"event: left\ndata: over\n";

/// However the nasty stream is cut, nothing about it changes.
fn check_nasty<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) {
    let (understood, bytes, left) = framed(pieces);
    assert_eq!(understood, expected_of_nasty());
    assert_eq!(&left[..], LEFT_OF_NASTY);
    assert_eq!([&bytes[..], &left].concat(), NASTY);
}

#[test]
fn a_stream_in_one_piece_is_understood() {
    check_nasty([NASTY]);
}

#[test]
fn a_stream_cut_once_at_any_byte_is_the_same_stream() {
    (0..=NASTY.len()).for_each(|at| check_nasty([&NASTY[..at], &NASTY[at..]]));
}

#[test]
fn a_stream_cut_twice_at_any_bytes_is_the_same_stream() {
    for first in 0..=NASTY.len() {
        (first..=NASTY.len()).for_each(|last| check_nasty([&NASTY[..first], &NASTY[first..last], &NASTY[last..]]));
    }
}

#[test]
fn a_stream_in_single_bytes_is_the_same_stream() {
    check_nasty(NASTY.chunks(1));
}

/// Streams of everything that means something, in any order.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let pieces: &[&[u8]] = &[
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"data",
        b": ",
        b":",
        b"event",
        b"x",
        b" ",
        b"\xef\xbb\xbf",
        b"\xff",
        b"data: y",
    ];
    prop::collection::vec(proptest::sample::select(pieces), 0..40).prop_map(|pieces| pieces.concat())
}

/// The same, by the letter: line by line over the whole stream, nothing fast.
fn slowly(stream: &[u8]) -> Vec<Understood> {
    let text = String::from_utf8(
        stream
            .iter()
            .map(|byte| if *byte == 0xff { b'?' } else { *byte })
            .collect(),
    )
    .unwrap();
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<_> = text.split('\n').collect();
    lines.pop();
    let mut all = Vec::new();
    let mut event: Option<(Option<String>, Vec<String>)> = None;
    for line in lines {
        let line = if event.is_none() {
            line.trim_start_matches('\u{feff}')
        } else {
            line
        };
        if line.is_empty() {
            all.extend(event.take().map(|(name, data)| (name, data.join("\n").into_bytes())));
            continue;
        }
        let (name, data) = event.get_or_insert_default();
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => *name = Some(value.to_owned()),
            "data" => data.push(value.to_owned()),
            _ => {}
        }
    }
    all
}

proptest! {
    #[test]
    fn any_stream_cut_anywhere_gives_the_same_bytes_and_events(
        stream in stream(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let (cut, bytes, left) = framed(cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]));
        prop_assert_eq!([&bytes[..], &left].concat(), stream.as_slice());
        prop_assert_eq!(&framed([&stream[..]]).0, &cut);
        prop_assert_eq!(&framed(stream.chunks(1)).0, &cut);
    }

    #[test]
    fn any_stream_is_understood_as_the_standard_reads_it(stream in stream()) {
        prop_assume!(!stream.contains(&0xff));
        prop_assert_eq!(framed([&stream[..]]).0, slowly(&stream));
    }

    #[test]
    fn nothing_makes_the_reader_fail(block in prop::collection::vec(any::<u8>(), 0..64)) {
        let raws: Vec<u8> = events(&block).flat_map(|event| event.raw.to_vec()).collect();
        prop_assert!(raws.is_empty() || raws == block);
    }
}

#[test]
fn an_event_leaves_as_soon_as_its_blank_line_is_there() {
    for (blank, after) in [
        ("\n\n", ""),
        ("\r\r", ""),
        ("\r\n\r\n", ""),
        ("\r\n\r", "\n"),
        ("\n\r", "\n"),
    ] {
        let mut framer = Framer::default();
        assert_eq!(framer.push("data: ".into()).unwrap(), "");
        assert_eq!(
            framer.push(format!("x{blank}").into()).unwrap(),
            format!("data: x{blank}")
        );
        assert_eq!(
            framer.push(after.into()).unwrap(),
            after,
            "the LF of a CRLF does not wait for the next event"
        );
        assert_eq!(framer.finish(), "");
    }
}

#[test]
fn whole_events_are_slices_of_the_chunk_they_came_in() {
    let chunk = Bytes::from("data: 1\n\ndata: 2\n\ndata: 3");
    let mut framer = Framer::default();
    let block = framer.push(chunk.clone()).unwrap();
    assert_eq!(block, "data: 1\n\ndata: 2\n\n");
    assert_eq!(block.as_ptr(), chunk.as_ptr());
    let next = Bytes::from("\n\ndata: 4\n\n");
    assert_eq!(framer.push(next).unwrap(), "data: 3\n\ndata: 4\n\n");
    let last = Bytes::from("data: 5\n\n");
    assert_eq!(framer.push(last.clone()).unwrap().as_ptr(), last.as_ptr());
}

#[test]
fn data_of_one_line_is_borrowed() {
    let borrowed = |block: &[u8]| events(block).all(|event| matches!(event.data, Cow::Borrowed(_)));
    assert!(borrowed(b": comment\n\nevent: a\ndata: {}\n\n"));
    assert!(!borrowed(b"data: {\ndata: }\n\n"));
}

#[test]
fn a_name_that_is_not_utf_8_is_no_name() {
    assert_eq!(understood(b"event: \xff\ndata: x\n\n"), [event("", "x")]);
    assert_eq!(
        understood(b"event: a\nevent\ndata: x\n\n"),
        [(Some(String::new()), b"x".to_vec())]
    );
}

#[test]
fn an_unfinished_event_can_be_read_when_the_stream_has_ended() {
    let (_, _, left) = framed([b"data: 1\n\nevent: error\ndata: cut".as_slice()]);
    assert_eq!(understood(&left), [event("error", "cut")]);
}

#[test]
fn an_event_beyond_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let mut framer = Framer::default();
    let piece = Bytes::from(vec![b'x'; MAX_EVENT / 4]);
    for _ in 0..4 {
        assert_eq!(framer.push(piece.clone()), Ok(Bytes::new()));
    }
    assert_eq!(framer.push(Bytes::from_static(b"x")), Err(TooLong));
    assert_eq!(
        framer.push(Bytes::from_static(b"\n\n")).map(|block| block.len()),
        Ok(MAX_EVENT + 2)
    );
    assert_eq!(framer.push(Bytes::from(vec![b'x'; MAX_EVENT + 1])), Err(TooLong));
}

#[test]
fn many_small_events_may_be_longer_than_one_may_be() {
    let mut framer = Framer::default();
    let chunk = Bytes::from(b"data: x\n\n".repeat(MAX_EVENT / 9 + 1));
    assert_eq!(framer.push(chunk.clone()), Ok(chunk));
}

#[test]
fn a_long_event_in_single_bytes_is_searched_once() {
    // A search from the start at each byte would be 2^39 steps and not end.
    let mut framer = Framer::default();
    let event = [b"data: ".as_slice(), &vec![b'x'; 1 << 20], b"\n\n"].concat();
    let block = event
        .iter()
        .map(|byte| framer.push(Bytes::copy_from_slice(&[*byte])).unwrap())
        .find(|b| !b.is_empty());
    assert_eq!(block.unwrap(), event);
}
