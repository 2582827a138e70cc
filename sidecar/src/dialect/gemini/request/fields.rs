//! What becomes of each field of a Gemini request in another dialect. Sorted by name.

use crate::dialect::Grade::{Hint, Meaning};
use crate::dialect::item::{Knob, Names};
use crate::dialect::loss::Fate::{Knob as Turn, Lost, Ours, Read};
use crate::dialect::loss::{Field, field, field_unless};

/// What the fields are called that other dialects have too.
pub(super) const NAMES: Names = Names {
    cache: "cachedContent",
    conversation: "contents",
    strict: "strict",
    tier: "serviceTier",
    tool_choice: "toolConfig.functionCallingConfig",
    max_output: "generationConfig.maxOutputTokens",
    stop: "generationConfig.stopSequences",
    format: "generationConfig.responseSchema",
    thinking: "generationConfig.thinkingConfig",
    end_user: "labels",
    parallel_calls: "toolConfig.functionCallingConfig",
    schema: "parameters",
    answer_schema: "generationConfig.responseSchema",
    answer_described: "generationConfig.responseSchema.description",
};

/// The fields of a request.
pub(super) const REQUEST: &[Field] = &[
    field("cachedContent", Lost(Meaning, "the cached content is only with Google")),
    field("contents", Read),
    field("generationConfig", Read),
    field_unless("labels", &["{}"], Lost(Hint, "only Google keeps labels")),
    field("model", Ours),
    field_unless("modelArmorConfig", &["{}"], Lost(Hint, "only Google has a model armor")),
    field_unless(
        "safetySettings",
        &["[]"],
        Lost(Hint, "no other dialect has safety settings"),
    ),
    field("serviceTier", Read),
    field_unless("store", &["false"], Lost(Hint, "only Google stores what it answered")),
    field("systemInstruction", Read),
    field("toolConfig", Read),
    field("tools", Read),
];

/// The fields of `generationConfig`.
pub(super) const GENERATION: &[Field] = &[
    field_unless(
        "audioTimestamp",
        &["false"],
        Lost(Hint, "no other dialect stamps what it hears"),
    ),
    field(
        "audioTranscriptionConfig",
        Lost(Meaning, "no other dialect transcribes so"),
    ),
    field_unless(
        "candidateCount",
        &["1"],
        Lost(Meaning, "only one answer can be translated"),
    ),
    field("continuationToken", Lost(Meaning, "the answer is only with Google")),
    field_unless(
        "enableEnhancedCivicAnswers",
        &["false"],
        Lost(Hint, "no other dialect has civic answers"),
    ),
    field_unless("frequencyPenalty", &["0", "0.0"], Turn(Knob::FrequencyPenalty)),
    field("imageConfig", Lost(Meaning, "no other dialect answers with pictures")),
    field_unless("logprobs", &["0"], Turn(Knob::TopLogprobs)),
    field("maxOutputTokens", Read),
    field_unless(
        "mediaResolution",
        &["\"MEDIA_RESOLUTION_UNSPECIFIED\""],
        Lost(Hint, "no other dialect has a resolution"),
    ),
    field(
        "modelSelectionConfig",
        Lost(Hint, "only Google selects a model by itself"),
    ),
    field_unless("presencePenalty", &["0", "0.0"], Turn(Knob::PresencePenalty)),
    field("responseJsonSchema", Read),
    field_unless("responseLogprobs", &["false"], Turn(Knob::Logprobs)),
    field("responseMimeType", Read),
    field("responseModalities", Read),
    field("responseSchema", Read),
    field("routingConfig", Lost(Hint, "only Google selects a model by itself")),
    field("seed", Turn(Knob::Seed)),
    field("speechConfig", Lost(Hint, "no other dialect speaks")),
    field("stopSequences", Read),
    field("temperature", Turn(Knob::Temperature)),
    field("thinkingConfig", Read),
    field("topK", Turn(Knob::TopK)),
    field_unless("topP", &["1", "1.0"], Turn(Knob::TopP)),
];

/// The knobs' names in full.
pub(super) const KNOBS: &[(Knob, &str)] = &[
    (Knob::FrequencyPenalty, "generationConfig.frequencyPenalty"),
    (Knob::Logprobs, "generationConfig.responseLogprobs"),
    (Knob::PresencePenalty, "generationConfig.presencePenalty"),
    (Knob::Seed, "generationConfig.seed"),
    (Knob::Temperature, "generationConfig.temperature"),
    (Knob::TopK, "generationConfig.topK"),
    (Knob::TopLogprobs, "generationConfig.logprobs"),
    (Knob::TopP, "generationConfig.topP"),
];

/// The fields of a part, whatever it holds.
pub(super) const PART: &[Field] = &[
    field("audioMetadata", Lost(Hint, "no other dialect describes sound")),
    field(
        "audioTranscription",
        Lost(Meaning, "no other dialect has transcriptions"),
    ),
    field("codeExecutionResult", Read),
    field("documentMetadata", Lost(Hint, "no other dialect describes documents")),
    field("executableCode", Read),
    field("fileData", Read),
    field("functionCall", Read),
    field("functionResponse", Read),
    field("inlineData", Read),
    field("mediaProcessing", Lost(Hint, "no other dialect processes media")),
    field("mediaResolution", Lost(Hint, "no other dialect has a resolution")),
    field("partMetadata", Lost(Hint, "only Google keeps metadata")),
    field("speechMetadata", Lost(Hint, "no other dialect describes speech")),
    field("spreadsheetMetadata", Lost(Hint, "no other dialect describes sheets")),
    field("text", Read),
    field("thought", Read),
    field("thoughtSignature", Read),
    field("toolCall", Read),
    field("toolResponse", Read),
    field("videoMetadata", Lost(Meaning, "no other dialect cuts videos")),
];

/// The fields of what a function returned.
pub(super) const FUNCTION_RESPONSE: &[Field] = &[
    field("id", Read),
    field("name", Read),
    field("parts", Read),
    field("response", Read),
    field("scheduling", Lost(Hint, "no other dialect has calls that do not block")),
    field_unless(
        "willContinue",
        &["false"],
        Lost(Hint, "no other dialect has calls that do not block"),
    ),
];

/// The fields of a function's declaration.
pub(super) const FUNCTION: &[Field] = &[
    field_unless(
        "behavior",
        &["\"BLOCKING\"", "\"UNSPECIFIED\""],
        Lost(Hint, "no other dialect has calls that do not block"),
    ),
    field("description", Read),
    field("name", Read),
    field("parameters", Read),
    field("parametersJsonSchema", Read),
    field("response", Lost(Hint, "no other dialect describes what a tool returns")),
    field(
        "responseJsonSchema",
        Lost(Hint, "no other dialect describes what a tool returns"),
    ),
];
