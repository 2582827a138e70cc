//! An answer's body, read up to a limit.

use crate::body::Held;
use crate::upstream::UpstreamBody;
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use std::pin::Pin;

/// What came of it.
pub(super) enum Collected {
    /// All of it.
    Whole(Bytes),
    /// What was read, and the body it stands before.
    Long(Bytes, UpstreamBody),
    /// The permits were refused.
    NoMemory,
}

/// Reads an answer up to a limit, against permits when they are given.
pub(super) async fn collect(
    mut body: UpstreamBody,
    limit: usize,
    mut held: Option<&mut Held>,
) -> Result<Collected, String> {
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    loop {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        let data = match frame {
            None => return Ok(Collected::Whole(if whole.is_empty() { first } else { whole.freeze() })),
            Some(Err(error)) => return Err(error.to_string()),
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
        };
        if held.as_deref_mut().is_some_and(|held| !held.grow(data.len() as u64)) {
            return Ok(Collected::NoMemory);
        }
        if first.is_empty() && whole.is_empty() {
            first = data;
        } else {
            whole.extend_from_slice(&first);
            first.clear();
            whole.extend_from_slice(&data);
        }
        let read = first.len() + whole.len();
        if read > limit {
            return Ok(Collected::Long(
                if whole.is_empty() { first } else { whole.freeze() },
                body,
            ));
        }
    }
}
