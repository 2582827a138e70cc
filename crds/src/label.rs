//! What Kubernetes takes for a label's key and value, and for the names of objects.
//!
//! A selector that asks for anything else selects nothing, or with `NotIn` everything, whatever there is: nobody means
//! that. The same is written as CEL in [`crate::rules`].

/// The longest name: of a label without its domain, of a label's value, or of a namespace.
const LONGEST_NAME: usize = 63;
/// The longest domain before a label's name.
const LONGEST_DOMAIN: usize = 253;

/// Whether a label may have this key: a name, and perhaps a domain and a `/` before it.
pub fn is_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((domain, name)) => is_subdomain(domain) && is_name(name),
        None => is_name(key),
    }
}

/// Whether a label may have this value.
pub fn is_value(value: &str) -> bool {
    value.is_empty() || is_name(value)
}

/// Whether it is a domain in lower case: what objects are called.
pub fn is_subdomain(domain: &str) -> bool {
    domain.len() <= LONGEST_DOMAIN && domain.split('.').all(is_dns_label)
}

/// Whether it may be one part of a domain that stands alone: what namespaces are called.
pub fn is_namespace(name: &str) -> bool {
    name.len() <= LONGEST_NAME && is_dns_label(name)
}

fn is_name(name: &str) -> bool {
    let is_outer = |c: char| c.is_ascii_alphanumeric();
    name.len() <= LONGEST_NAME && is_framed(name, is_outer, |c| is_outer(c) || "-_.".contains(c))
}

fn is_dns_label(part: &str) -> bool {
    let is_outer = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    is_framed(part, is_outer, |c| is_outer(c) || c == '-')
}

/// Whether `text` is something that starts and ends well and has nothing else between.
fn is_framed(text: &str, is_outer: impl Fn(char) -> bool, is_inner: impl Fn(char) -> bool) -> bool {
    text.starts_with(&is_outer) && text.ends_with(&is_outer) && text.chars().all(is_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_those_that_an_api_server_takes() {
        let (name, domain) = ("n".repeat(63), "d".repeat(253));
        let (too_long, full) = (format!("{name}n"), format!("{domain}/{name}"));
        for key in [
            "app",
            "a",
            "App_1.x-y",
            "app.kubernetes.io/name",
            "a/B",
            "1/2",
            &name,
            &full,
        ] {
            assert!(is_key(key), "{key}");
        }
        let too_wide = format!("{domain}d/n");
        let bad = [
            "", "bad key!", "-a", "a-", "a/", "/a", "a/b/c", "A/b", "a..b/c", "a_b/c", "é", "a\n", &too_long, &too_wide,
        ];
        for key in bad {
            assert!(!is_key(key), "{key}");
        }
        for value in ["", "gold", "Z_1", "1.2-3", &name] {
            assert!(is_value(value), "{value}");
        }
        for value in ["bad value!", " ", "-", "a-", ".a", "a/b", "é", "a\n", &too_long] {
            assert!(!is_value(value), "{value}");
        }
    }

    #[test]
    fn names_of_objects_are_domains_and_those_of_namespaces_one_part_of_them() {
        for (name, object, namespace) in [
            ("a.b-c", true, false),
            ("shop", true, true),
            (&"n".repeat(63), true, true),
            (&"n".repeat(64), true, false),
            (&"n".repeat(254), false, false),
            ("Upper", false, false),
            ("a..b", false, false),
            ("-a", false, false),
            ("", false, false),
        ] {
            assert_eq!((is_subdomain(name), is_namespace(name)), (object, namespace), "{name}");
        }
    }
}
