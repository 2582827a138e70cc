//! Conversations that the API holds between requests (the beta `message-threads-2026-08-12`).
//!
//! A request that creates a thread is whole; one that continues it names the answer before it and holds what came since.
//! A thread is continued once from each answer, and what the API no longer holds is a 404, after which the client sends
//! all of it again.

use super::error::{self, Error};
use crate::json::Json;
use crate::received::Received;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

const BETA: &str = "message-threads-2026-08-12";
/// What a thread keeps of the request that created it.
const KEPT: [&str; 2] = ["system", "tools"];

/// The threads of one fake, by the id of their last answer.
#[derive(Debug, Default)]
pub(super) struct Threads {
    held: Mutex<HashMap<String, Vec<(String, Json)>>>,
}

/// A request as if it had been sent whole.
pub(super) struct Opened {
    pub(super) body: Json,
    is_thread: bool,
}

impl Threads {
    /// Puts together what a request continues. Without the beta, `thread` is left for the check of unknown fields.
    pub(super) fn open(&self, request: &Received, body: Json) -> Result<Opened, Error> {
        let betas = request.header("anthropic-beta").unwrap_or_default();
        let Some(thread) = body.given("thread").filter(|_| betas.contains(BETA)) else {
            return Ok(Opened { body, is_thread: false });
        };
        let body = match (thread.text_of("type"), thread.text_of("previous_message_id")) {
            (Some("create"), None) => body.without("thread"),
            (Some("continue"), Some(id)) => self.continued(id, &body.without("thread"))?,
            _ => return Err(Error::invalid("thread: Input should be `create` or `continue`")),
        };
        Ok(Opened { body, is_thread: true })
    }

    fn continued(&self, id: &str, body: &Json) -> Result<Json, Error> {
        if let Some(key) = KEPT.iter().find(|key| body.given(key).is_some()) {
            return Err(Error::invalid(format!(
                "{key}: cannot be set when a thread is continued"
            )));
        }
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        let held = Json::Object(held.ok_or_else(|| error::no_thread(id))?);
        let messages = [held.list_of("messages"), body.list_of("messages")].concat();
        let mut fields = body.without("messages").fields().to_vec();
        fields.extend(held.without("messages").fields().iter().cloned());
        fields.push(("messages".to_owned(), Json::List(messages)));
        Ok(Json::Object(fields))
    }

    /// Holds a thread, with its new answer, under the answer's id.
    pub(super) fn hold(&self, opened: &Opened, id: &str, answer: Json) {
        if !opened.is_thread {
            return;
        }
        let said = |key: &str| Some((key.to_owned(), opened.body.given(key)?.clone()));
        let mut fields: Vec<_> = KEPT.iter().filter_map(|key| said(key)).collect();
        let role = ("role".to_owned(), Json::Text("assistant".to_owned()));
        let answer = Json::Object(vec![role, ("content".to_owned(), answer)]);
        let messages = [opened.body.list_of("messages"), &[answer]].concat();
        fields.push(("messages".to_owned(), Json::List(messages)));
        self.held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id.to_owned(), fields);
    }
}
