//! What a Responses request looks like, as tables.

use super::super::shapes::FUNCTION_NAME;
use crate::shape::{Field, OBJECT, Shape, TEXT, optional, required, variant};

const FLAG: Shape = Shape::Nullable(&Shape::Boolean);
const SHORT: Shape = Shape::Nullable(&Shape::Text(0, 64));
const NULLABLE_TEXT: Shape = Shape::Nullable(&TEXT);
const ANY: usize = usize::MAX;
const STATUS: Field = optional("status", Shape::Word(&["in_progress", "completed", "incomplete"]));

const TEXT_PART: &[Field] = &[required("text", TEXT), optional("prompt_cache_breakpoint", OBJECT)];
const IMAGE_PART: &[Field] = &[
    optional("image_url", NULLABLE_TEXT),
    optional("file_id", NULLABLE_TEXT),
    optional("detail", Shape::Word(&["auto", "low", "high", "original"])),
    optional("prompt_cache_breakpoint", OBJECT),
];
const FILE_PART: &[Field] = &[
    optional("file_data", TEXT),
    optional("file_id", NULLABLE_TEXT),
    optional("file_url", TEXT),
    optional("filename", TEXT),
    optional("detail", Shape::Word(&["auto", "low", "high"])),
    optional("prompt_cache_breakpoint", OBJECT),
];
const OUTPUT_TEXT: &[Field] = &[
    required("text", TEXT),
    optional("annotations", Shape::List(&OBJECT, 0, ANY)),
    optional("logprobs", Shape::Nullable(&Shape::List(&OBJECT, 0, ANY))),
];
const PARTS: Shape = Shape::Tagged(&[
    variant("input_text", TEXT_PART),
    variant("input_image", IMAGE_PART),
    variant("input_file", FILE_PART),
    variant("output_text", OUTPUT_TEXT),
    variant("refusal", &[required("refusal", TEXT)]),
]);
const CONTENT: Shape = Shape::Either(&[TEXT, Shape::List(&PARTS, 0, ANY)]);
const OUTPUT: Shape = Shape::Either(&[
    TEXT,
    Shape::List(
        &Shape::Tagged(&[
            variant("input_text", TEXT_PART),
            variant("input_image", IMAGE_PART),
            variant("input_file", FILE_PART),
        ]),
        0,
        ANY,
    ),
]);
const CALL_ID: Shape = Shape::Text(1, 64);
const SUMMARY: Shape = Shape::Tagged(&[variant("summary_text", &[required("text", TEXT)])]);
const REASONING_TEXT: Shape = Shape::Tagged(&[variant("reasoning_text", &[required("text", TEXT)])]);

/// An input item. One without a type is a message.
pub(super) const ITEM: Shape = Shape::TaggedOr(&[
    variant(
        "message",
        &[
            required("role", Shape::Word(&["user", "assistant", "system", "developer"])),
            required("content", CONTENT),
            optional("id", Shape::Text(1, 64)),
            optional("phase", Shape::Word(&["commentary", "final_answer"])),
            STATUS,
        ],
    ),
    variant(
        "function_call",
        &[
            required("call_id", CALL_ID),
            required("name", FUNCTION_NAME),
            required("arguments", TEXT),
            optional("id", Shape::Text(1, 64)),
            STATUS,
        ],
    ),
    variant(
        "function_call_output",
        &[
            required("call_id", CALL_ID),
            required("output", OUTPUT),
            optional("id", Shape::Text(1, 64)),
            STATUS,
        ],
    ),
    variant(
        "custom_tool_call",
        &[
            required("call_id", CALL_ID),
            required("name", FUNCTION_NAME),
            required("input", TEXT),
            optional("id", Shape::Text(1, 64)),
            STATUS,
        ],
    ),
    variant(
        "custom_tool_call_output",
        &[
            required("call_id", CALL_ID),
            required("output", OUTPUT),
            optional("id", Shape::Text(1, 64)),
            STATUS,
        ],
    ),
    variant(
        "reasoning",
        &[
            optional("id", Shape::Text(1, 64)),
            required("summary", Shape::List(&SUMMARY, 0, ANY)),
            optional("content", Shape::Nullable(&Shape::List(&REASONING_TEXT, 0, ANY))),
            optional("encrypted_content", NULLABLE_TEXT),
            optional("status", Shape::Any),
        ],
    ),
    variant("item_reference", &[required("id", Shape::Text(1, 64))]),
]);

const GRAMMAR: Shape = Shape::Tagged(&[
    variant("text", &[]),
    variant(
        "grammar",
        &[
            required("syntax", Shape::Word(&["lark", "regex"])),
            required("definition", TEXT),
        ],
    ),
]);
const SITES: Shape = Shape::Nullable(&Shape::List(&TEXT, 0, ANY));
const LOCATION: Shape = Shape::Tagged(&[variant(
    "approximate",
    &[
        optional("city", NULLABLE_TEXT),
        optional("country", NULLABLE_TEXT),
        optional("region", NULLABLE_TEXT),
        optional("timezone", NULLABLE_TEXT),
    ],
)]);
const TOOL: Shape = Shape::Tagged(&[
    variant(
        "function",
        &[
            required("name", FUNCTION_NAME),
            optional("description", NULLABLE_TEXT),
            optional("parameters", Shape::Nullable(&OBJECT)),
            optional("strict", FLAG),
        ],
    ),
    variant(
        "custom",
        &[
            required("name", FUNCTION_NAME),
            optional("description", NULLABLE_TEXT),
            optional("format", GRAMMAR),
        ],
    ),
    variant(
        "web_search",
        &[
            optional(
                "filters",
                Shape::Nullable(&Shape::Object(&[optional("allowed_domains", SITES)])),
            ),
            optional("search_context_size", Shape::Word(&["low", "medium", "high"])),
            optional("user_location", Shape::Nullable(&LOCATION)),
            optional("external_web_access", Shape::Boolean),
        ],
    ),
]);
const TOOL_CHOICE: Shape = Shape::Either(&[
    Shape::Word(&["none", "auto", "required"]),
    Shape::Tagged(&[
        variant("function", &[required("name", FUNCTION_NAME)]),
        variant("custom", &[required("name", FUNCTION_NAME)]),
        variant(
            "allowed_tools",
            &[
                required("mode", Shape::Word(&["auto", "required"])),
                required("tools", Shape::List(&OBJECT, 1, 128)),
            ],
        ),
    ]),
]);
const FORMAT: Shape = Shape::Tagged(&[
    variant("text", &[]),
    variant("json_object", &[]),
    variant(
        "json_schema",
        &[
            required("name", FUNCTION_NAME),
            optional("description", TEXT),
            required("schema", OBJECT),
            optional("strict", FLAG),
        ],
    ),
]);
const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];
const SUMMARIES: Shape = Shape::Nullable(&Shape::Word(&["auto", "concise", "detailed"]));

/// POST /v1/responses.
pub(super) const RESPONSES: Shape = Shape::Object(&[
    required("model", TEXT),
    required("input", Shape::Either(&[TEXT, Shape::List(&ITEM, 1, ANY)])),
    optional("instructions", NULLABLE_TEXT),
    optional("stream", FLAG),
    optional(
        "stream_options",
        Shape::Nullable(&Shape::Object(&[optional("include_obfuscation", Shape::Boolean)])),
    ),
    optional("max_output_tokens", Shape::Nullable(&Shape::Integer(16, i64::MAX))),
    optional("max_tool_calls", Shape::Nullable(&Shape::Integer(1, i64::MAX))),
    optional("temperature", Shape::Nullable(&Shape::Number(0.0, 2.0))),
    optional("top_p", Shape::Nullable(&Shape::Number(0.0, 1.0))),
    optional("top_logprobs", Shape::Nullable(&Shape::Integer(0, 20))),
    optional("tools", Shape::List(&TOOL, 0, 128)),
    optional("tool_choice", TOOL_CHOICE),
    optional("parallel_tool_calls", FLAG),
    optional(
        "text",
        Shape::Object(&[
            optional("format", FORMAT),
            optional("verbosity", Shape::Nullable(&Shape::Word(&["low", "medium", "high"]))),
        ]),
    ),
    optional(
        "reasoning",
        Shape::Nullable(&Shape::Object(&[
            optional("effort", Shape::Nullable(&Shape::Word(EFFORTS))),
            optional("summary", SUMMARIES),
        ])),
    ),
    optional("include", Shape::Nullable(&Shape::List(&TEXT, 0, 16))),
    optional("store", FLAG),
    optional("background", FLAG),
    optional("previous_response_id", NULLABLE_TEXT),
    optional("metadata", Shape::Nullable(&Shape::Map(&Shape::Text(0, 512)))),
    optional("user", TEXT),
    optional("safety_identifier", SHORT),
    optional("prompt_cache_key", SHORT),
    optional(
        "prompt_cache_retention",
        Shape::Nullable(&Shape::Word(&["in_memory", "24h"])),
    ),
    optional(
        "service_tier",
        Shape::Nullable(&Shape::Word(&["auto", "default", "flex", "scale", "priority", "fast"])),
    ),
    optional("truncation", Shape::Nullable(&Shape::Word(&["auto", "disabled"]))),
]);
