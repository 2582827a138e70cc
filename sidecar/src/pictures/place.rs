//! Where a picture is said to be.

use super::FetchError;
use http::Uri;
use http::uri::PathAndQuery;
use std::net::IpAddr;

/// Longest URL that is followed, bytes.
const LONGEST: usize = 2048;

/// A URL, as far as it is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) secure: bool,
    /// In lower case; of an address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// As the URL has host and port.
    pub(super) authority: String,
    pub(super) path: PathAndQuery,
}

impl Place {
    pub(super) fn parse(url: &str) -> Result<Self, FetchError> {
        let uri: Uri = if url.len() <= LONGEST {
            url.parse().map_err(|_| FetchError::Url)?
        } else {
            return Err(FetchError::Url);
        };
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(FetchError::Url),
        };
        let authority = uri.authority().ok_or(FetchError::Url)?;
        // A user's name is what makes https://listed.example@evil.example look like the one that is listed.
        if authority.as_str().contains('@') || authority.host().ends_with('.') || authority.host().is_empty() {
            return Err(FetchError::Url);
        }
        let usual = if secure { 443 } else { 80 };
        let bare = authority.host().trim_start_matches('[').trim_end_matches(']');
        Ok(Self {
            secure,
            host: bare.to_ascii_lowercase(),
            port: authority.port_u16().unwrap_or(usual),
            authority: authority.as_str().to_owned(),
            path: uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/")),
        })
    }

    /// Where a redirect leads: another URL, or a path of the same host. What was encrypted stays so.
    pub(super) fn leads_to(&self, location: &str) -> Result<Self, FetchError> {
        if location.starts_with('/') && !location.starts_with("//") {
            let path = location.split('#').next().unwrap_or_default();
            let path = path.parse().map_err(|_| FetchError::Url)?;
            return Ok(Self { path, ..self.clone() });
        }
        let next = Self::parse(location)?;
        if self.secure && !next.secure {
            return Err(FetchError::Url);
        }
        Ok(next)
    }

    /// The address that the URL names itself.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_urls_are_followed() {
        for (url, expected) in [
            (
                "https://img.example/a.png?x=1#y",
                Some((true, "img.example", 443, "/a.png?x=1")),
            ),
            ("http://IMG.example", Some((false, "img.example", 80, "/"))),
            ("https://img.example:8443/", Some((true, "img.example", 8443, "/"))),
            ("https://[2001:db8::1]/a", Some((true, "2001:db8::1", 443, "/a"))),
            ("https://listed.example@evil.example/", None),
            ("https://img.example./a", None),
            ("ftp://img.example/a", None),
            ("file:///etc/passwd", None),
            ("//img.example/a", None),
            ("gopher://img.example", None),
            ("https://", None),
            ("https:///a", None),
            ("", None),
        ] {
            let place = Place::parse(url).ok();
            let found = place
                .as_ref()
                .map(|place| (place.secure, &*place.host, place.port, place.path.as_str()));
            assert_eq!(found, expected, "{url}");
        }
        assert!(Place::parse(&format!("https://img.example/{}", "a".repeat(LONGEST))).is_err());
    }

    #[test]
    fn a_redirect_leads_to_a_path_or_another_url_and_never_to_less_safety() {
        let from = Place::parse("https://img.example/a").unwrap();
        for (location, expected) in [
            ("/b?c#d", Some("img.example /b?c")),
            ("https://cdn.example/b", Some("cdn.example /b")),
            ("http://img.example/b", None),
            ("//cdn.example/b", None),
            ("b", None),
            ("", None),
        ] {
            let place = from.leads_to(location).ok();
            let found = place.map(|place| format!("{} {}", place.host, place.path));
            assert_eq!(found.as_deref(), expected, "{location}");
        }
    }
}
