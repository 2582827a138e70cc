//! URLs, and what makes two of them the same.

use super::*;

#[test]
fn a_url_gives_authority_and_paths() {
    for (url, authority, path) in [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", "/chat/completions"),
        ("http://127.0.0.1:8000/", "127.0.0.1:8000", "/chat/completions"),
        ("http://[::1]:8000/v1", "[::1]:8000", "/v1/chat/completions"),
        ("http://vllm.models.svc/v1/", "vllm.models.svc", "/v1/chat/completions"),
        ("HTTP://Host/a/b%20c", "Host", "/a/b%20c/chat/completions"),
        ("http://under_score:1/v1", "under_score:1", "/v1/chat/completions"),
    ] {
        let endpoint = Endpoint::parse(url, None, "").unwrap();
        assert_eq!(
            (
                endpoint.authority(),
                endpoint.path("/chat/completions").unwrap().as_str()
            ),
            (authority, path)
        );
    }
}

#[test]
fn a_url_that_cannot_be_called_is_refused_with_a_sentence() {
    for (url, sentence) in [
        ("", "the endpoint's url is not a url: empty string"),
        (
            "https://exa mple",
            "the endpoint's url is not a url: invalid uri character",
        ),
        ("api.openai.com/v1", "the endpoint's url is not a url: invalid format"),
        ("/v1", "the endpoint's url must start with http:// or https://"),
        ("ftp://host", "the endpoint's url must start with http:// or https://"),
        ("https://sk-canary@host", USER_INFO),
        ("https://user:sk-canary@host/v1", USER_INFO),
        (
            "https://host/v1?api-version=1",
            "the endpoint's url must not have a query",
        ),
        (
            "http://host:0",
            "the port of the endpoint's url must be between 1 and 65535",
        ),
        (
            "http://host:65536",
            "the port of the endpoint's url must be between 1 and 65535",
        ),
        (
            "http://host:",
            "the port of the endpoint's url must be between 1 and 65535",
        ),
        (
            "http://a..b",
            "the host \"a..b\" of the endpoint's url is neither a DNS name nor an address",
        ),
    ] {
        assert_eq!(
            Endpoint::parse(url, None, "").unwrap_err().to_string(),
            sentence,
            "{url}"
        );
    }
}

const USER_INFO: &str = "the endpoint's url must not have a user name or password; a key belongs into the credentials";

#[test]
fn connections_are_shared_where_host_port_roots_and_credential_agree() {
    let bundle = super::certificates::Authority::new().bundle();
    let other = super::certificates::Authority::new().bundle();
    let of = |url: &str, bundle: Option<&str>, version: &str| Endpoint::parse(url, bundle, version).unwrap().identity;
    let this = of("https://host/v1", Some(&bundle), "1");
    for (same, identity) in [
        (true, of("https://host:443/another/path", Some(&bundle), "1")),
        (true, of("https://HOST", Some(&bundle), "1")),
        (false, of("http://host", Some(&bundle), "1")),
        (false, of("https://host:444", Some(&bundle), "1")),
        (false, of("https://host2", Some(&bundle), "1")),
        (false, of("https://host", Some(&other), "1")),
        (false, of("https://host", Some(&bundle), "2")),
        (false, of("https://host", Some(&format!("{bundle}1")), "")),
    ] {
        assert_eq!(this == identity, same);
    }
}

#[test]
fn one_bundle_is_one_configuration_and_plain_http_needs_none() {
    let bundle = super::certificates::Authority::new().bundle();
    let config = |url: &str| Endpoint::parse(url, Some(&bundle), "").unwrap();
    let (one, two) = (config("https://one"), config("https://two"));
    assert!(Arc::ptr_eq(
        &one.tls.as_ref().unwrap().config,
        &two.tls.as_ref().unwrap().config
    ));
    assert!(config("http://one").tls.is_none());
}

#[test]
fn the_usual_roots_are_there_without_a_bundle() {
    let endpoint = Endpoint::parse("https://api.example.com", None, "").unwrap();
    assert_eq!((endpoint.port, endpoint.tls.is_some()), (443, true));
    assert_eq!(format!("{endpoint:?}"), "Endpoint(https://api.example.com)");
}
