//! An identity as the names of a certificate, and back.
//!
//! ```text
//! spiffe://pilotfish.dev/ns/shop/pod/web-1/8c2f…      the pod and its uid
//! spiffe://pilotfish.dev/ns/shop/sa/web               its ServiceAccount
//! spiffe://pilotfish.dev/ns/shop/workload/Deployment/web
//! ```

use super::{Refused, Verified};
use crate::watch::PodUid;
use crate::world::ObjectName;
use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

const TRUST_DOMAIN: &str = "spiffe://pilotfish.dev/ns/";

impl Verified {
    /// The names of its certificate.
    pub fn uris(&self) -> Vec<String> {
        let Self {
            pod: ObjectName { namespace, name },
            uid,
            service_account,
            workload,
        } = self;
        let named = |rest: String| format!("{TRUST_DOMAIN}{namespace}/{rest}");
        vec![
            named(format!("pod/{name}/{uid}")),
            named(format!("sa/{service_account}")),
            named(format!("workload/{workload}")),
        ]
    }
}

/// The same identity again, if its names can be told apart in a certificate. Those of Kubernetes can; a controller's
/// kind and name are only as regular as whoever wrote them into the pod.
pub(super) fn certifiable(verified: Verified) -> Result<Verified, Refused> {
    match read(&verified.uris()) {
        Some(read) if read == verified => Ok(verified),
        _ => Err(Refused::Untrusted(format!(
            "pod {} belongs to {:?}, which is no name of a controller",
            verified.pod, verified.workload
        ))),
    }
}

/// Whose certificate this is. That it is one of ours was checked by the handshake.
pub fn of_certificate(certificate: &CertificateDer<'_>) -> Result<Verified, Refused> {
    let uris = uris_of(certificate).unwrap_or_default();
    read(&uris).ok_or_else(|| Refused::Unproven("the client certificate does not name a pod".to_owned()))
}

fn uris_of(certificate: &CertificateDer<'_>) -> Option<Vec<String>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let names = parsed.subject_alternative_name().ok()??;
    let uris = names.value.general_names.iter().map(|name| match name {
        GeneralName::URI(uri) => Some((*uri).to_owned()),
        _ => None,
    });
    uris.collect()
}

fn read(uris: &[String]) -> Option<Verified> {
    let [pod, account, workload] = uris else { return None };
    let (namespace, [name, uid]) = parts(pod, "pod")?;
    let (also, [service_account]) = parts(account, "sa")?;
    let (too, [kind, controller]) = parts(workload, "workload")?;
    (namespace == also && namespace == too).then(|| Verified {
        pod: ObjectName::new(namespace, name),
        uid: PodUid::new(uid),
        service_account: service_account.to_owned(),
        workload: format!("{kind}/{controller}"),
    })
}

/// Namespace, and the `N` parts after `what`.
fn parts<'u, const N: usize>(uri: &'u str, what: &str) -> Option<(&'u str, [&'u str; N])> {
    let (namespace, rest) = uri.strip_prefix(TRUST_DOMAIN)?.split_once('/')?;
    let rest = rest.strip_prefix(what)?.strip_prefix('/')?;
    let parts: Vec<&str> = rest.split('/').collect();
    let all_plain = is_plain(namespace) && parts.iter().all(|part| is_plain(part));
    let parts: [&str; N] = parts.try_into().ok()?;
    all_plain.then_some((namespace, parts))
}

/// Whether it has only what Kubernetes allows in a name, or in a kind.
fn is_plain(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':');
    !part.is_empty() && part.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Verified {
        /// One that nobody verified, for tests of what is served to whom.
        pub(crate) fn unproven(namespace: &str, name: &str, uid: &str) -> Self {
            Self {
                pod: ObjectName::new(namespace, name),
                uid: PodUid::new(uid),
                service_account: "web".to_owned(),
                workload: "Deployment/web".to_owned(),
            }
        }
    }

    fn verified(workload: &str) -> Verified {
        Verified {
            workload: workload.to_owned(),
            ..Verified::unproven("shop", "web-1", "8c2f")
        }
    }

    #[test]
    fn an_identity_is_read_from_its_names_again() {
        let uris = verified("Deployment/web").uris();
        assert_eq!(
            uris,
            [
                "spiffe://pilotfish.dev/ns/shop/pod/web-1/8c2f",
                "spiffe://pilotfish.dev/ns/shop/sa/web",
                "spiffe://pilotfish.dev/ns/shop/workload/Deployment/web",
            ]
        );
        assert_eq!(read(&uris), Some(verified("Deployment/web")));
    }

    #[test]
    fn names_that_could_be_those_of_another_are_none() {
        let [pod, account, workload] = <[String; 3]>::try_from(verified("Deployment/web").uris()).unwrap();
        for uris in [
            vec![pod.clone(), account.clone()],
            vec![account.clone(), pod.clone(), workload.clone()],
            vec![pod.replace("shop", "ai"), account.clone(), workload.clone()],
            vec![pod.replace("web-1", "web-1/x"), account.clone(), workload.clone()],
            vec![pod.replace("/8c2f", "/"), account.clone(), workload.clone()],
            vec![pod.replace("pilotfish.dev", "evil.example"), account, workload],
        ] {
            assert_eq!(read(&uris), None, "{uris:?}");
        }
    }

    #[test]
    fn a_controller_with_the_name_of_something_else_is_refused() {
        assert!(certifiable(verified("Deployment/web")).is_ok());
        for workload in ["Deployment/a/b", "Deploy ment/web", "Deployment/", "web", "Ünit/web"] {
            let refused = certifiable(verified(workload)).unwrap_err();
            let sentence = format!("pod shop/web-1 belongs to {workload:?}, which is no name of a controller");
            assert_eq!(refused.to_string(), sentence);
        }
    }
}
