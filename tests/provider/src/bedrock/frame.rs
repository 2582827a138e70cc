//! AWS's event stream, written: a prelude, headers of strings, a payload, two checksums.

/// Part of an answer.
pub(super) fn event(name: &str, payload: &str) -> Vec<u8> {
    let headers = [
        (":event-type", name),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    message(&headers, payload)
}

/// The end of an answer by a failure.
pub(super) fn exception(kind: &str, payload: &str) -> Vec<u8> {
    let mut letters = kind.chars();
    let name: String = letters
        .next()
        .map(|first| first.to_ascii_lowercase())
        .into_iter()
        .chain(letters)
        .collect();
    let headers = [
        (":exception-type", name.as_str()),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    message(&headers, payload)
}

fn message(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
    let headers: Vec<u8> = headers.iter().flat_map(|(name, value)| header(name, value)).collect();
    let mut bytes = Vec::with_capacity(headers.len() + payload.len() + 16);
    bytes.extend(length(headers.len() + payload.len() + 16));
    bytes.extend(length(headers.len()));
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes.extend(headers);
    bytes.extend(payload.as_bytes());
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

fn header(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(name.len()).expect("the names above are short")];
    bytes.extend(name.as_bytes());
    bytes.push(7);
    bytes.extend(
        u16::try_from(value.len())
            .expect("the values above are short")
            .to_be_bytes(),
    );
    bytes.extend(value.as_bytes());
    bytes
}

fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).expect("a fake's events are short").to_be_bytes()
}
