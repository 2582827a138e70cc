//! Which row of the failure table an error stands in. The tables are the knowledge; providers change, so they are data.

use super::blame::Sentence;
use super::quoted::{Ends, without_quotes};
use super::{Told, google};
use crate::dialect::Class;

/// Codes and types that decide whatever the status is.
const NAMES: &[(&str, Class)] = &[
    ("context_length_exceeded", Class::ContextOverflow),
    ("model_not_found", Class::ModelNotFound),
    ("DeploymentNotFound", Class::ModelNotFound),
    // Mistral's.
    ("invalid_model", Class::ModelNotFound),
    // Filters, under whatever status.
    ("content_filter", Class::Client),
    ("content_policy_violation", Class::Client),
    ("moderation_blocked", Class::Client),
    // The client's helper sends all of the conversation again.
    ("thread_not_found", Class::Client),
    ("invalid_api_key", Class::Unauthorised),
    ("API_KEY_INVALID", Class::Unauthorised),
    ("API_KEY_EXPIRED", Class::Unauthorised),
    (google::DAILY, Class::Spent),
    ("organization_on_hold", Class::Unauthorised),
    ("insufficient_quota", Class::Spent),
    ("credit_balance_exhausted", Class::Spent),
    ("organization_spend_limit_exceeded", Class::Spent),
    ("organization_usage_limit_exceeded", Class::Spent),
    ("project_spend_limit_exceeded", Class::Spent),
    ("billing_hard_limit_reached", Class::Spent),
    ("billing_not_active", Class::Spent),
    ("billing_error", Class::Spent),
    ("enforced_spend_limit_reached", Class::Spent),
    ("contract_spend_limit_reached", Class::Spent),
    ("linked_organization_spend_limit_reached", Class::Spent),
    ("linked_organization_billing_unavailable", Class::Spent),
    // AWS's.
    ("AccessDeniedException", Class::Unauthorised),
    ("ExpiredTokenException", Class::Unauthorised),
    ("IncompleteSignatureException", Class::Unauthorised),
    ("InvalidSignatureException", Class::Unauthorised),
    ("MissingAuthenticationTokenException", Class::Unauthorised),
    ("UnrecognizedClientException", Class::Unauthorised),
    ("ResourceNotFoundException", Class::ModelNotFound),
    ("ModelNotReadyException", Class::Limited),
    ("ServiceUnavailableException", Class::Limited),
    ("ThrottlingException", Class::Limited),
    // The account's, and none that passes: no other attempt there does better.
    ("ServiceQuotaExceededException", Class::Spent),
];

/// What an error without a status of its own (inside a 200, in a stream) stands for, by code or type.
const STATUSES: &[(&str, u16)] = &[
    ("invalid_request_error", 400),
    ("INVALID_ARGUMENT", 400),
    ("FAILED_PRECONDITION", 400),
    ("invalid_prompt", 400),
    ("bio_policy", 400),
    ("invalid_image", 400),
    ("invalid_image_format", 400),
    ("invalid_base64_image", 400),
    ("invalid_image_url", 400),
    ("image_parse_error", 400),
    ("image_content_policy_violation", 400),
    ("unsupported_image_media_type", 400),
    ("BadRequestError", 400),
    ("authentication_error", 401),
    ("billing_error", 402),
    ("permission_error", 403),
    ("not_found_error", 404),
    ("NotFoundError", 404),
    ("request_too_large", 413),
    ("rate_limit_error", 429),
    ("rate_limit_exceeded", 429),
    ("insufficient_quota", 429),
    ("RESOURCE_EXHAUSTED", 429),
    ("UNAUTHENTICATED", 401),
    ("PERMISSION_DENIED", 403),
    ("NOT_FOUND", 404),
    ("INTERNAL", 500),
    ("DEADLINE_EXCEEDED", 504),
    ("api_error", 500),
    ("server_error", 500),
    ("service_unavailable", 503),
    ("UNAVAILABLE", 503),
    ("timeout_error", 504),
    ("overloaded_error", 529),
    // AWS's.
    ("ServiceQuotaExceededException", 400),
    ("ValidationException", 400),
    ("AccessDeniedException", 403),
    ("ResourceNotFoundException", 404),
    ("ModelTimeoutException", 408),
    ("ModelErrorException", 424),
    ("ModelStreamErrorException", 424),
    ("ModelNotReadyException", 429),
    ("ThrottlingException", 429),
    ("InternalServerException", 500),
    ("ServiceUnavailableException", 503),
];

/// Sentences, in lower case, by which providers say that the input does not fit the window.
const OVERFLOW: &[&str] = &[
    "context_length_exceeded",
    "maximum context length",
    "model's context length",
    "context length exceeded",
    "exceeds the context window",
    "exceed context limit",
    "exceeds the available context size",
    "input length exceeds the context length",
    "prompt is too long",
    "maximum prompt length",
    "maximum model length",
    "input is too long for requested model",
    "exceeds the maximum number of tokens allowed",
    "input tokens exceed the configured limit",
    "reduce the length of the messages",
    "request too large for model",
    "`inputs` tokens + `max_new_tokens` must be",
    "too many tokens",
];

/// The same for an empty account; Anthropic says it under 400.
const SPENT: &[&str] = &[
    "your credit balance is too low",
    "credit balance is too low",
    "insufficient balance",
    "insufficient credits",
    "spend limit",
    "spending limit",
];

/// The same for a model that the provider does not have, under a status that is not 404.
const NO_MODEL: &[&str] = &[
    "is not a valid model",
    "unknown model",
    "model not found",
    "model not exist",
    "the model does not exist",
    "model identifier is invalid",
    "with on-demand throughput isn",
];

/// Names of an error that say that the request is wrong: a sentence beside them quotes it, more often than not.
const INVALID: &[&str] = &[
    "invalid_request_error",
    "BadRequestError",
    "INVALID_ARGUMENT",
    "validation_error",
];

/// The row for an error; `readable` says that the body was JSON and had a sentence.
pub(super) fn of(status: u16, readable: bool, told: &Told) -> Class {
    if let Some(class) = names(told).find_map(|name| find(NAMES, name)) {
        return class;
    }
    let said = Sentence::of(&told.message, names(told));
    // What takes a deployment away from others must be the provider's own words, and not what it repeats.
    let is_invalid = names(told).any(|name| INVALID.contains(&name));
    let says = |phrases: &[&str]| match is_invalid {
        true => said.begins_with(phrases),
        false => said.has(phrases),
    };
    match status {
        400 | 413 | 422 | 500 if overflows(told) => Class::ContextOverflow,
        400 | 403 if told.flagged => Class::Client,
        400 | 403 | 429 if says(SPENT) => Class::Spent,
        400 | 403 | 422 if says(NO_MODEL) => Class::ModelNotFound,
        404 if readable => said.of_404(),
        404 => Class::ModelNotFound,
        401 if readable => said.of_401(),
        403 if readable => said.of_403(),
        401 | 403 => Class::Unauthorised,
        402 => Class::Spent,
        429 | 498 | 503 | 529 => Class::Limited,
        // 424: Bedrock's word for a model that broke.
        408 | 424 => Class::ServerError,
        400..=499 => Class::Client,
        // 5xx, and a redirect, which is never followed.
        _ => Class::ServerError,
    }
}

/// The input does not fit the window, says the provider, or the one behind it.
fn overflows(told: &Told) -> bool {
    let sentences = [Some(&told.message), told.relayed.as_ref()];
    sentences.into_iter().flatten().any(|sentence| {
        let whole = sentence.to_lowercase();
        let plain = without_quotes(&whole, Ends::Nearest);
        // A phrase with marks of its own is never found without them.
        OVERFLOW
            .iter()
            .any(|phrase| plain.contains(phrase) || phrase.contains('`') && whole.contains(phrase))
    })
}

/// The status that an error inside a 200 stands for.
pub(super) fn status(told: &Told) -> u16 {
    told.status
        .or_else(|| names(told).find_map(|name| find(STATUSES, name)))
        .unwrap_or(500)
}

fn names(told: &Told) -> impl Iterator<Item = &str> {
    told.code.as_deref().into_iter().chain(told.kind.as_deref())
}

fn find<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}
