//! The CEL rules, each with its one sentence.
//!
//! `(rule, message)`. The API server evaluates the rule; the operator's `validate` decides the same in Rust and says
//! the same message, so that a person reads one sentence whoever was asked. A new rule needs both, and a row in the
//! table of bad documents.

/// Headers that belong to the connection or to the body, which only the sidecar can set rightly.
pub const FRAMING_HEADERS: [&str; 12] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A rule and its message.
pub type Rule = (&'static str, &'static str);

/// On a duration.
pub const DURATION_ABOVE_ZERO: Rule = ("duration(self) > duration('0s')", "a duration must be more than zero");

/// On a URL.
pub const PLAIN_URL: Rule = (
    r"self.matches(r'^https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[^?#\s]*)?$')",
    "a URL must start with http:// or https:// and have a host, and may have no user, query or fragment",
);

/// On a list of hosts: names of the internet, not of a network of one's own.
pub const HOSTS_OF_THE_INTERNET: Rule = (
    "self.all(host, host.matches('^([*][.])?([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z][a-z0-9-]*[a-z0-9]$') && \
     !host.matches('[.](local|internal|svc|localhost|localdomain)$'))",
    "a host must be a DNS name in lower case with at least one dot, perhaps with *. before it, and none of a private network",
);

/// On an endpoint: its trusted certificates have a use.
pub const CA_BUNDLE_NEEDS_TLS: Rule = (
    "!has(self.caBundle) || !has(self.url) || self.url.startsWith('https://')",
    "caBundle needs an https URL, there is no certificate to check on http",
);

/// On a bundle of certificates.
pub const CA_BUNDLE_IS_PEM: Rule = (
    "self.contains('-----BEGIN CERTIFICATE-----')",
    "caBundle must hold at least one certificate in PEM form (-----BEGIN CERTIFICATE-----)",
);

/// On a header's name.
pub const HEADER_NAME_IN_LOWER_CASE: Rule = (
    "self.matches('^[a-z0-9!#$%&\\'*+.^_|~-]+$')",
    "a header name must be written in lower case, without spaces or colons",
);

/// On a list of header names.
pub const HEADER_NAMES_IN_LOWER_CASE: Rule = (
    "self.all(name, name.matches('^[a-z0-9!#$%&\\'*+.^_|~-]+$'))",
    HEADER_NAME_IN_LOWER_CASE.1,
);

/// On the name of a header that a deployment adds.
pub const HEADER_IS_NOT_FRAMING: Rule = (
    "!(self in ['accept-encoding', 'connection', 'content-encoding', 'content-length', 'content-type', 'expect', \
     'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'])",
    "this header belongs to the connection or the body and is set by the sidecar alone",
);

/// On a header that a deployment adds.
pub const ONE_HEADER_SOURCE: Rule = (
    "has(self.value) != has(self.valueFrom)",
    "exactly one of value and valueFrom must be set",
);

/// On credentials.
pub const ONE_CREDENTIAL: Rule = (
    "[has(self.secretKeyRef), has(self.secretRef), has(self.workloadIdentity), has(self.none)].exists_one(given, given)",
    "exactly one of secretKeyRef, secretRef, workloadIdentity and none must be set",
);

/// On capabilities.
pub const OUTPUT_FITS_CONTEXT: Rule = (
    "!has(self.contextTokens) || !has(self.maxOutputTokens) || self.maxOutputTokens <= self.contextTokens",
    "maxOutputTokens must not be more than contextTokens",
);

/// On allowed namespaces.
pub const SELECTOR_WITH_FROM_SELECTOR: Rule = (
    "has(self.selector) == (self.from == 'Selector')",
    "selector must be set when from is Selector, and only then",
);

/// On an expression of a label selector.
pub const EXPRESSION_VALUES: Rule = (
    "(has(self.values) && size(self.values) > 0) == (self.operator in ['In', 'NotIn'])",
    "values must be set for the operators In and NotIn, and only for them",
);

/// On the key of a label that is asked for.
pub const LABEL_KEY: Rule = (
    r"self.matches(r'^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$') && self.indexOf('/') <= 253",
    LABEL_KEYS.1,
);

/// On the values of a label, any of which is asked for.
pub const LABEL_VALUE_LIST: Rule = (
    r"self.all(value, value.matches(r'^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$'))",
    LABEL_VALUES.1,
);

/// On labels that are asked for: their keys.
pub const LABEL_KEYS: Rule = (
    r"self.all(key, key.matches(r'^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$') && key.indexOf('/') <= 253)",
    "a label must be a name of at most 63 letters, digits, -, _ and ., starting and ending with a letter or digit, and before it \
     a domain and a / if any",
);

/// On labels that are asked for: their values.
pub const LABEL_VALUES: Rule = (
    r"self.all(key, self[key].matches(r'^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$'))",
    "a label's value must be at most 63 letters, digits, -, _ and ., starting and ending with a letter or digit",
);

/// On a list of model names or patterns.
pub const ONE_STAR: Rule = (
    "self.all(name, name.indexOf('*') == name.lastIndexOf('*'))",
    "a model name may have at most one * in it",
);

/// On the rules of a policy.
pub const LAST_RULE_MATCHES_ALL: Rule = (
    "!has(self[size(self) - 1].when)",
    "the last rule must have no when, it answers for what no other rule matches",
);

/// On the rules of a policy.
pub const ONLY_LAST_RULE_MATCHES_ALL: Rule = (
    "self.filter(rule, !has(rule.when)).size() < 2",
    "only the last rule may have no when, the rules after one without are never reached",
);

/// On the condition of a rule.
pub const WHEN_SAYS_SOMETHING: Rule = (
    "has(self.minInputTokens) || has(self.headers) || has(self.keyLabels) || has(self.modelPrefix) || has(self.tags)",
    "when must set at least one of minInputTokens, headers, keyLabels, modelPrefix and tags",
);

/// On the targets of a rule.
pub const TARGETS_ARE_DISTINCT: Rule = (
    "self.all(a, self.exists_one(b, a.deploymentRef == b.deploymentRef))",
    "a deployment may be a target only once in a rule",
);

/// On the targets of a rule.
pub const SOME_TARGET_HAS_WEIGHT: Rule = (
    "self.exists(target, target.weight > 0)",
    "at least one target of a rule must have a weight above 0",
);

/// On the rotation of a key.
pub const A_MINUTE_BETWEEN_KEYS: Rule = (
    "duration(self.every) >= duration('1m')",
    "every must be at least a minute",
);

/// On the end of a key: what every reader of times can count and write.
pub const END_IS_OF_THIS_AGE: Rule = (
    "self >= timestamp('1970-01-01T00:00:00Z') && self < timestamp('9000-01-01T00:00:00Z')",
    "expiresAt must be from 1970 on and before the year 9000; a key without it never ends",
);

/// On the rotation of a key.
pub const OVERLAP_IS_SHORTER: Rule = (
    "duration(self.overlap) < duration(self.every)",
    "overlap must be shorter than every",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_framing_headers_is_that_of_its_rule() {
        let quoted = FRAMING_HEADERS.map(|name| format!("'{name}'")).join(", ");
        assert_eq!(HEADER_IS_NOT_FRAMING.0, format!("!(self in [{quoted}])"));
    }
}
