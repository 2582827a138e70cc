//! Which headers go to the provider, and which come back.

use super::super::authenticate::carries_a_key;
use crate::dialect::{ClientDialect, Dialect, Framer, Framing};
use crate::policy::Upstream;
use http::header::{self, ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use pilotfish_wire::Hosting;
use smallvec::SmallVec;

/// Client headers that never go upstream: they belong to this connection, or speak to the sidecar. The compiler looks at
/// the length first, which is quicker here than a search in a list.
fn stays_here(name: &str) -> bool {
    let is_ours = name.starts_with("x-") && NOT_SENT_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    is_ours
        || matches!(
            name,
            "accept-encoding" // answers are read here: ours to say
                | "connection"
                | "content-length"
                | "cookie"
                | "expect"
                | "forwarded"
                | "host"
                | "keep-alive"
                | "openai-organization" // of an account that is not the provider's key's
                | "openai-project"
                | "proxy-authorization"
                | "proxy-connection"
                | "te"
                | "trailer"
                | "transfer-encoding"
                | "upgrade"
                | "via"
                | "x-goog-user-project"
                | "x-real-ip"
        )
}

/// Prefixes of client headers that never go upstream.
const NOT_SENT_PREFIXES: [&str; 3] = ["x-pilotfish-", "x-litellm-", "x-forwarded-"];

/// What a provider of another dialect understands of a client's headers.
const SENT_ACROSS: [&str; 5] = ["idempotency-key", "traceparent", "tracestate", "baggage", "user-agent"];

/// Answer headers that stay here: they belong to the upstream's connection, to its browser clients, or to its account.
fn is_not_returned(name: &str) -> bool {
    matches!(
        name,
        "alt-svc"
            | "connection"
            | "content-encoding" // what is compressed goes no further
            | "content-length" // written anew from the body
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-connection"
            | "set-cookie"
            | "strict-transport-security"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            // Whose account the deployment's key belongs to is nothing that an application knows.
            | "anthropic-organization-id"
            | "openai-organization"
            | "openai-project"
            // Ours to say, and an upstream may be one of us.
            | "x-should-retry"
            | "x-pilotfish-cost"
            | "x-pilotfish-explain"
            | "x-pilotfish-loss"
            | "x-litellm-response-cost"
    )
}

/// nginx's word for "do not hold this back", which other proxies read, too.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// Without the header any coding would do (RFC 9110, 12.5.3).
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");
const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");
/// What an upstream of this dialect is told where the client, who speaks another, names none.
const DEFAULT_ANTHROPIC_VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// The headers of a call.
pub(super) fn upstream(client: &HeaderMap, from: ClientDialect, to: &Upstream, stream: bool) -> HeaderMap {
    let same = from.native() == to.dialect && to.hosting != Some(Hosting::BedrockInvoke);
    let mut headers = if same { same_dialect(client) } else { across(client) };
    // It was read as JSON, whatever the client's tool calls it: `curl -d` says that it is a form.
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, IDENTITY);
    if !same {
        let accepted = if stream {
            Framer::media_type(to.dialect, to.hosting)
        } else {
            "application/json"
        };
        headers.insert(ACCEPT, HeaderValue::from_static(accepted));
    }
    if to.dialect == Dialect::Messages && to.hosting.is_none() {
        headers.entry(ANTHROPIC_VERSION).or_insert(DEFAULT_ANTHROPIC_VERSION);
    }
    to.standing.apply(&mut headers);
    headers
}

/// Nearly all headers go, so copying the whole map and taking a few out is cheaper than building another one.
fn same_dialect(client: &HeaderMap) -> HeaderMap {
    let stays = |(name, value): &(&HeaderName, &HeaderValue)| stays_here(name.as_str()) || carries_a_key(name, value);
    let mut headers = client.clone();
    for (name, _) in client.iter().filter(stays) {
        headers.remove(name);
    }
    without_hops(&mut headers, client);
    headers
}

/// Takes out what `Connection` names as belonging to the connection.
fn without_hops(headers: &mut HeaderMap, client: &HeaderMap) {
    for named in client.get_all(header::CONNECTION) {
        without_named(headers, named);
    }
}

fn without_named(headers: &mut HeaderMap, named: &HeaderValue) {
    for name in named.to_str().unwrap_or_default().split(',') {
        headers.remove(name.trim());
    }
}

fn across(client: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(12);
    for (name, value) in client {
        if SENT_ACROSS.contains(&name.as_str()) && !carries_a_key(name, value) {
            headers.append(name.clone(), value.clone());
        }
    }
    headers
}

/// The answer says that it is no stream: some providers answer a stream's error so, under a status of success.
pub(super) fn is_json(head: &http::response::Parts) -> bool {
    head.headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

/// How an answer's body is compressed, although it was not to be.
pub(super) fn coding(head: &http::response::Parts) -> Option<&str> {
    let named = head.headers.get_all(CONTENT_ENCODING).iter();
    let mut codings = named
        .flat_map(|value| value.to_str().unwrap_or("unreadable").split(','))
        .map(str::trim);
    codings.find(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"))
}

/// Takes out of an answer's headers what is not the client's.
pub(super) fn returned(headers: &mut HeaderMap, translated: bool, stream: Option<Framing>) {
    if let Some(named) = headers.get(header::CONNECTION).cloned() {
        without_named(headers, &named);
    }
    let mut dropped: SmallVec<[HeaderName; 8]> = SmallVec::new();
    dropped.extend(headers.keys().filter(|name| is_not_returned(name.as_str())).cloned());
    for name in dropped {
        headers.remove(name);
    }
    let kind = match stream {
        Some(Framing::Events) => "text/event-stream; charset=utf-8",
        Some(Framing::Array) | None => "application/json",
    };
    if translated || stream == Some(Framing::Array) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    if stream.is_some() {
        headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_is_named_unless_it_is_none() {
        for (sent, expected) in [
            (&[][..], None),
            (&["identity"], None),
            (&["", " Identity "], None),
            (&["gzip"], Some("gzip")),
            (&["identity, br"], Some("br")),
            (&["identity", "zstd"], Some("zstd")),
        ] {
            let mut response = http::Response::new(());
            for value in sent {
                let value = HeaderValue::from_static(value);
                response.headers_mut().append(CONTENT_ENCODING, value);
            }
            let (head, ()) = response.into_parts();
            assert_eq!(coding(&head), expected, "{sent:?}");
        }
    }

    #[test]
    fn what_speaks_to_the_sidecar_stays_here() {
        for (name, expected) in [
            ("anthropic-beta", true),
            ("x-stainless-lang", true),
            ("traceparent", true),
            ("x-pilotfish-tags", false),
            ("x-litellm-tags", false),
            ("accept-encoding", false),
            ("cookie", false),
            ("x-forwarded-for", false),
        ] {
            assert_eq!(!stays_here(name), expected, "{name}");
        }
    }
}
