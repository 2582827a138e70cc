//! The hosts from which a policy lets pictures be fetched.

/// Names; one that begins with `*.` stands for every name that ends in the rest, at any depth, and not for the rest itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts(Vec<Box<str>>);

impl Hosts {
    pub(crate) fn new(hosts: impl IntoIterator<Item = String>) -> Self {
        let lower = |host: String| host.to_ascii_lowercase().into_boxed_str();
        Self(hosts.into_iter().map(lower).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `host`, in lower case, is listed.
    pub(super) fn list(&self, host: &str) -> bool {
        self.0.iter().any(|listed| match listed.strip_prefix('*') {
            Some(end) => host
                .strip_suffix(end)
                .is_some_and(|name| !name.is_empty() && !name.starts_with('.')),
            None => **listed == *host,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Hosts;

    #[test]
    fn a_name_is_listed_or_ends_in_what_is() {
        let hosts = Hosts::new(["img.example.com", "*.CDN.example"].map(str::to_owned));
        for (host, listed) in [
            ("img.example.com", true),
            ("example.com", false),
            ("a.img.example.com", false),
            ("a.cdn.example", true),
            ("a.b.cdn.example", true),
            ("cdn.example", false),
            (".cdn.example", false),
            ("evilcdn.example", false),
            ("a.cdn.example.evil", false),
            ("", false),
        ] {
            assert_eq!(hosts.list(host), listed, "{host}");
        }
        assert!(!Hosts::default().list("img.example.com"));
    }
}
