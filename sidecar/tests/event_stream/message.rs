//! Messages of AWS's event streams, written: lengths, their checksum, headers, the payload, the checksum of all.

/// A message; one whose name says so is an exception.
pub(crate) fn message(name: &str, payload: &[u8]) -> Vec<u8> {
    let headers = match name.ends_with("Exception") {
        true => [header(":exception-type", name), header(":message-type", "exception")].concat(),
        false => [header(":event-type", name), header(":message-type", "event")].concat(),
    };
    let length = |length: usize| u32::try_from(length).expect("tests are short").to_be_bytes();
    let mut bytes = length(16 + headers.len() + payload.len()).to_vec();
    bytes.extend(length(headers.len()));
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes.extend(headers);
    bytes.extend(payload);
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

fn header(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(name.len()).expect("names are short")];
    bytes.extend(name.as_bytes());
    bytes.push(7);
    bytes.extend(u16::try_from(value.len()).expect("values are short").to_be_bytes());
    bytes.extend(value.as_bytes());
    bytes
}
