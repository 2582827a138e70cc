//! The roots as the Secret `pilotfish-ca` holds them: for each a certificate and a key, named by the second in which it
//! was made, and for people who look, the bundle as `ca.crt`.

use super::Error;
use super::root::Root;
use k8s_openapi::ByteString;
use std::collections::BTreeMap;
use std::sync::Arc;

const BUNDLE: &str = "ca.crt";
const CERTIFICATE: &str = ".crt";
const KEY: &str = ".key";

/// `Secret.data`.
pub(super) type Data = BTreeMap<String, ByteString>;

/// The roots of `data`, and what is wrong with each entry that is none, which one edit must not make fatal.
pub(super) fn read(data: &Data) -> (Vec<Arc<Root>>, Vec<String>) {
    let mut roots = Vec::new();
    let mut unreadable = Vec::new();
    for (entry, certificate) in data.iter().filter(|(entry, _)| *entry != BUNDLE) {
        let Some(name) = entry.strip_suffix(CERTIFICATE) else {
            continue;
        };
        match root(certificate, data.get(&format!("{name}{KEY}"))) {
            Ok(root) => roots.push(Arc::new(root)),
            Err(error) => unreadable.push(format!("{entry}: {error}")),
        }
    }
    (roots, unreadable)
}

fn root(certificate: &ByteString, key: Option<&ByteString>) -> Result<Root, Error> {
    let certificate = str::from_utf8(&certificate.0).map_err(|_| Error::Unreadable)?;
    let key = key
        .and_then(|key| str::from_utf8(&key.0).ok())
        .ok_or(Error::ForeignKey)?;
    Root::read(certificate, key)
}

/// What the Secret is to hold.
pub(super) fn write(roots: &[Arc<Root>]) -> Data {
    let entry = |name: String, text: String| (name, ByteString(text.into_bytes()));
    let entries = roots.iter().flat_map(|root| {
        let made = root.term.made;
        [
            entry(format!("{made}{CERTIFICATE}"), root.certificate_pem.clone()),
            entry(format!("{made}{KEY}"), root.key_pem()),
        ]
    });
    entries.chain([entry(BUNDLE.to_owned(), bundle(roots))]).collect()
}

/// The certificates of all `roots`, the oldest first.
pub(super) fn bundle(roots: &[Arc<Root>]) -> String {
    let mut roots: Vec<&Arc<Root>> = roots.iter().collect();
    roots.sort_by_key(|root| root.term.made);
    roots.iter().map(|root| root.certificate_pem.as_str()).collect()
}
