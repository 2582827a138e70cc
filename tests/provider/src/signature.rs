//! Signatures of thinking: made by a fake, verified by every fake, byte for byte.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const NONCE: usize = 16;
const MAC: usize = 64;

/// A signature of `thinking` that is unlike that of the same thinking under another `nonce`.
pub(crate) fn sign(thinking: &str, nonce: &str) -> String {
    seal("pilotfish fake provider: signature", thinking, nonce)
}

/// Whether a fake signed this thinking, and not a byte was changed since.
pub(crate) fn verify(thinking: &str, signature: &str) -> bool {
    opens("pilotfish fake provider: signature", thinking, signature)
}

/// The data of thinking that nobody may read.
pub(crate) fn redact(nonce: &str) -> String {
    seal("pilotfish fake provider: redacted", "", nonce)
}

/// Whether a fake made this data.
pub(crate) fn is_redacted(data: &str) -> bool {
    opens("pilotfish fake provider: redacted", "", data)
}

/// Reasoning that only `account` can read again.
pub(crate) fn encrypt(account: &str, nonce: &str) -> String {
    format!("gAAA{}", seal("pilotfish fake provider: encrypted", account, nonce))
}

/// Whether `account` has encrypted it.
pub(crate) fn decrypts(account: &str, data: &str) -> bool {
    let sealed = data.strip_prefix("gAAA");
    sealed.is_some_and(|sealed| opens("pilotfish fake provider: encrypted", account, sealed))
}

fn seal(purpose: &str, text: &str, nonce: &str) -> String {
    let mut bytes = vec![0; NONCE];
    blake3::Hasher::new_derive_key("pilotfish fake provider: nonce")
        .update(nonce.as_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    let mac = mac(purpose, text, &bytes);
    bytes.extend_from_slice(&mac);
    STANDARD.encode(bytes)
}

fn opens(purpose: &str, text: &str, sealed: &str) -> bool {
    let Ok(bytes) = STANDARD.decode(sealed) else {
        return false;
    };
    bytes
        .split_at_checked(NONCE)
        .is_some_and(|(nonce, found)| found == mac(purpose, text, nonce))
}

fn mac(purpose: &str, text: &str, nonce: &[u8]) -> [u8; MAC] {
    let mut mac = [0; MAC];
    let mut hasher = blake3::Hasher::new_derive_key(purpose);
    hasher
        .update(nonce)
        .update(text.as_bytes())
        .finalize_xof()
        .fill(&mut mac);
    mac
}

/// An identifier: the prefix and `length` letters and digits that follow from the parts.
pub(crate) fn id(prefix: &str, length: usize, parts: &[&str]) -> String {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut hasher = blake3::Hasher::new_derive_key("pilotfish fake provider: id");
    hasher.update(prefix.as_bytes());
    for part in parts {
        hasher.update(part.as_bytes()).update(b"\0");
    }
    let mut bytes = vec![0; length];
    hasher.finalize_xof().fill(&mut bytes);
    let letter = |byte: &u8| {
        ALPHABET
            .get(usize::from(*byte) % ALPHABET.len())
            .copied()
            .map_or('0', char::from)
    };
    bytes.iter().fold(prefix.to_owned(), |mut id, byte| {
        id.push(letter(byte));
        id
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_text_or_signature_is_seen() {
        let signature = sign("let me think", "1");
        assert!(verify("let me think", &signature));
        assert_ne!(signature, sign("let me think", "2"));
        assert!(!verify("let me thing", &signature));
        assert!(!verify("let me think", &signature.replacen(|_: char| true, "B", 1)));
        assert!(!verify("let me think", signature.trim_end_matches('=')));
        assert!(is_redacted(&redact("1")) && !is_redacted(&signature));
        assert!(decrypts("mine", &encrypt("mine", "1")) && !decrypts("yours", &encrypt("mine", "1")));
    }
}
