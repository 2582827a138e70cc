//! What a request to Anthropic's API looks like, as tables.

use crate::shape::{Field, OBJECT, Shape, TEXT, Variant, optional, required, variant};

const ANY: usize = usize::MAX;
const FLAG: Shape = Shape::Nullable(&Shape::Boolean);
const NOTE: Shape = Shape::Nullable(&TEXT);

const CACHE: Shape = Shape::Nullable(&Shape::Tagged(&[variant(
    "ephemeral",
    &[optional("ttl", Shape::Word(&["5m", "1h"]))],
)]));
const CACHE_CONTROL: Field = optional("cache_control", CACHE);
const CITATIONS: Field = optional("citations", Shape::Nullable(&Shape::List(&OBJECT, 0, ANY)));
const CITES: Field = optional(
    "citations",
    Shape::Nullable(&Shape::Object(&[optional("enabled", Shape::Boolean)])),
);

const TEXT_BLOCK: Variant = variant("text", &[required("text", TEXT), CACHE_CONTROL, CITATIONS]);

const IMAGE_TYPES: Shape = Shape::Word(&["image/jpeg", "image/png", "image/gif", "image/webp"]);
const IMAGE_SOURCE: Shape = Shape::Tagged(&[
    variant("base64", &[required("media_type", IMAGE_TYPES), required("data", TEXT)]),
    variant("url", &[required("url", TEXT)]),
    variant("file", &[required("file_id", TEXT)]),
]);
const TRANSFORMATIONS: Shape = Shape::Nullable(&Shape::Object(&[optional(
    "oversized_image",
    Shape::Word(&["downsize", "error"]),
)]));
const IMAGE_BLOCK: Variant = variant(
    "image",
    &[
        required("source", IMAGE_SOURCE),
        CACHE_CONTROL,
        optional("transformations", TRANSFORMATIONS),
    ],
);

const DOCUMENT_SOURCE: Shape = Shape::Tagged(&[
    variant(
        "base64",
        &[
            required("media_type", Shape::Word(&["application/pdf"])),
            required("data", TEXT),
        ],
    ),
    variant(
        "text",
        &[
            required("media_type", Shape::Word(&["text/plain"])),
            required("data", TEXT),
        ],
    ),
    variant("content", &[required("content", Shape::Any)]),
    variant("url", &[required("url", TEXT)]),
    variant("file", &[required("file_id", TEXT)]),
]);
const DOCUMENT_BLOCK: Variant = variant(
    "document",
    &[
        required("source", DOCUMENT_SOURCE),
        optional("title", NOTE),
        optional("context", NOTE),
        CITES,
        CACHE_CONTROL,
    ],
);
const SEARCH_RESULT_BLOCK: Variant = variant(
    "search_result",
    &[
        required("source", TEXT),
        required("title", TEXT),
        required("content", Shape::List(&Shape::Tagged(&[TEXT_BLOCK]), 1, ANY)),
        CITES,
        CACHE_CONTROL,
    ],
);

const fn is_id(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == '-'
}

const ID: Shape = Shape::Name {
    allowed: is_id,
    max: 256,
    pattern: "^[a-zA-Z0-9_-]+$",
};
const TOOL_NAME: Shape = Shape::Name {
    allowed: is_id,
    max: 128,
    pattern: "^[a-zA-Z0-9_-]{1,128}$",
};

const TOOL_USE_BLOCK: Variant = variant(
    "tool_use",
    &[
        required("id", ID),
        required("name", Shape::Text(1, 200)),
        required("input", OBJECT),
        CACHE_CONTROL,
        optional("caller", OBJECT),
        optional("toolset_name", NOTE),
    ],
);
const RESULT_BLOCKS: Shape = Shape::Tagged(&[TEXT_BLOCK, IMAGE_BLOCK, SEARCH_RESULT_BLOCK, DOCUMENT_BLOCK]);
const TOOL_RESULT_BLOCK: Variant = variant(
    "tool_result",
    &[
        required("tool_use_id", ID),
        optional("content", Shape::Either(&[TEXT, Shape::List(&RESULT_BLOCKS, 0, ANY)])),
        optional("is_error", Shape::Boolean),
        CACHE_CONTROL,
        optional("toolset_name", NOTE),
    ],
);
const THINKING_BLOCK: Variant = variant("thinking", &[required("thinking", TEXT), required("signature", TEXT)]);
const REDACTED_BLOCK: Variant = variant("redacted_thinking", &[required("data", TEXT)]);

const BLOCKS: Shape = Shape::Tagged(&[
    TEXT_BLOCK,
    IMAGE_BLOCK,
    DOCUMENT_BLOCK,
    SEARCH_RESULT_BLOCK,
    TOOL_USE_BLOCK,
    TOOL_RESULT_BLOCK,
    THINKING_BLOCK,
    REDACTED_BLOCK,
]);
const MESSAGE: Shape = Shape::Object(&[
    // `system` is judged by `validate`: some models take it.
    required("role", Shape::Word(&["user", "assistant", "system"])),
    required("content", Shape::Either(&[TEXT, Shape::List(&BLOCKS, 0, ANY)])),
]);

const SYSTEM: Shape = Shape::Either(&[TEXT, Shape::List(&Shape::Tagged(&[TEXT_BLOCK]), 0, ANY)]);

const TOOL: Shape = Shape::TaggedOr(&[
    variant(
        "custom",
        &[
            required("name", TOOL_NAME),
            optional("description", TEXT),
            required("input_schema", OBJECT),
            CACHE_CONTROL,
            optional("strict", Shape::Boolean),
            optional("eager_input_streaming", FLAG),
            optional("defer_loading", Shape::Boolean),
            optional("allowed_callers", Shape::List(&TEXT, 0, ANY)),
            optional("input_examples", Shape::List(&OBJECT, 0, ANY)),
        ],
    ),
    variant(
        "web_search_20250305",
        &[
            required("name", Shape::Word(&["web_search"])),
            optional("allowed_domains", SITES),
            optional("blocked_domains", SITES),
            optional("max_uses", Shape::Nullable(&Shape::Integer(1, i64::MAX))),
            optional("user_location", Shape::Nullable(&LOCATION)),
            CACHE_CONTROL,
        ],
    ),
]);
const SITES: Shape = Shape::Nullable(&Shape::List(&TEXT, 1, ANY));
const LOCATION: Shape = Shape::Tagged(&[variant(
    "approximate",
    &[
        optional("city", NOTE),
        optional("country", NOTE),
        optional("region", NOTE),
        optional("timezone", NOTE),
    ],
)]);
const ONE_AT_A_TIME: Field = optional("disable_parallel_tool_use", Shape::Boolean);
const TOOL_CHOICE: Shape = Shape::Tagged(&[
    variant("auto", &[ONE_AT_A_TIME]),
    variant("any", &[ONE_AT_A_TIME]),
    variant("tool", &[required("name", TEXT), ONE_AT_A_TIME]),
    variant("none", &[]),
]);

const DISPLAY: Field = optional("display", Shape::Nullable(&Shape::Word(&["summarized", "omitted"])));
const THINKING: Shape = Shape::Tagged(&[
    variant(
        "enabled",
        &[required("budget_tokens", Shape::Integer(1024, i64::MAX)), DISPLAY],
    ),
    variant("disabled", &[]),
    variant("adaptive", &[DISPLAY]),
    variant("between_tools", &[]),
]);

const JSON_SCHEMA: Shape = Shape::Tagged(&[variant("json_schema", &[required("schema", OBJECT)])]);
const EFFORTS: Shape = Shape::Word(&["low", "medium", "high", "xhigh", "max"]);
const OUTPUT_CONFIG: Shape = Shape::Object(&[
    optional("effort", Shape::Nullable(&EFFORTS)),
    optional("format", Shape::Nullable(&JSON_SCHEMA)),
]);
const METADATA: Shape = Shape::Object(&[optional("user_id", Shape::Nullable(&Shape::Text(0, 512)))]);
const SPEED: Shape = Shape::Nullable(&Shape::Word(&["standard", "fast"]));

/// POST /v1/messages.
pub(super) const MESSAGES: Shape = Shape::Object(&[
    required("model", Shape::Text(1, 256)),
    required("messages", Shape::List(&MESSAGE, 0, 100_000)),
    required("max_tokens", Shape::Integer(0, i64::MAX)),
    optional("system", SYSTEM),
    optional("metadata", METADATA),
    optional("stop_sequences", Shape::List(&TEXT, 0, 8191)),
    optional("stream", Shape::Boolean),
    optional("temperature", Shape::Number(0.0, 1.0)),
    optional("top_k", Shape::Integer(0, i64::MAX)),
    optional("top_p", Shape::Number(0.0, 1.0)),
    optional("thinking", THINKING),
    optional("tools", Shape::List(&TOOL, 0, ANY)),
    optional("tool_choice", TOOL_CHOICE),
    optional("output_config", OUTPUT_CONFIG),
    CACHE_CONTROL,
    optional("service_tier", Shape::Word(&["auto", "standard_only"])),
    optional("container", Shape::Nullable(&Shape::Either(&[TEXT, OBJECT]))),
    optional("diagnostics", Shape::Nullable(&OBJECT)),
    optional("inference_geo", NOTE),
    optional("speed", SPEED),
]);

/// POST /v1/messages/count_tokens.
pub(super) const COUNT: Shape = Shape::Object(&[
    required("model", Shape::Text(1, 256)),
    required("messages", Shape::List(&MESSAGE, 0, 100_000)),
    optional("system", SYSTEM),
    optional("thinking", THINKING),
    optional("tools", Shape::List(&TOOL, 0, ANY)),
    optional("tool_choice", TOOL_CHOICE),
    optional("output_config", OUTPUT_CONFIG),
    CACHE_CONTROL,
    optional("speed", SPEED),
]);
