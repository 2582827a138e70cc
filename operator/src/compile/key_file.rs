//! The key file of a Google service account, judged before anybody calls with it.
//!
//! What is wrong is said without a word of the file.

use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;

/// What a sidecar needs of it, all texts.
const NEEDED: [&str; 4] = ["type", "client_email", "private_key", "token_uri"];

/// What keeps it from being used, as what follows its name in a sentence.
pub(super) fn fault(text: &str) -> Option<String> {
    let Ok(Value::Object(file)) = serde_json::from_str(text) else {
        return Some("is not a JSON object, which a service account's key file is".to_owned());
    };
    let said = |field: &str| file.get(field).and_then(Value::as_str).filter(|said| !said.is_empty());
    if let Some(missing) = NEEDED.into_iter().find(|field| said(field).is_none()) {
        return Some(format!("has no {missing}, which a service account's key file has"));
    }
    if said("type") != Some("service_account") {
        return Some("is of another type than service_account".to_owned());
    }
    let key = said("private_key").unwrap_or_default();
    let is_key = PrivatePkcs8KeyDer::from_pem_slice(key.as_bytes()).is_ok();
    (!is_key).then(|| "has a private_key that is no PKCS#8 key in PEM form".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_file_s_fault_is_named_and_nothing_of_it_told() {
        let pem = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
        let file = |change: Value| {
            let mut file = json!({"type": "service_account", "client_email": "a@b", "private_key": pem,
                "token_uri": "https://oauth2.googleapis.com/token"});
            for (key, value) in change.as_object().into_iter().flatten() {
                file[key] = value.clone();
            }
            file.to_string()
        };
        let cases = [
            (file(json!({})), None),
            ("s3cret".to_owned(), Some("is not a JSON object")),
            ("[\"s3cret\"]".to_owned(), Some("is not a JSON object")),
            (file(json!({"client_email": null})), Some("has no client_email")),
            (file(json!({"token_uri": ""})), Some("has no token_uri")),
            (file(json!({"private_key": 3})), Some("has no private_key")),
            (file(json!({"type": "s3cret"})), Some("is of another type")),
            (
                file(json!({"private_key": "s3cret"})),
                Some("has a private_key that is no"),
            ),
        ];
        for (text, expected) in cases {
            let fault = fault(&text);
            let begins = |fault: &String| expected.is_some_and(|expected| fault.starts_with(expected));
            assert!(fault.as_ref().map_or(expected.is_none(), begins), "{text}: {fault:?}");
            assert!(fault.is_none_or(|fault| !fault.contains("s3cret")));
        }
    }
}
