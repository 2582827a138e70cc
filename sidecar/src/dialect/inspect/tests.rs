use super::{Inspection, inspect_response};
use crate::dialect::{Class, ClientDialect, Operation, Usage};

#[test]
fn a_whole_answer_is_one_or_the_fault_it_stands_for() {
    let usage = |input, output| {
        Ok(Inspection {
            usage: Some(Usage {
                input,
                output,
                ..Usage::default()
            }),
        })
    };
    let none = Ok(Inspection::default());
    let (chat, messages) = (ClientDialect::Chat, ClientDialect::Messages);
    let (generate, embeddings) = (Operation::Generate, Operation::Embeddings);
    let cases = [
        (
            chat,
            generate,
            r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#,
            usage(3, 4),
        ),
        // DeepSeek sends blank lines while it queues.
        (chat, generate, "\n\n{\"choices\":[]}", none),
        (chat, generate, r#"{"choices":[],"error":null}"#, none),
        (
            chat,
            embeddings,
            r#"{"data":[],"usage":{"prompt_tokens":8,"total_tokens":8}}"#,
            usage(8, 0),
        ),
        (chat, embeddings, r#"{"choices":[]}"#, Err(Class::Malformed)),
        (chat, generate, r#"{"data":[]}"#, Err(Class::Malformed)),
        (chat, generate, r#"{"choices":{}}"#, Err(Class::Malformed)),
        (chat, generate, "<html>", Err(Class::Malformed)),
        (chat, generate, "", Err(Class::Malformed)),
        (chat, generate, r#"{"choices":[]"#, Err(Class::Malformed)),
        (
            chat,
            generate,
            r#"{"error":{"message":"no","code":502}}"#,
            Err(Class::ServerError),
        ),
        (
            chat,
            generate,
            r#"{"error":{"message":"no","code":429},"choices":[]}"#,
            Err(Class::Limited),
        ),
        (
            chat,
            generate,
            r#"{"object":"error","message":"m","type":"BadRequestError","code":400}"#,
            Err(Class::Client),
        ),
        (
            chat,
            generate,
            r#"{"choices":[{"finish_reason":"error"}]}"#,
            Err(Class::ServerError),
        ),
        (
            messages,
            generate,
            r#"{"content":[],"usage":{"input_tokens":3,"output_tokens":4}}"#,
            usage(3, 4),
        ),
        (messages, generate, r#"{"content":"x"}"#, Err(Class::Malformed)),
        (
            messages,
            generate,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            Err(Class::Limited),
        ),
    ];
    for (dialect, operation, body, expected) in cases {
        let found = inspect_response(dialect, operation, body.as_bytes()).map_err(|fault| fault.class);
        assert_eq!(found, expected, "{body}");
    }
}
