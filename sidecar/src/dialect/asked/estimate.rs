//! How many input tokens a request is, roughly and always alike: no tokenizer, the same number in every sidecar.

use crate::dialect::{Asked, ClientDialect, Operation};
use crate::json::{Raw, Type};

/// Bytes of UTF-8 text that count as one token.
const BYTES_PER_TOKEN: u64 = 4;

/// What an image, a file or a sound counts. Anthropic charges at most about 1,600 tokens for an image of the size it
/// works at, OpenAI's models at most about as much: the dearest usual case, since the number guards windows.
const TOKENS_PER_MEDIA: u64 = 1_600;

/// Deeper than any message is nested; what lies deeper is counted as written, so that a hostile body costs one walk
/// and not one a level.
const DEEPEST: u8 = 8;

struct Sum {
    bytes: u64,
    media: u64,
    depth: u8,
    /// Tokens beyond which it does not matter how many there are.
    enough: u64,
}

impl Asked<'_> {
    /// ⌈UTF-8 bytes of all text ÷ 4⌉ + 1,600 for each image, file or sound. Text is what the model reads: messages,
    /// system prompt, tool definitions, calls and results, an output schema. Walks the body: ask once.
    pub fn input_tokens(&self) -> u64 {
        self.input_tokens_up_to(u64::MAX)
    }

    /// The same, exact if it is less than `enough`; otherwise at least that much. Reads no further than it must.
    pub fn input_tokens_up_to(&self, enough: u64) -> u64 {
        let mut sum = Sum {
            bytes: 0,
            media: 0,
            depth: 0,
            enough,
        };
        // What is counted is a conversation, too.
        let operation = match self.operation {
            Operation::CountTokens => Operation::Generate,
            other => other,
        };
        for member in self.object.members() {
            if sum.is_enough() {
                break;
            }
            match (operation, &*member.key()) {
                (Operation::Generate, "messages") => sum.add_all(member.value),
                (Operation::Generate, "system") if self.dialect == ClientDialect::Messages => sum.add(member.value),
                (Operation::Generate, "instructions" | "input") if self.dialect == ClientDialect::Responses => {
                    sum.add(member.value);
                }
                (Operation::Generate, "text") if self.dialect == ClientDialect::Responses => {
                    sum.add_written(member.value);
                }
                (Operation::Generate, "tools" | "functions" | "response_format" | "output_config") => {
                    sum.add_written(member.value);
                }
                (Operation::Generate, "contents" | "systemInstruction" | "system_instruction")
                    if self.dialect == ClientDialect::Gemini =>
                {
                    sum.add(member.value);
                }
                (Operation::Embeddings | Operation::EmbedOne, "input" | "content" | "requests") => {
                    sum.add(member.value)
                }
                (Operation::Completions, "prompt" | "suffix") => sum.add(member.value),
                (Operation::Rerank, "query" | "documents") => sum.add(member.value),
                _ => {}
            }
        }
        sum.tokens()
    }
}

impl Sum {
    fn tokens(&self) -> u64 {
        self.bytes.div_ceil(BYTES_PER_TOKEN) + self.media * TOKENS_PER_MEDIA
    }

    fn is_enough(&self) -> bool {
        self.tokens() >= self.enough
    }

    fn add_all(&mut self, list: Raw<'_>) {
        for element in list.elements().into_iter().flatten() {
            if self.is_enough() {
                return;
            }
            self.add(element);
        }
    }

    /// JSON that the model reads as such.
    fn add_written(&mut self, value: Raw<'_>) {
        self.bytes += value.text().len() as u64;
    }

    fn add(&mut self, value: Raw<'_>) {
        match value.kind() {
            Type::Array | Type::Object if self.depth == DEEPEST => self.add_written(value),
            Type::String => self.bytes += string_bytes(value),
            Type::Array => self.add_all(value),
            Type::Object => self.add_object(value),
            // An embedding's input may be token numbers.
            Type::Number => self.bytes += BYTES_PER_TOKEN,
            Type::Null | Type::Bool => {}
        }
    }

    /// A message or a part of one, in any dialect.
    fn add_object(&mut self, value: Raw<'_>) {
        let Some(object) = value.object() else { return };
        let kind = object.get("type").and_then(Raw::string).unwrap_or_default();
        if matches!(
            &*kind,
            "image" | "image_url" | "file" | "document" | "input_audio" | "input_image" | "input_file"
        ) {
            self.media += 1;
            return;
        }
        self.depth += 1;
        for member in object.members() {
            match &*member.key() {
                "content" | "text" | "thinking" | "refusal" | "reasoning_content" | "name" | "title" => {
                    self.add(member.value);
                }
                "parts" | "functionCall" | "functionResponse" | "function_response" => self.add(member.value),
                "args" | "response" => self.add_written(member.value),
                "inlineData" | "inline_data" | "fileData" | "file_data" => self.media += 1,
                // A result, and what reasoning shows, of Responses' items.
                "output" | "summary" if !kind.is_empty() => self.add(member.value),
                "tool_calls" | "function" | "function_call" | "custom" | "arguments" => self.add(member.value),
                "input" if member.value.kind() == Type::Object => self.add_written(member.value),
                "input" => self.add(member.value),
                _ => {}
            }
        }
        self.depth -= 1;
    }
}

/// The UTF-8 length of a string with its escapes resolved, without resolving them.
fn string_bytes(value: Raw<'_>) -> u64 {
    let text = value.text().as_bytes();
    let mut rest = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    let mut bytes = 0;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let escape = rest.get(at..).unwrap_or_default();
        let (written, resolved) = escape_bytes(escape);
        bytes += at + resolved;
        rest = escape.get(written..).unwrap_or_default();
    }
    (bytes + rest.len()) as u64
}

/// How long an escape is, and the UTF-8 of what it stands for.
fn escape_bytes(escape: &[u8]) -> (usize, usize) {
    let unit = |at: usize| -> Option<u32> {
        let digits = escape.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    match (unit(0), unit(6)) {
        (None, _) => (2, 1),
        (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, 4),
        (Some(0..=0x7f), _) => (6, 1),
        (Some(0x80..=0x7ff), _) => (6, 2),
        // A surrogate alone becomes U+FFFD, which is as long.
        (Some(_), _) => (6, 3),
    }
}

#[cfg(test)]
mod tests {
    use super::string_bytes;
    use crate::json;

    #[test]
    fn a_string_is_as_long_as_what_it_stands_for() {
        let cases = [
            r#""""#,
            r#""abc""#,
            r#""\n\"\\\/""#,
            r#""\\\\""#,
            r#""a\u00e9b\u0041\u20ac""#,
            r#""\ud83d\ude00 \ud83d \ude00 \ud83dx""#,
            r#""é€😀\u0000""#,
            r#""x\u07ff\u0800\uffff""#,
        ];
        for text in cases {
            let value = json::parse_value(text.as_bytes()).unwrap();
            assert_eq!(string_bytes(value), value.string().unwrap().len() as u64, "{text}");
        }
    }
}
