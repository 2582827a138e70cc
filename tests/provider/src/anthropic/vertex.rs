//! Claude at Vertex AI: the model in the path, Anthropic's version in the body, Google's token in the header.

use super::{Anthropic, Error, error, json};
use crate::answer::Answer;
use crate::json::Json;
use crate::received::Received;
use crate::step::Style;

/// What stands in the paths of its models.
pub(super) const PUBLISHER: &str = "/publishers/anthropic/models/";
const VERSION: &str = "vertex-2023-10-16";

impl Anthropic {
    pub(super) fn vertex(&self, request: &Received, style: Style) -> Result<Answer, Error> {
        let bearer = request
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        if !bearer.is_some_and(|token| self.settings.accepts(token.trim())) {
            return Err(error::wrong_token());
        }
        let (_, call) = request.path().split_once(PUBLISHER).ok_or_else(error::unknown_path)?;
        let (model, method) = call.rsplit_once(':').ok_or_else(error::unknown_path)?;
        let body = json(request)?;
        if body.text_of("anthropic_version") != Some(VERSION) {
            return Err(Error::invalid(format!(
                "anthropic_version: Input should be '{VERSION}'"
            )));
        }
        let streams = match method {
            "rawPredict" => false,
            "streamRawPredict" => true,
            _ => return Err(error::unknown_path()),
        };
        if model == "count-tokens" {
            return self.counted(request, body.without("anthropic_version"));
        }
        if body.is_set("stream") != streams {
            return Err(Error::invalid("stream: must say what the method says"));
        }
        let answer = self.hosted(request, body, model, style);
        answer.map_err(|refused| match refused.status {
            404 => error::unknown_model(model),
            _ => Error::invalid(refused.message),
        })
    }

    pub(super) fn counted(&self, request: &Received, body: Json) -> Result<Answer, Error> {
        let model = self.model_of(&body)?;
        super::validate::message(&body, &super::shapes::COUNT, model)?;
        let input_tokens = super::prompt::blocks(&body).iter().map(|block| block.tokens).sum();
        Ok(self.plain(request, 200, crate::json::compact(&super::Count { input_tokens })))
    }
}
