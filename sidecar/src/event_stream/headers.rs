//! The headers of a message: a name, a type, and a value whose length the type tells or the value begins with.

/// The headers that say what a message is; all others are passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub(super) message_type: Option<&'a str>,
    pub(super) event_type: Option<&'a str>,
    pub(super) exception_type: Option<&'a str>,
    pub(super) error_code: Option<&'a str>,
    pub(super) error_message: Option<&'a str>,
}

/// A string's type; the others are only measured.
const STRING: u8 = 7;

/// Reads all headers; `None` where one cannot be read.
pub(super) fn read(mut bytes: &[u8]) -> Option<Named<'_>> {
    let mut named = Named::default();
    while let Some((length, rest)) = bytes.split_first() {
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let (kind, rest) = rest.split_first()?;
        let (value, rest) = value(*kind, rest)?;
        bytes = rest;
        if *kind != STRING {
            continue;
        }
        let place = match name {
            b":message-type" => &mut named.message_type,
            b":event-type" => &mut named.event_type,
            b":exception-type" => &mut named.exception_type,
            b":error-code" => &mut named.error_code,
            b":error-message" => &mut named.error_message,
            _ => continue,
        };
        *place = std::str::from_utf8(value).ok();
    }
    Some(named)
}

/// A value of this type, and what follows.
fn value(kind: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = match kind {
        // True and false.
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        // A number of 64 bits, and a time.
        5 | 8 => 8,
        // A UUID.
        9 => 16,
        6 | STRING => {
            let (length, rest) = bytes.split_first_chunk::<2>()?;
            return rest.split_at_checked(usize::from(u16::from_be_bytes(*length)));
        }
        _ => return None,
    };
    bytes.split_at_checked(length)
}
