use super::*;
use rcgen::{CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, KeyPair, date_time_ymd};

/// 2026-01-01 and 2026-01-02, seconds since the Unix epoch.
const FROM: i64 = 1_767_225_600;
const DAY: i64 = 86_400;

fn issuer() -> CertifiedIssuer<'static, KeyPair> {
    let mut authority = CertificateParams::default();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap()
}

/// What an operator answers: valid for the first of January.
fn signed(request: &Request) -> String {
    let mut asked = CertificateSigningRequestParams::from_pem(request.pem()).expect("its signature is checked here");
    asked.params.not_before = date_time_ymd(2026, 1, 1);
    asked.params.not_after = date_time_ymd(2026, 1, 2);
    asked.signed_by(&issuer()).unwrap().pem()
}

fn certificate(draw: f64) -> Certificate {
    let request = Request::new().unwrap();
    let pem = signed(&request);
    request.answered(pem.as_bytes(), FROM, draw).unwrap()
}

#[test]
fn a_request_names_nobody_and_is_signed_by_its_key() {
    let request = Request::new().unwrap();
    let asked = CertificateSigningRequestParams::from_pem(request.pem()).unwrap();
    assert_eq!(asked.params.distinguished_name.iter().count(), 0);
    assert!(asked.params.subject_alt_names.is_empty());
    assert_ne!(Request::new().unwrap().pem(), request.pem(), "every key is another");
}

#[test]
fn it_is_presented_for_four_fifths_of_its_life_and_renewed_long_before() {
    let certificate = certificate(0.0);
    assert_eq!(certificate.ends_at(), FROM + DAY);
    for (share, expected) in [(0.0, true), (0.79, true), (0.81, false), (1.5, false)] {
        #[expect(clippy::cast_possible_truncation, reason = "a share of a day")]
        let at = FROM + (DAY as f64 * share) as i64;
        assert_eq!(certificate.presentable(at).is_some(), expected, "{share}");
    }
    assert_eq!(certificate.renew_at(), FROM + DAY / 2);
    assert_eq!(self::certificate(1.0).renew_at(), FROM + DAY * 65 / 100);
}

#[test]
fn what_has_little_or_nothing_left_is_not_renewed_all_the_time() {
    for (left, expected) in [(3600, 1800), (20, 10), (10, 5), (3, 5), (0, 600), (-3600, 600)] {
        assert_eq!(renew_at(FROM, FROM + left, 0.0), FROM + expected, "{left} s are left");
    }
}

#[test]
fn an_answer_that_is_no_certificate_of_ours_is_told() {
    let others = signed(&Request::new().unwrap());
    let no_certificate = der::pem("CERTIFICATE", b"\x30\x03abc");
    for (answer, expected) in [
        ("", CertificateError::Missing),
        ("{\"error\": \"no\"}", CertificateError::Missing),
        (
            "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n",
            CertificateError::Missing,
        ),
        (&no_certificate, CertificateError::Unreadable),
        (&others, CertificateError::OtherKey),
    ] {
        let refused = Request::new().unwrap().answered(answer.as_bytes(), FROM, 0.0);
        assert_eq!(refused.unwrap_err(), expected, "{answer}");
    }
}

#[test]
fn the_validity_is_read_in_both_spellings_of_a_time() {
    // Before 2050 two digits make the year, from then on four.
    for (year, until) in [(2049, 2_493_072_000), (2050, 2_524_608_000)] {
        let mut params = CertificateParams::default();
        params.not_before = date_time_ymd(1970, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        assert_eq!(der::validity(certificate.der()), Some(Validity { from: 0, until }));
    }
}

#[test]
fn a_certificate_that_is_cut_short_anywhere_has_no_validity() {
    let certificate = CertificateParams::default()
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap();
    let der = certificate.der();
    assert!(der::validity(der).is_some());
    for end in 0..der.len() {
        assert_eq!(der::validity(&der[..end]), None, "cut at {end}");
    }
}
