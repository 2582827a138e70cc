//! `usageMetadata`: the prompt includes what was cached, the candidates leave out what was thought (of some models they
//! include it, which the total tells), and what the provider's own tools put into the prompt is counted beside it.

use super::spelling::given;
use crate::dialect::Usage;
use crate::json::{Object, ObjectWriter, Raw};

/// The usage of an answer, or of a chunk of one; the last chunk's counts.
pub(in crate::dialect) fn of(answer: &Object<'_>) -> Option<Usage> {
    let counts = given(answer, "usageMetadata")?.object()?;
    let count = |key| given(&counts, key).and_then(Raw::u64);
    let prompt = count("promptTokenCount");
    let (candidates, thoughts) = (count("candidatesTokenCount"), count("thoughtsTokenCount"));
    prompt.or(candidates).or(thoughts)?;
    let input = prompt
        .unwrap_or(0)
        .saturating_add(count("toolUsePromptTokenCount").unwrap_or(0));
    let (candidates, reasoning) = (candidates.unwrap_or(0), thoughts.unwrap_or(0));
    let includes_thoughts =
        reasoning <= candidates && count("totalTokenCount") == Some(input.saturating_add(candidates));
    let output = match includes_thoughts {
        true => candidates,
        false => candidates.saturating_add(reasoning),
    };
    Some(Usage {
        input,
        cached_input: count("cachedContentTokenCount").unwrap_or(0).min(input),
        cache_write_input: 0,
        cache_write_hour: None,
        output,
        reasoning,
    })
}

/// Writes the members of `usageMetadata`.
pub(in crate::dialect) fn write(usage: &Usage, object: &mut ObjectWriter<'_>) {
    let Usage {
        input,
        cached_input,
        cache_write_input: _,
        cache_write_hour: _,
        output,
        reasoning,
    } = *usage;
    object.u64("promptTokenCount", input);
    object.u64("candidatesTokenCount", output.saturating_sub(reasoning));
    object.u64("totalTokenCount", input.saturating_add(output));
    if cached_input > 0 {
        object.u64("cachedContentTokenCount", cached_input);
    }
    if reasoning > 0 {
        object.u64("thoughtsTokenCount", reasoning);
    }
}

#[cfg(test)]
mod tests {
    use super::{Usage, of, write};
    use crate::json::{self, ObjectWriter};

    #[test]
    fn thoughts_that_the_candidates_include_are_counted_once() {
        let of = |counts: &str| {
            let answer = format!(r#"{{"usageMetadata":{{"promptTokenCount":22,{counts}}}}}"#);
            let usage = of(&json::parse(answer.as_bytes()).unwrap()).unwrap();
            (usage.output, usage.reasoning)
        };
        let told = r#""candidatesTokenCount":20,"thoughtsTokenCount":6"#;
        assert_eq!(of(&format!(r#"{told},"totalTokenCount":42"#)), (20, 6));
        assert_eq!(of(&format!(r#"{told},"totalTokenCount":48"#)), (26, 6));
        assert_eq!(of(told), (26, 6));
    }

    #[test]
    fn thoughts_are_output_and_what_tools_said_is_input() {
        let answer = br#"{"usageMetadata":{"promptTokenCount":10,"cachedContentTokenCount":4,"candidatesTokenCount":5,
            "thoughtsTokenCount":7,"toolUsePromptTokenCount":3,"totalTokenCount":25}}"#;
        let usage = Usage {
            input: 13,
            cached_input: 4,
            cache_write_input: 0,
            cache_write_hour: None,
            output: 12,
            reasoning: 7,
        };
        assert_eq!(of(&json::parse(answer).unwrap()), Some(usage));
        let mut out = Vec::new();
        write(&usage, &mut ObjectWriter::new(&mut out).object("usageMetadata"));
        assert_eq!(of(&json::parse(&out).unwrap()), Some(usage));
        assert_eq!(of(&json::parse(br#"{"usageMetadata":{}}"#).unwrap()), None);
    }
}
