//! Usage as chat providers count it.

use crate::dialect::Usage;
use crate::json::{Object, ObjectWriter, Raw};

/// The numbers of `usage`, as they stand there.
#[derive(Clone, Copy, Default)]
struct Numbers {
    prompt: Option<u64>,
    completion: Option<u64>,
    total: Option<u64>,
    /// By OpenAI's name, by DeepSeek's, and by Moonshot's.
    cached: [Option<u64>; 3],
    written: Option<u64>,
    reasoning: Option<u64>,
}

/// Reads `usage`. Input includes what was cached; some providers name the cached part in their own way, and xAI counts
/// reasoning beside `completion_tokens` instead of in it.
pub(in crate::dialect) fn read(usage: Raw<'_>) -> Option<Usage> {
    let Numbers {
        prompt,
        completion,
        total,
        cached: [cached, hit, plain],
        written,
        reasoning,
    } = numbers(usage)?;
    prompt.or(completion).or(total)?;
    let input = prompt.unwrap_or(0);
    let cached = cached.or(hit).or(plain).unwrap_or(0);
    let reasoning = reasoning.unwrap_or(0);
    let mut output = completion.unwrap_or(0);
    if reasoning > 0 && total == Some(input.saturating_add(output).saturating_add(reasoning)) {
        output = output.saturating_add(reasoning);
    }
    let cached_input = cached.min(input);
    let cache_write_input = written.unwrap_or(0).min(input - cached_input);
    Some(Usage {
        input,
        cached_input,
        cache_write_input,
        cache_write_hour: None,
        output,
        reasoning: reasoning.min(output),
    })
}

fn numbers(usage: Raw<'_>) -> Option<Numbers> {
    let mut numbers = Numbers::default();
    usage.visit(|of, key, value| {
        let place = match (of, key) {
            (None, "prompt_tokens") => &mut numbers.prompt,
            (None, "completion_tokens") => &mut numbers.completion,
            (None, "total_tokens") => &mut numbers.total,
            (Some("prompt_tokens_details"), "cached_tokens") => &mut numbers.cached[0],
            (None, "prompt_cache_hit_tokens") => &mut numbers.cached[1],
            (None, "cached_tokens") => &mut numbers.cached[2],
            (Some("prompt_tokens_details"), "cache_write_tokens") => &mut numbers.written,
            (Some("completion_tokens_details"), "reasoning_tokens") => &mut numbers.reasoning,
            _ => return,
        };
        *place = value.u64();
    })?;
    Some(numbers)
}

/// The usage of a ranking, which has no output: some say only a total, Cohere what it bills, if that is tokens.
pub(in crate::dialect) fn of_ranking(answer: &Object<'_>) -> Option<Usage> {
    let said = || {
        let usage = answer.get("usage")?.object()?;
        let number = usage.get("total_tokens").or_else(|| usage.get("prompt_tokens"))?;
        number.u64()
    };
    let billed = || {
        let meta = answer.get("meta")?.object()?;
        meta.get("billed_units")?.object()?.get("input_tokens")?.u64()
    };
    Some(Usage {
        input: said().or_else(billed)?,
        ..Usage::default()
    })
}

/// The usage of an answer or a chunk: its own, or where Groq and Moonshot put it.
pub(in crate::dialect) fn of(answer: &Object<'_>) -> Option<Usage> {
    let beside = || answer.get("x_groq")?.object()?.get("usage");
    let inside = || answer.get("choices")?.elements()?.objects().next()??.get("usage");
    answer
        .get("usage")
        .and_then(read)
        .or_else(|| read(beside()?))
        .or_else(|| read(inside()?))
}

/// Writes the members of `usage`.
pub(in crate::dialect) fn write(usage: &Usage, object: &mut ObjectWriter<'_>) {
    let Usage {
        input,
        cached_input,
        cache_write_input,
        cache_write_hour: _,
        output,
        reasoning,
    } = *usage;
    object.u64("prompt_tokens", input);
    object.u64("completion_tokens", output);
    object.u64("total_tokens", input.saturating_add(output));
    let mut details = object.object("prompt_tokens_details");
    details.u64("cached_tokens", cached_input);
    if cache_write_input > 0 {
        details.u64("cache_write_tokens", cache_write_input);
    }
    details.end();
    object
        .object("completion_tokens_details")
        .u64("reasoning_tokens", reasoning);
}

#[cfg(test)]
mod tests {
    use super::{Usage, of};
    use crate::json;

    #[test]
    fn every_provider_s_way_of_counting_ends_in_one_meaning() {
        let usage = |input, cached_input, cache_write_input, output, reasoning| {
            Some(Usage {
                input,
                cached_input,
                cache_write_input,
                cache_write_hour: None,
                output,
                reasoning,
            })
        };
        let cases = [
            (
                r#"{"usage":{"prompt_tokens":10,"completion_tokens":3,"total_tokens":13}}"#,
                usage(10, 0, 0, 3, 0),
            ),
            (
                r#"{"usage":{"prompt_tokens":10,"completion_tokens":8,"total_tokens":18,"prompt_tokens_details":
                {"cached_tokens":4,"cache_write_tokens":5},"completion_tokens_details":{"reasoning_tokens":6}}}"#,
                usage(10, 4, 5, 8, 6),
            ),
            (
                r#"{"usage":{"prompt_tokens":10,"completion_tokens":1,"prompt_cache_hit_tokens":9}}"#,
                usage(10, 9, 0, 1, 0),
            ),
            (
                r#"{"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":17,
                "completion_tokens_details":{"reasoning_tokens":5}}}"#,
                usage(10, 0, 0, 7, 5),
            ),
            (
                r#"{"usage":null,"x_groq":{"usage":{"prompt_tokens":1,"completion_tokens":2}}}"#,
                usage(1, 0, 0, 2, 0),
            ),
            (
                r#"{"choices":[{"usage":{"prompt_tokens":1,"completion_tokens":2}}]}"#,
                usage(1, 0, 0, 2, 0),
            ),
            (
                r#"{"usage":{"prompt_tokens":8,"total_tokens":8}}"#,
                usage(8, 0, 0, 0, 0),
            ),
            (
                r#"{"usage":{"prompt_tokens":1,"prompt_tokens_details":{"cached_tokens":9}}}"#,
                usage(1, 1, 0, 0, 0),
            ),
            (r#"{"usage":{}}"#, None),
            (r#"{"usage":null}"#, None),
            (r#"{}"#, None),
        ];
        for (answer, expected) in cases {
            let answer = json::parse(answer.as_bytes()).unwrap();
            assert_eq!(of(&answer), expected, "{}", answer.text());
        }
    }
}
