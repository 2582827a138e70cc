//! Azure OpenAI: OpenAI's answers behind paths, a key and refusals of Azure's.

use crate::answer::{Answer, Body, Event};
use crate::builder::Settings;
use crate::json::{Json, compact};
use crate::openai::OpenAi;
use crate::received::Received;
use crate::reply::FILTER;
use crate::serve::Provider;
use crate::step::{Refusal, Style};
use bytes::Bytes;
use serde_json::{Value, json};

/// Where each deployment has paths of its own, with the API's version in their query.
const DEPLOYMENTS: &str = "/openai/deployments/";
/// Where all have one path, as OpenAI's have.
const NEWER: &str = "/openai/v1/";

/// A fake Azure OpenAI: its deployments are called as its models are.
pub(crate) struct Azure {
    openai: OpenAi,
    settings: Settings,
}

/// A refusal before it is an answer.
struct Error {
    status: u16,
    body: Value,
}

impl Error {
    fn new(status: u16, code: &str, message: &str) -> Error {
        let body = json!({"error": {"code": code, "message": message}});
        Error { status, body }
    }
}

impl Provider for Azure {
    fn answer(&self, request: &Received, style: Style) -> Answer {
        match self.admitted(request) {
            Ok(inner) => filtered(self.openai.answer(&inner, style)),
            Err(error) => Answer {
                status: error.status,
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: Body::Whole(compact(&error.body).into()),
                bill: None,
            },
        }
    }

    fn refuse(&self, request: &Received, refusal: Refusal) -> Answer {
        self.openai.refuse(request, refusal)
    }

    fn error_event(&self, request: &Received, status: u16) -> Bytes {
        self.openai.error_event(request, status)
    }
}

impl Azure {
    pub(crate) fn new(settings: Settings) -> Azure {
        Azure {
            openai: OpenAi::new(settings.clone()),
            settings,
        }
    }

    /// The request as OpenAI would have it.
    fn admitted(&self, request: &Received) -> Result<Received, Error> {
        let key = request.header("api-key").filter(|key| self.settings.accepts(key));
        let key = key.ok_or_else(|| {
            Error::new(
                401,
                "401",
                "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key \
                 for an active subscription and use a correct regional API endpoint for your resource.",
            )
        })?;
        let (path, body) = match request.path().strip_prefix(NEWER) {
            Some(path) => (path.to_owned(), request.body.clone()),
            None => self.of_deployment(request)?,
        };
        if String::from_utf8_lossy(&body).contains(FILTER) {
            return Err(policy_violation());
        }
        let authorization = ("authorization".to_owned(), Bytes::from(format!("Bearer {key}")));
        Ok(Received {
            target: format!("/v1/{path}"),
            headers: request.headers.iter().cloned().chain([authorization]).collect(),
            body,
            ..request.clone()
        })
    }

    /// What stands behind the deployment, and the body with its model.
    fn of_deployment(&self, request: &Received) -> Result<(String, Bytes), Error> {
        let none = || Error::new(404, "404", "Resource not found");
        let (deployment, path) = request
            .path()
            .strip_prefix(DEPLOYMENTS)
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(none)?;
        let query = request.target.split_once('?').map_or("", |(_, query)| query);
        let version = query.split('&').find_map(|member| member.strip_prefix("api-version="));
        version.filter(|version| !version.is_empty()).ok_or_else(none)?;
        if self.settings.model(deployment).is_none() {
            return Err(Error::new(
                404,
                "DeploymentNotFound",
                "The API deployment for this resource does not exist. If you created the deployment within the last 5 \
                 minutes, please wait a moment and try again.",
            ));
        }
        let body: Json = serde_json::from_slice(&request.body).map_err(|_| none())?;
        let Json::Object(mut fields) = body.without("model") else {
            return Err(none());
        };
        fields.insert(0, ("model".to_owned(), Json::Text(deployment.to_owned())));
        Ok((path.to_owned(), compact(&Json::Object(fields)).into()))
    }
}

fn policy_violation() -> Error {
    let severe = json!({"filtered": true, "severity": "high"});
    Error {
        status: 400,
        body: json!({"error": {
            "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. \
                        Please modify your prompt and retry.",
            "type": null, "param": "prompt", "code": "content_filter", "status": 400,
            "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"violence": severe}}}}),
    }
}

/// With the chunk that says what was found in the prompt, before all others.
fn filtered(mut answer: Answer) -> Answer {
    if let Body::Events(events) = &mut answer.body {
        let safe = json!({"filtered": false, "severity": "safe"});
        let found = json!([{"prompt_index": 0, "content_filter_results": {"hate": safe, "violence": safe}}]);
        let chunk = json!({"choices": [], "created": 0, "id": "", "model": "", "object": "",
            "prompt_filter_results": found});
        events.insert(0, Event::frame(format!("data: {}\n\n", compact(&chunk))));
    }
    answer
}
