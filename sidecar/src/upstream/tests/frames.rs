//! The other side of an HTTP/2 connection, frame by frame: a real server would not refuse, go away or fall silent at the
//! moment a test asks for.

use super::certificates::Secure;
use super::script::Script;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

const MAX_CONCURRENT_STREAMS: u16 = 3;

pub(super) const NO_ERROR: u32 = 0;
pub(super) const INTERNAL_ERROR: u32 = 2;
pub(super) const REFUSED_STREAM: u32 = 7;
pub(super) const CANCEL: u32 = 8;

/// An upstream's end of a connection.
pub(super) struct Frames {
    script: Script<TlsStream<TcpStream>>,
}

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Frames {
    /// The next connection, with the settings exchanged.
    pub(super) async fn accept(secure: &Secure, most_streams: u32) -> Self {
        let mut script = Script::new(secure.accept().await.unwrap());
        assert_eq!(script.read_exactly(24).await, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        let mut frames = Self { script };
        let settings = [&MAX_CONCURRENT_STREAMS.to_be_bytes()[..], &most_streams.to_be_bytes()].concat();
        frames.write(SETTINGS, 0, 0, &settings).await;
        frames
    }

    /// The next stream whose request is there as a whole, and its body. Requests that mix with others are not for this.
    pub(super) async fn request(&mut self) -> (u32, Vec<u8>) {
        let mut body = Vec::new();
        loop {
            let frame = self.frame().await;
            if frame.kind == DATA {
                body.extend_from_slice(&frame.payload);
            }
            if matches!(frame.kind, HEADERS | DATA) && frame.flags & END_STREAM != 0 {
                return (frame.stream, body);
            }
        }
    }

    /// The next stream that is opened, whether its body follows or not.
    pub(super) async fn opened(&mut self) -> u32 {
        self.next(HEADERS).await.stream
    }

    /// The stream that was reset, and why.
    pub(super) async fn reset(&mut self) -> (u32, u32) {
        let frame = self.next(RST_STREAM).await;
        (frame.stream, u32::from_be_bytes(frame.payload.try_into().unwrap()))
    }

    /// Answers with 200 and `text`.
    pub(super) async fn answer(&mut self, stream: u32, text: &str) {
        self.head(stream).await;
        self.write(DATA, END_STREAM, stream, text.as_bytes()).await;
    }

    /// `:status: 200`, and a body to follow.
    pub(super) async fn head(&mut self, stream: u32) {
        self.write(HEADERS, END_HEADERS, stream, &[0x88]).await;
    }

    pub(super) async fn data(&mut self, stream: u32, text: &str) {
        self.write(DATA, 0, stream, text.as_bytes()).await;
    }

    pub(super) async fn resets(&mut self, stream: u32, code: u32) {
        self.write(RST_STREAM, 0, stream, &code.to_be_bytes()).await;
    }

    pub(super) async fn goes_away(&mut self, last_stream: u32, code: u32) {
        let payload = [last_stream.to_be_bytes(), code.to_be_bytes()].concat();
        self.write(GOAWAY, 0, 0, &payload).await;
    }

    /// Lets `more` bytes come, on the connection and the stream.
    pub(super) async fn grants(&mut self, stream: u32, more: u32) {
        for stream in [0, stream] {
            self.write(WINDOW_UPDATE, 0, stream, &more.to_be_bytes()).await;
        }
    }

    /// Returns when the other side has gone.
    pub(super) async fn is_gone(&mut self) {
        self.script.is_gone().await;
    }

    async fn next(&mut self, kind: u8) -> Frame {
        loop {
            let frame = self.frame().await;
            if frame.kind == kind {
                return frame;
            }
        }
    }

    async fn frame(&mut self) -> Frame {
        let head = self.script.read_exactly(9).await;
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
        let payload = self.script.read_exactly(number(&head[..3]) as usize).await;
        let frame = Frame {
            kind: head[3],
            flags: head[4],
            stream: number(&head[5..]),
            payload,
        };
        if frame.kind == SETTINGS && frame.flags & ACK == 0 {
            self.write(SETTINGS, ACK, 0, &[]).await;
        }
        frame
    }

    async fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        self.script.write([&head, payload].concat()).await;
    }
}
