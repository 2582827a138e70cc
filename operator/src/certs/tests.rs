//! Real handshakes with what an Authority makes, at chosen times.

use super::*;
use crate::metrics::Metrics;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, KeyUsagePurpose, PKCS_ED25519};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection};
use tokio::time::Instant;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

const NAME: &str = "pilotfish-operator.pilotfish-system.svc";
const HOUR: i64 = 60 * 60;

/// Whose roots last 12 hours, and what they sign an hour.
fn authority() -> Arc<Authority> {
    let names = vec![NAME.to_owned(), "127.0.0.1".to_owned()];
    Authority::new(names, Duration::from_secs(12 * 60 * 60), Metrics::new().unwrap())
}

impl Authority {
    /// One with a root, as tests of its users need it.
    pub(crate) fn ready(names: Vec<String>) -> Arc<Self> {
        let authority = Self::new(names, DEFAULT_LIFETIME, Metrics::new().unwrap());
        let root = Root::make(authority.schedule.term(now())).unwrap();
        authority.adopt(vec![Arc::new(root)], now()).unwrap();
        authority
    }
}

/// Handshakes judge by the true time.
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn root(made: i64) -> Arc<Root> {
    let schedule = Schedule::new(Duration::from_secs(12 * 60 * 60));
    Arc::new(Root::make(schedule.term(made)).unwrap())
}

fn request(key: &KeyPair) -> String {
    let mut params = CertificateParams::new(vec!["evil.example".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.serialize_request(key).unwrap().pem().unwrap()
}

/// A client that trusts `bundle` and may have a certificate.
fn client(bundle: &str, identity: Option<(String, &KeyPair)>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
        roots.add(root.unwrap()).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    match identity {
        None => builder.with_no_client_auth(),
        Some((pem, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()];
            let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    }
}

/// Both ends in memory, until neither has anything to say. Answers whether the client showed a certificate.
fn handshake(server: Arc<ServerConfig>, client: ClientConfig, name: &'static str) -> Result<bool, rustls::Error> {
    let mut server = ServerConnection::new(server)?;
    let mut client = ClientConnection::new(Arc::new(client), ServerName::try_from(name).unwrap())?;
    while client.wants_write() || server.wants_write() {
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        server.read_tls(&mut bytes.as_slice()).unwrap();
        server.process_new_packets()?;
        bytes.clear();
        server.write_tls(&mut bytes).unwrap();
        client.read_tls(&mut bytes.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok(server.peer_certificates().is_some())
}

fn config(authority: &Authority) -> Arc<ServerConfig> {
    authority.sidecars().borrow().clone().unwrap()
}

fn bundle(authority: &Authority) -> Arc<str> {
    authority.trust().borrow().clone()
}

#[test]
fn a_sidecar_that_trusts_the_bundle_is_served_with_and_without_a_certificate() {
    let authority = authority();
    authority.adopt(vec![root(now())], now()).unwrap();
    let bundle = bundle(&authority);
    let key = KeyPair::generate().unwrap();
    let pem = authority
        .certify(request(&key).as_bytes(), &["spiffe://x/y".to_owned()], now())
        .unwrap();
    let with = client(&bundle, Some((pem, &key)));
    assert_eq!(handshake(config(&authority), with, NAME), Ok(true));
    assert_eq!(handshake(config(&authority), client(&bundle, None), NAME), Ok(false));
    assert_eq!(
        handshake(config(&authority), client(&bundle, None), "127.0.0.1"),
        Ok(false)
    );
    assert!(handshake(config(&authority), client(&bundle, None), "other.example").is_err());
}

#[test]
fn what_another_authority_signed_is_refused_on_either_side() {
    let (ours, theirs) = (authority(), authority());
    ours.adopt(vec![root(now())], now()).unwrap();
    theirs.adopt(vec![root(now())], now()).unwrap();
    let key = KeyPair::generate().unwrap();
    let pem = theirs.certify(request(&key).as_bytes(), &[], now()).unwrap();
    let foreign = client(&bundle(&ours), Some((pem, &key)));
    let refused = handshake(config(&ours), foreign, NAME).unwrap_err();
    assert!(matches!(refused, rustls::Error::InvalidCertificate(_)), "{refused:?}");
    assert!(handshake(config(&ours), client(&bundle(&theirs), None), NAME).is_err());
}

#[test]
fn a_serving_certificate_is_none_of_a_client() {
    let authority = authority();
    let root = root(now());
    authority.adopt(vec![Arc::clone(&root)], now()).unwrap();
    let served = root.serve(&[NAME.to_owned()], now(), authority.schedule).unwrap();
    let key = KeyPair::from_pkcs8_der_and_sign_algo(&served.key, &rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let pem = pem_of(&served.certificate);
    let posing = client(&bundle(&authority), Some((pem, &key)));
    assert!(handshake(config(&authority), posing, NAME).is_err());
}

fn pem_of(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine;
    let body = base64::engine::general_purpose::STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

#[test]
fn a_request_decides_the_key_and_nothing_else() {
    let authority = authority();
    authority.adopt(vec![root(now())], now()).unwrap();
    let key = KeyPair::generate().unwrap();
    let uris = ["spiffe://pilotfish.dev/ns/shop/pod/web/1".to_owned()];
    let pem = authority.certify(request(&key).as_bytes(), &uris, now()).unwrap();
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    let names = certificate.subject_alternative_name().unwrap().unwrap();
    assert_eq!(names.value.general_names, [GeneralName::URI(&uris[0])]);
    assert!(!certificate.is_ca());
    assert_eq!(certificate.subject().to_string(), "CN=pilotfish sidecar");
    let lifetime = certificate.validity().not_after.timestamp() - now();
    assert!((HOUR - 5..=HOUR).contains(&lifetime), "{lifetime}");
}

#[test]
fn a_request_that_cannot_be_signed_gets_a_sentence() {
    let authority = authority();
    authority.adopt(vec![root(now())], now()).unwrap();
    let good = request(&KeyPair::generate().unwrap());
    let other = request(&KeyPair::generate_for(&PKCS_ED25519).unwrap());
    // The last byte but one of the signature's Base64.
    let mut forged = good.clone().into_bytes();
    let place = good.find("\n-----END").unwrap() - 6;
    forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
    for (request, sentence) in [
        (b"hello".to_vec(), "the body is no PEM certificate request"),
        (
            good.replace("CERTIFICATE REQUEST", "CERTIFICATE").into_bytes(),
            "the body is no PEM certificate request",
        ),
        (
            other.into_bytes(),
            "the key of the certificate request is not on the curve P-256",
        ),
        (forged, "the certificate request is not signed by its own key"),
    ] {
        let error = authority.certify(&request, &[], now()).unwrap_err();
        assert_eq!(error.to_string(), sentence);
    }
}

#[test]
fn before_there_is_a_root_nothing_is_served_and_nothing_signed() {
    let authority = authority();
    assert_eq!(&*bundle(&authority), "");
    assert!(authority.sidecars().borrow().is_none());
    let request = request(&KeyPair::generate().unwrap());
    let error = authority.certify(request.as_bytes(), &[], now()).unwrap_err();
    assert_eq!(error.to_string(), "the certificate authority has not been read yet");
}

#[test]
fn through_a_rotation_old_and_new_certificates_are_both_taken() {
    let authority = authority();
    let key = KeyPair::generate().unwrap();
    let certificate = || authority.certify(request(&key).as_bytes(), &[], now()).unwrap();
    let works = |pem: String, bundle: &str| {
        let client = client(bundle, Some((pem, &key)));
        assert_eq!(handshake(config(&authority), client, NAME), Ok(true));
    };
    let old = root(now() - 9 * HOUR);
    authority.adopt(vec![Arc::clone(&old)], now()).unwrap();
    let (old_bundle, old_certificate) = (bundle(&authority), certificate());

    // Its successor spreads: it is trusted, and the old one signs.
    authority.adopt(vec![Arc::clone(&old), root(now())], now()).unwrap();
    works(certificate(), &old_bundle);

    // An hour later the new one signs.
    let new = root(now() - HOUR);
    authority.adopt(vec![old, Arc::clone(&new)], now()).unwrap();
    let both = bundle(&authority);
    works(old_certificate, &both);
    works(certificate(), &both);

    // The old one is gone.
    authority.adopt(vec![new], now()).unwrap();
    works(certificate(), &bundle(&authority));
    let outdated = client(&old_bundle, None);
    assert!(handshake(config(&authority), outdated, NAME).is_err());
}

#[test]
fn a_certificate_of_a_clock_that_was_ahead_is_replaced_when_it_is_right_again() {
    let authority = authority();
    let start = now();
    let first = root(start);
    let mut served = authority.certificate.subscribe();
    for (hour, renewed) in [(3, true), (1, true), (1, false)] {
        authority.adopt(vec![Arc::clone(&first)], start + hour * HOUR).unwrap();
        assert_eq!(served.has_changed().unwrap(), renewed, "at {hour}:00");
        served.mark_unchanged();
    }
}

#[test]
fn the_serving_certificate_is_renewed_in_time_and_when_another_root_signs() {
    let authority = authority();
    let start = now();
    let (first, second) = (root(start), root(start + 8 * HOUR));
    let mut served = authority.certificate.subscribe();
    for (hour, minute, roots, renewed) in [
        (0, 0, vec![&first], true),
        (0, 39, vec![&first], false),
        (0, 40, vec![&first], true),
        (8, 0, vec![&first, &second], true),
        (8, 30, vec![&first, &second], false),
        (9, 0, vec![&first, &second], true),
        (9, 30, vec![&second], false),
    ] {
        let roots = roots.into_iter().cloned().collect();
        authority.adopt(roots, start + hour * HOUR + minute * 60).unwrap();
        assert_eq!(served.has_changed().unwrap(), renewed, "at {hour}:{minute}");
        served.mark_unchanged();
    }
    let exposition = authority.metrics.exposition(Instant::now()).unwrap();
    for (certificate, ends) in [("authority", start + 20 * HOUR), ("serving", start + 10 * HOUR)] {
        let line =
            format!("pilotfish_operator_certificate_expiry_timestamp_seconds{{certificate=\"{certificate}\"}} {ends}");
        assert!(exposition.contains(&line), "no {line} in\n{exposition}");
    }
}

#[test]
fn what_a_secret_held_is_read_again_and_one_bad_entry_spoils_only_itself() {
    let roots = [root(now() - HOUR), root(now())];
    let mut data = stored::write(&roots);
    let (read, unreadable) = stored::read(&data);
    let terms: Vec<_> = read.iter().map(|root| root.term).collect();
    assert_eq!(terms, roots.each_ref().map(|root| root.term));
    assert_eq!(stored::write(&read), data);
    assert!(unreadable.is_empty());

    let foreign = root(now()).key_pem();
    let entry = format!("{}.key", roots[0].term.made);
    data.insert(entry, k8s_openapi::ByteString(foreign.into_bytes()));
    let (read, unreadable) = stored::read(&data);
    assert_eq!(read.len(), 1);
    let sentence = format!("{}.crt: certificate is not that of its key", roots[0].term.made);
    assert_eq!(unreadable, [sentence]);
}

#[test]
fn a_pair_that_may_sign_nothing_is_no_root() {
    let read = |is_ca, usages: &[KeyUsagePurpose]| {
        let mut params = CertificateParams::default();
        params.is_ca = is_ca;
        params.key_usages = usages.to_vec();
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Root::read(&certificate, &key.serialize_pem()).map(drop)
    };
    let authority = || IsCa::Ca(BasicConstraints::Unconstrained);
    assert!(read(authority(), &[KeyUsagePurpose::KeyCertSign]).is_ok());
    assert!(read(authority(), &[]).is_ok(), "a key of no particular use");
    for (is_ca, usages) in [
        (IsCa::NoCa, &[][..]),
        (IsCa::ExplicitNoCa, &[KeyUsagePurpose::KeyCertSign]),
        (authority(), &[KeyUsagePurpose::DigitalSignature]),
    ] {
        let error = read(is_ca, usages).unwrap_err();
        assert!(matches!(error, Error::NoAuthority), "{error}");
    }
}
