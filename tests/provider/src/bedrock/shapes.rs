//! What a Converse request looks like, from the service's own model. Where one of several members must be given, all
//! are optional here, and `validate` counts them.

use crate::shape::Shape::{self, Integer, List, Number, Object, Text, Word};
use crate::shape::{Field, OBJECT, TEXT, optional, required};

const ANY: usize = usize::MAX;
/// A text that says something.
const SAID: Shape = Text(1, ANY);

const EMPTY: Shape = Object(&[]);

const TOOL_NAME: Shape = Shape::Name {
    allowed: |character| character.is_ascii_alphanumeric() || "_-".contains(character),
    max: 64,
    pattern: "[a-zA-Z0-9_-]+",
};
const TOOL_USE_ID: Shape = Shape::Name {
    allowed: |character| character.is_ascii_alphanumeric() || "_.:-".contains(character),
    max: 64,
    pattern: "[a-zA-Z0-9_.:-]+",
};
const DOCUMENT_NAME: Shape = Shape::Name {
    allowed: |character| character.is_ascii_alphanumeric() || " -()[]".contains(character),
    max: 200,
    pattern: "[a-zA-Z0-9 \\-()\\[\\]]+",
};

const CACHE_POINT: Field = optional(
    "cachePoint",
    Object(&[
        required("type", Word(&["default"])),
        optional("ttl", Word(&["5m", "1h"])),
    ]),
);
const BYTES: Shape = Object(&[required("bytes", SAID)]);
const IMAGE: Field = optional(
    "image",
    Object(&[
        required("format", Word(&["png", "jpeg", "gif", "webp"])),
        required("source", BYTES),
    ]),
);
const DOCUMENT: Field = optional(
    "document",
    Object(&[
        optional(
            "format",
            Word(&["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"]),
        ),
        required("name", DOCUMENT_NAME),
        required("source", BYTES),
    ]),
);
const TOOL_USE: Field = optional(
    "toolUse",
    Object(&[
        required("toolUseId", TOOL_USE_ID),
        required("name", TOOL_NAME),
        required("input", OBJECT),
    ]),
);
const RESULT_CONTENT: Shape = Object(&[optional("text", TEXT), optional("json", OBJECT), IMAGE, DOCUMENT]);
const TOOL_RESULT: Field = optional(
    "toolResult",
    Object(&[
        required("toolUseId", TOOL_USE_ID),
        required("content", List(&RESULT_CONTENT, 1, ANY)),
        optional("status", Word(&["success", "error"])),
    ]),
);
const REASONING: Field = optional(
    "reasoningContent",
    Object(&[
        optional(
            "reasoningText",
            Object(&[required("text", TEXT), optional("signature", TEXT)]),
        ),
        optional("redactedContent", TEXT),
    ]),
);

const CONTENT: Shape = Object(&[
    optional("text", TEXT),
    IMAGE,
    DOCUMENT,
    TOOL_USE,
    TOOL_RESULT,
    REASONING,
    CACHE_POINT,
]);
const MESSAGE: Shape = Object(&[
    required("role", Word(&["user", "assistant"])),
    required("content", List(&CONTENT, 1, ANY)),
]);
const SYSTEM: Shape = Object(&[optional("text", SAID), CACHE_POINT]);

const TOOL: Shape = Object(&[
    optional(
        "toolSpec",
        Object(&[
            required("name", TOOL_NAME),
            optional("description", SAID),
            required("inputSchema", Object(&[required("json", OBJECT)])),
            optional("strict", Shape::Boolean),
        ]),
    ),
    CACHE_POINT,
]);
const TOOL_CHOICE: Shape = Object(&[
    optional("auto", EMPTY),
    optional("any", EMPTY),
    optional("tool", Object(&[required("name", TOOL_NAME)])),
]);

const TEXT_FORMAT: Shape = Object(&[
    required("type", Word(&["json_schema"])),
    required(
        "structure",
        Object(&[required(
            "jsonSchema",
            Object(&[
                required("schema", SAID),
                optional("name", TEXT),
                optional("description", TEXT),
            ]),
        )]),
    ),
]);

/// The body of a request.
pub(super) const REQUEST: Shape = Object(&[
    optional("system", List(&SYSTEM, 0, ANY)),
    optional("messages", List(&MESSAGE, 0, ANY)),
    optional(
        "inferenceConfig",
        Object(&[
            optional("maxTokens", Integer(1, i64::MAX)),
            optional("temperature", Number(0.0, 1.0)),
            optional("topP", Number(0.0, 1.0)),
            optional("stopSequences", List(&SAID, 0, 2500)),
        ]),
    ),
    optional(
        "toolConfig",
        Object(&[
            required("tools", List(&TOOL, 1, ANY)),
            optional("toolChoice", TOOL_CHOICE),
        ]),
    ),
    optional(
        "outputConfig",
        Object(&[optional("textFormat", TEXT_FORMAT), optional("effort", Text(0, 16))]),
    ),
    optional(
        "serviceTier",
        Object(&[required("type", Word(&["priority", "default", "flex", "reserved"]))]),
    ),
    optional("additionalModelRequestFields", OBJECT),
    optional("additionalModelResponseFieldPaths", List(&SAID, 0, 10)),
]);
