//! What a request to the Gemini API looks like, as tables.

use crate::shape::{OBJECT, Shape, TEXT, optional, required};

const ANY: usize = usize::MAX;

const BLOB: Shape = Shape::Object(&[required("mimeType", TEXT), required("data", TEXT)]);
const FILE: Shape = Shape::Object(&[optional("mimeType", TEXT), required("fileUri", TEXT)]);
const CALL: Shape = Shape::Object(&[optional("id", TEXT), required("name", TEXT), optional("args", OBJECT)]);
const RESPONSE: Shape = Shape::Object(&[
    optional("id", TEXT),
    required("name", TEXT),
    required("response", OBJECT),
    optional(
        "parts",
        Shape::List(&Shape::Object(&[optional("inlineData", BLOB)]), 0, ANY),
    ),
]);
const PART: Shape = Shape::Object(&[
    optional("text", TEXT),
    optional("inlineData", BLOB),
    optional("fileData", FILE),
    optional("functionCall", CALL),
    optional("functionResponse", RESPONSE),
    optional("executableCode", OBJECT),
    optional("codeExecutionResult", OBJECT),
    optional("thought", Shape::Boolean),
    optional("thoughtSignature", TEXT),
    optional("videoMetadata", OBJECT),
    optional("mediaResolution", OBJECT),
]);
const CONTENT: Shape = Shape::Object(&[optional("role", TEXT), optional("parts", Shape::List(&PART, 0, ANY))]);

const FUNCTION: Shape = Shape::Object(&[
    required("name", TEXT),
    optional("description", TEXT),
    optional("parameters", OBJECT),
    optional("parametersJsonSchema", OBJECT),
    optional("response", OBJECT),
    optional("responseJsonSchema", OBJECT),
    optional("behavior", Shape::Word(&["UNSPECIFIED", "BLOCKING", "NON_BLOCKING"])),
]);
const TOOL: Shape = Shape::Object(&[
    optional("functionDeclarations", Shape::List(&FUNCTION, 0, ANY)),
    optional("googleSearch", OBJECT),
    optional("codeExecution", OBJECT),
    optional("urlContext", OBJECT),
]);
const CALLING: Shape = Shape::Object(&[
    optional(
        "mode",
        Shape::Word(&["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"]),
    ),
    optional("allowedFunctionNames", Shape::List(&TEXT, 0, ANY)),
]);
const TOOL_CONFIG: Shape = Shape::Object(&[
    optional("functionCallingConfig", CALLING),
    optional("retrievalConfig", OBJECT),
]);

const THINKING: Shape = Shape::Object(&[
    optional("includeThoughts", Shape::Boolean),
    optional("thinkingBudget", Shape::Integer(-1, 65_536)),
    optional(
        "thinkingLevel",
        Shape::Word(&["MINIMAL", "LOW", "MEDIUM", "HIGH", "minimal", "low", "medium", "high"]),
    ),
]);
const GENERATION: Shape = Shape::Object(&[
    optional("temperature", Shape::Number(0.0, 2.0)),
    optional("topP", Shape::Number(0.0, 1.0)),
    optional("topK", Shape::Number(1.0, 1000.0)),
    optional("candidateCount", Shape::Integer(1, 8)),
    optional("maxOutputTokens", Shape::Integer(1, 65_537)),
    optional("stopSequences", Shape::List(&TEXT, 0, 5)),
    optional("seed", Shape::Integer(i32::MIN as i64, i32::MAX as i64)),
    optional("presencePenalty", Shape::Number(-2.0, 2.0)),
    optional("frequencyPenalty", Shape::Number(-2.0, 2.0)),
    optional(
        "responseMimeType",
        Shape::Word(&["text/plain", "application/json", "text/x.enum"]),
    ),
    optional("responseSchema", OBJECT),
    optional("responseJsonSchema", OBJECT),
    optional("responseLogprobs", Shape::Boolean),
    optional("logprobs", Shape::Integer(0, 20)),
    optional("responseModalities", Shape::List(&TEXT, 0, ANY)),
    optional("mediaResolution", TEXT),
    optional("speechConfig", OBJECT),
    optional("thinkingConfig", THINKING),
]);

/// The body of `generateContent`.
pub(super) const REQUEST: Shape = Shape::Object(&[
    optional("model", TEXT),
    required("contents", Shape::List(&CONTENT, 0, ANY)),
    optional("systemInstruction", CONTENT),
    optional("tools", Shape::List(&TOOL, 0, ANY)),
    optional("toolConfig", TOOL_CONFIG),
    optional("safetySettings", Shape::List(&OBJECT, 0, ANY)),
    optional("generationConfig", GENERATION),
    optional("cachedContent", TEXT),
    optional("serviceTier", TEXT),
    optional("store", Shape::Boolean),
]);
