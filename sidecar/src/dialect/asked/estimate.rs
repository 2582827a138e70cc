//! How many input tokens a request is, roughly and always alike: no tokenizer, the same number in every sidecar.

use crate::dialect::{Asked, Dialect, Operation};
use crate::json::{Raw, Type};

/// Bytes of UTF-8 text that count as one token.
const BYTES_PER_TOKEN: u64 = 4;

/// What an image, a file or a sound counts. Anthropic charges at most about 1,600 tokens for an image of the size it
/// works at, OpenAI's models at most about as much: the dearest usual case, since the number guards windows.
const TOKENS_PER_MEDIA: u64 = 1_600;

#[derive(Default)]
struct Sum {
    bytes: u64,
    media: u64,
}

impl Asked<'_> {
    /// ⌈UTF-8 bytes of all text ÷ 4⌉ + 1,600 for each image, file or sound. Text is what the model reads: messages,
    /// system prompt, tool definitions, calls and results, an output schema. Walks the body: ask once.
    pub fn input_tokens(&self) -> u64 {
        let mut sum = Sum::default();
        for member in self.object.members() {
            match (self.operation, &*member.key()) {
                (Operation::Generate, "messages") => sum.add_all(member.value),
                (Operation::Generate, "system") if self.dialect == Dialect::Messages => sum.add(member.value),
                (Operation::Generate, "tools" | "functions" | "response_format" | "output_config") => {
                    sum.add_written(member.value);
                }
                (Operation::Embeddings, "input") => sum.add(member.value),
                _ => {}
            }
        }
        sum.bytes.div_ceil(BYTES_PER_TOKEN) + sum.media * TOKENS_PER_MEDIA
    }
}

impl Sum {
    fn add_all(&mut self, list: Raw<'_>) {
        for element in list.elements().into_iter().flatten() {
            self.add(element);
        }
    }

    /// JSON that the model reads as such.
    fn add_written(&mut self, value: Raw<'_>) {
        self.bytes += value.text().len() as u64;
    }

    fn add(&mut self, value: Raw<'_>) {
        match value.kind() {
            Type::String => self.bytes += string_bytes(value),
            Type::Array => self.add_all(value),
            Type::Object => self.add_object(value),
            // An embedding's input may be token numbers.
            Type::Number => self.bytes += BYTES_PER_TOKEN,
            Type::Null | Type::Bool => {}
        }
    }

    /// A message or a part of one, in either dialect.
    fn add_object(&mut self, value: Raw<'_>) {
        let Some(object) = value.object() else { return };
        let kind = object.get("type").and_then(Raw::string).unwrap_or_default();
        if matches!(&*kind, "image" | "image_url" | "file" | "document" | "input_audio") {
            self.media += 1;
            return;
        }
        for member in object.members() {
            match &*member.key() {
                "content" | "text" | "thinking" | "refusal" | "reasoning_content" | "name" | "title" => {
                    self.add(member.value);
                }
                "tool_calls" | "function" | "function_call" | "custom" | "arguments" => self.add(member.value),
                "input" if member.value.kind() == Type::Object => self.add_written(member.value),
                "input" => self.add(member.value),
                _ => {}
            }
        }
    }
}

/// The UTF-8 length of a string with its escapes resolved, without resolving them.
fn string_bytes(value: Raw<'_>) -> u64 {
    let text = value.text().as_bytes();
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    if memchr::memchr(b'\\', inner).is_none() {
        return inner.len() as u64;
    }
    value.string().map_or(0, |text| text.len() as u64)
}
