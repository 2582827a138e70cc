//! What a request to OpenAI's API looks like, as tables.

use crate::shape::{Field, OBJECT, Shape, TEXT, optional, required, variant};

const fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == '-'
}

pub(super) const FUNCTION_NAME: Shape = Shape::Name {
    allowed: is_name,
    max: 64,
    pattern: "^[a-zA-Z0-9_-]+$",
};

fn is_participant(character: char) -> bool {
    !character.is_whitespace() && !matches!(character, '<' | '|' | '\\' | '/' | '>')
}

const PARTICIPANT: Shape = Shape::Name {
    allowed: is_participant,
    max: 64,
    pattern: r"^[^\s<|\\/>]+$",
};

const ANY_TEXT: usize = usize::MAX;
const ANY_LIST: usize = usize::MAX;

const CACHE_BREAKPOINT: &[Field] = &[
    required("mode", Shape::Word(&["explicit"])),
    optional("ttl", Shape::Word(&["30m", "12h"])),
];
const TEXT_PART: &[Field] = &[
    required("text", TEXT),
    optional("prompt_cache_breakpoint", Shape::Object(CACHE_BREAKPOINT)),
];
const IMAGE_URL: &[Field] = &[
    required("url", TEXT),
    optional("detail", Shape::Word(&["auto", "low", "high", "original"])),
];
const IMAGE_PART: &[Field] = &[
    required("image_url", Shape::Object(IMAGE_URL)),
    optional("prompt_cache_breakpoint", Shape::Object(CACHE_BREAKPOINT)),
];
const INPUT_AUDIO: &[Field] = &[required("data", TEXT), required("format", Shape::Word(&["wav", "mp3"]))];
const AUDIO_PART: &[Field] = &[
    required("input_audio", Shape::Object(INPUT_AUDIO)),
    optional("prompt_cache_breakpoint", Shape::Object(CACHE_BREAKPOINT)),
];
const FILE: &[Field] = &[
    optional("file_data", TEXT),
    optional("file_id", TEXT),
    optional("filename", TEXT),
];
const FILE_PART: &[Field] = &[
    required("file", Shape::Object(FILE)),
    optional("prompt_cache_breakpoint", Shape::Object(CACHE_BREAKPOINT)),
];
const REFUSAL_PART: &[Field] = &[required("refusal", TEXT)];

const TEXT_PARTS: Shape = Shape::Tagged(&[variant("text", TEXT_PART)]);
const TEXTS: Shape = Shape::Either(&[TEXT, Shape::List(&TEXT_PARTS, 1, ANY_LIST)]);
const USER_PARTS: Shape = Shape::Tagged(&[
    variant("text", TEXT_PART),
    variant("image_url", IMAGE_PART),
    variant("input_audio", AUDIO_PART),
    variant("file", FILE_PART),
]);
const ASSISTANT_PARTS: Shape = Shape::Tagged(&[variant("text", TEXT_PART), variant("refusal", REFUSAL_PART)]);

const CALLED: &[Field] = &[required("name", FUNCTION_NAME), required("arguments", TEXT)];
const CALLED_CUSTOM: &[Field] = &[required("name", FUNCTION_NAME), required("input", TEXT)];
const CALL_ID: Shape = Shape::Text(1, 40);
// A call that was put together from a stream still has its `index`, and the API lets it pass.
const INDEX: Field = optional("index", Shape::Integer(0, i64::MAX));
const CALL: Shape = Shape::Tagged(&[
    variant(
        "function",
        &[
            required("id", CALL_ID),
            required("function", Shape::Object(CALLED)),
            INDEX,
        ],
    ),
    variant(
        "custom",
        &[
            required("id", CALL_ID),
            required("custom", Shape::Object(CALLED_CUSTOM)),
            INDEX,
        ],
    ),
]);

/// Every key that some role has; what belongs to which role is `validate`'s business.
pub(super) const ROLES: &[&str] = &["system", "assistant", "user", "function", "tool", "developer"];

const ROLE: Field = required("role", Shape::Word(ROLES));
pub(super) const INSTRUCTION: Shape = Shape::Object(&[ROLE, required("content", TEXTS), optional("name", PARTICIPANT)]);
pub(super) const USER: Shape = Shape::Object(&[
    ROLE,
    required("content", Shape::Either(&[TEXT, Shape::List(&USER_PARTS, 1, ANY_LIST)])),
    optional("name", PARTICIPANT),
]);
pub(super) const ASSISTANT: Shape = Shape::Object(&[
    ROLE,
    optional(
        "content",
        Shape::Nullable(&Shape::Either(&[TEXT, Shape::List(&ASSISTANT_PARTS, 1, ANY_LIST)])),
    ),
    optional("name", PARTICIPANT),
    optional("refusal", Shape::Nullable(&TEXT)),
    optional("tool_calls", Shape::List(&CALL, 1, 128)),
    optional("function_call", Shape::Nullable(&Shape::Object(CALLED))),
    optional("audio", Shape::Nullable(&Shape::Object(&[required("id", TEXT)]))),
    // What the API says of its own answers comes back with them.
    optional("annotations", Shape::Nullable(&Shape::List(&Shape::Any, 0, ANY_LIST))),
]);
pub(super) const TOOL: Shape = Shape::Object(&[ROLE, required("content", TEXTS), required("tool_call_id", TEXT)]);
pub(super) const FUNCTION: Shape = Shape::Object(&[
    ROLE,
    required("content", Shape::Nullable(&TEXT)),
    required("name", FUNCTION_NAME),
]);

const FUNCTION_DEFINITION: &[Field] = &[
    required("name", FUNCTION_NAME),
    optional("description", TEXT),
    optional("parameters", OBJECT),
    optional("strict", Shape::Nullable(&Shape::Boolean)),
];
const CUSTOM_DEFINITION: &[Field] = &[
    required("name", FUNCTION_NAME),
    optional("description", TEXT),
    optional("format", GRAMMAR),
];
/// Unlike in Responses, the grammar is an object of its own.
const GRAMMAR: Shape = Shape::Tagged(&[
    variant("text", &[]),
    variant(
        "grammar",
        &[required(
            "grammar",
            Shape::Object(&[
                required("syntax", Shape::Word(&["lark", "regex"])),
                required("definition", TEXT),
            ]),
        )],
    ),
]);
const TOOL_DEFINITION: Shape = Shape::Tagged(&[
    variant("function", &[required("function", Shape::Object(FUNCTION_DEFINITION))]),
    variant("custom", &[required("custom", Shape::Object(CUSTOM_DEFINITION))]),
]);
const NAMED: &[Field] = &[required("name", FUNCTION_NAME)];
const ALLOWED: &[Field] = &[
    required("mode", Shape::Word(&["auto", "required"])),
    required("tools", Shape::List(&OBJECT, 1, 128)),
];
const TOOL_CHOICE: Shape = Shape::Either(&[
    Shape::Word(&["none", "auto", "required"]),
    Shape::Tagged(&[
        variant("function", &[required("function", Shape::Object(NAMED))]),
        variant("custom", &[required("custom", Shape::Object(NAMED))]),
        variant("allowed_tools", &[required("allowed_tools", Shape::Object(ALLOWED))]),
    ]),
]);

const JSON_SCHEMA: &[Field] = &[
    required("name", FUNCTION_NAME),
    optional("description", TEXT),
    optional("schema", OBJECT),
    optional("strict", Shape::Nullable(&Shape::Boolean)),
];
const RESPONSE_FORMAT: Shape = Shape::Tagged(&[
    variant("text", &[]),
    variant("json_object", &[]),
    variant("json_schema", &[required("json_schema", Shape::Object(JSON_SCHEMA))]),
]);

const STREAM_OPTIONS: &[Field] = &[
    optional("include_usage", Shape::Boolean),
    optional("include_obfuscation", Shape::Boolean),
];
const STOP: Shape = Shape::Nullable(&Shape::Either(&[TEXT, Shape::List(&Shape::Text(1, ANY_TEXT), 0, 4)]));
const EFFORTS: Shape = Shape::Nullable(&Shape::Word(&[
    "none", "minimal", "low", "medium", "high", "xhigh", "max",
]));
const TIERS: Shape = Shape::Nullable(&Shape::Word(&["auto", "default", "flex", "scale", "priority", "fast"]));
const LIMIT: Shape = Shape::Nullable(&Shape::Integer(1, i64::MAX));
const PENALTY: Shape = Shape::Nullable(&Shape::Number(-2.0, 2.0));
const FLAG: Shape = Shape::Nullable(&Shape::Boolean);
const SHORT: Shape = Shape::Nullable(&Shape::Text(0, 64));

/// POST /v1/chat/completions. The messages are judged one by one, by their role.
pub(super) const CHAT: Shape = Shape::Object(&[
    required("model", TEXT),
    required("messages", Shape::List(&OBJECT, 1, 2048)),
    optional("stream", FLAG),
    optional("stream_options", Shape::Nullable(&Shape::Object(STREAM_OPTIONS))),
    optional("max_tokens", LIMIT),
    optional("max_completion_tokens", LIMIT),
    optional("temperature", Shape::Nullable(&Shape::Number(0.0, 2.0))),
    optional("top_p", Shape::Nullable(&Shape::Number(0.0, 1.0))),
    optional("n", Shape::Nullable(&Shape::Integer(1, 128))),
    optional("stop", STOP),
    optional("frequency_penalty", PENALTY),
    optional("presence_penalty", PENALTY),
    optional(
        "logit_bias",
        Shape::Nullable(&Shape::Map(&Shape::Number(-100.0, 100.0))),
    ),
    optional("logprobs", FLAG),
    optional("top_logprobs", Shape::Nullable(&Shape::Integer(0, 20))),
    optional("tools", Shape::List(&TOOL_DEFINITION, 1, 128)),
    optional("tool_choice", TOOL_CHOICE),
    optional("parallel_tool_calls", Shape::Boolean),
    optional("response_format", RESPONSE_FORMAT),
    optional("reasoning_effort", EFFORTS),
    optional("verbosity", Shape::Nullable(&Shape::Word(&["low", "medium", "high"]))),
    optional("seed", Shape::Nullable(&Shape::Integer(i64::MIN, i64::MAX))),
    optional("user", TEXT),
    optional("safety_identifier", SHORT),
    optional("prompt_cache_key", SHORT),
    optional("prompt_cache_options", OBJECT),
    optional(
        "prompt_cache_retention",
        Shape::Nullable(&Shape::Word(&["in_memory", "24h"])),
    ),
    optional("service_tier", TIERS),
    optional("store", FLAG),
    optional("metadata", Shape::Nullable(&Shape::Map(&Shape::Text(0, 512)))),
    optional(
        "modalities",
        Shape::Nullable(&Shape::List(&Shape::Word(&["text", "audio"]), 1, 2)),
    ),
    optional("audio", Shape::Nullable(&OBJECT)),
    optional("prediction", Shape::Nullable(&OBJECT)),
    optional("moderation", Shape::Nullable(&OBJECT)),
    optional("web_search_options", OBJECT),
    optional("functions", Shape::List(&Shape::Object(FUNCTION_DEFINITION), 1, 128)),
    optional(
        "function_call",
        Shape::Either(&[Shape::Word(&["none", "auto"]), Shape::Object(NAMED)]),
    ),
]);

const EMBEDDABLE: Shape = Shape::Either(&[
    Shape::Text(1, ANY_TEXT),
    Shape::List(
        &Shape::Either(&[Shape::Text(1, ANY_TEXT), TOKEN, Shape::List(&TOKEN, 1, 2048)]),
        1,
        2048,
    ),
]);
const TOKEN: Shape = Shape::Integer(0, 200_000);

/// POST /v1/completions.
pub(super) const COMPLETIONS: Shape = Shape::Object(&[
    required("model", TEXT),
    required("prompt", TEXT),
    optional("max_tokens", Shape::Integer(0, i64::MAX)),
    optional("temperature", Shape::Number(0.0, 2.0)),
    optional("stop", Shape::Either(&[TEXT, Shape::List(&TEXT, 1, 4)])),
    optional("stream", Shape::Boolean),
    optional(
        "stream_options",
        Shape::Object(&[optional("include_usage", Shape::Boolean)]),
    ),
]);

const RANKED: Shape = Shape::Either(&[TEXT, Shape::Object(&[required("text", TEXT)])]);

/// POST /v1/rerank, of servers that are compatible.
pub(super) const RERANK: Shape = Shape::Object(&[
    required("model", TEXT),
    required("query", TEXT),
    required("documents", Shape::List(&RANKED, 1, usize::MAX)),
    optional("top_n", Shape::Integer(0, i64::MAX)),
    optional("return_documents", Shape::Boolean),
]);

/// POST /v1/embeddings.
pub(super) const EMBEDDINGS: Shape = Shape::Object(&[
    required("model", TEXT),
    required("input", EMBEDDABLE),
    optional("dimensions", Shape::Integer(1, i64::MAX)),
    optional("encoding_format", Shape::Word(&["float", "base64"])),
    optional("user", TEXT),
]);
