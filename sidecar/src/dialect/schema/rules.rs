//! What of JSON Schema each constrained decoder takes, as data.

/// A subset of JSON Schema.
#[derive(Debug)]
pub(in crate::dialect) struct Rules {
    /// Constraints that it refuses: they move into the description, where the model reads them.
    pub(super) unenforced: &'static [&'static str],
    /// Formats of strings that it enforces; others are described.
    pub(super) formats: &'static [&'static str],
    /// A list may be demanded to have one element, but no more.
    pub(super) has_least_of_one: bool,
    /// Patterns may say where a text begins and ends, and look ahead.
    pub(super) has_anchors: bool,
    /// It has alternatives: `anyOf`, `allOf`, several types. Without them only what may be null beside one other thing can
    /// be said, as that thing.
    pub(super) has_unions: bool,
    /// Every object says that it has no other properties; otherwise none has any, whatever it says.
    pub(super) closes: bool,
    /// Every object must require a property, and the whole must be an object.
    pub(super) requires: bool,
    /// It must end somewhere, and has only scalars to choose from.
    pub(super) is_finite: bool,
}

/// Anthropic's, also where others host its models. Which constraints it refuses is what its SDK takes out of schemas.
pub(in crate::dialect) const ANTHROPIC: Rules = Rules {
    unenforced: &[
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "pattern",
        "minItems",
        "maxItems",
        "uniqueItems",
        "contains",
        "minProperties",
        "maxProperties",
        "patternProperties",
        "propertyNames",
        "dependentRequired",
        "dependentSchemas",
        "not",
        "if",
        "then",
        "else",
        "unevaluatedProperties",
    ],
    formats: &[
        "date-time",
        "time",
        "date",
        "duration",
        "email",
        "hostname",
        "uri",
        "ipv4",
        "ipv6",
        "uuid",
    ],
    has_least_of_one: true,
    has_anchors: true,
    has_unions: true,
    closes: true,
    requires: false,
    is_finite: true,
};

/// Cohere's, by "Unsupported schema features" and "Schema constraints" of <https://docs.cohere.com/v2/docs/structured-outputs>.
/// Of what stands on neither list, only what its examples have is taken for supported.
pub(in crate::dialect) const COHERE: Rules = Rules {
    unenforced: &[
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
        "contains",
        "prefixItems",
        "minProperties",
        "maxProperties",
        "patternProperties",
        "propertyNames",
        "dependentRequired",
        "dependentSchemas",
        "not",
        "if",
        "then",
        "else",
        "unevaluatedProperties",
    ],
    formats: &["date-time", "uuid", "date", "time"],
    has_least_of_one: false,
    has_anchors: false,
    has_unions: false,
    closes: false,
    requires: true,
    is_finite: false,
};
