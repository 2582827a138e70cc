use super::{Picture, Pictures};
use crate::dialect::{
    Asked, ClientDialect, Dialect, Found, InPath, Operation, Stamp, Translated, Upstream, translate_request_with,
};
use pilotfish_wire::Capabilities;
use serde_json::{Value, json};

const URL: &str = "https://img.example/a.png";

fn translate(upstream: Dialect, provider: &str, features: Option<&[&str]>, pictures: Option<&Pictures>) -> Translated {
    let image = json!({"type": "image", "source": {"type": "url", "url": URL}});
    let result = json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": [image]});
    let request = json!({"model": "c", "max_tokens": 9, "messages": [
        {"role": "user", "content": [{"type": "text", "text": "look"}, image]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}]},
        {"role": "user", "content": [result]},
    ], "tools": [{"name": "f", "input_schema": {"type": "object"}}]});
    let body = serde_json::to_vec(&request).unwrap();
    let asked = Asked::read(ClientDialect::Messages, Operation::Generate, InPath::default(), &body).unwrap();
    let features = features.map(|features| features.iter().map(|&feature| feature.to_owned()).collect());
    let capabilities = Capabilities {
        features,
        ..Capabilities::default()
    };
    let upstream = Upstream {
        dialect: upstream,
        provider,
        model: "m",
        capabilities: &capabilities,
    };
    let stamp = Stamp {
        request_id: "req1",
        created: 1_800_000_000,
    };
    let recall = None;
    translate_request_with(&asked, &upstream, stamp, Found { recall, pictures }).unwrap()
}

fn found(picture: Result<&str, &'static str>) -> Pictures {
    let mut pictures = Pictures::default();
    let picture = picture.map(|base64| Picture {
        media_type: "image/png",
        base64: base64.to_owned(),
    });
    pictures.put(URL.to_owned(), picture);
    pictures
}

fn losses(translated: &Translated) -> Vec<(&str, &str)> {
    let losses = translated.losses.iter();
    losses.map(|loss| (&*loss.field, &*loss.why)).collect()
}

#[test]
fn bytes_are_wanted_where_the_provider_does_not_fetch() {
    let none = Pictures::default();
    for (dialect, provider, wanted) in [
        (Dialect::Converse, "aws.bedrock", 2),
        (Dialect::Ollama, "ollama", 2),
        (Dialect::Gemini, "gcp.gemini", 2),
        (Dialect::Gemini, "gcp.vertex_ai", 0),
        (Dialect::Chat, "openai", 0),
        (Dialect::Responses, "openai", 0),
    ] {
        let translated = translate(dialect, provider, None, Some(&none));
        assert_eq!(translated.wanted, vec![URL; wanted], "{provider}");
        assert!(
            translate(dialect, provider, None, None).wanted.is_empty(),
            "nothing is fetched"
        );
    }
    let blind = translate(Dialect::Converse, "aws.bedrock", Some(&["Tools"]), Some(&none));
    assert!(blind.wanted.is_empty(), "the model would not see it");
}

#[test]
fn what_was_found_stands_in_its_place() {
    let pictures = found(Ok("iVBO"));
    let sent = |dialect, provider| -> Value {
        let translated = translate(dialect, provider, None, Some(&pictures));
        let lost = losses(&translated).iter().any(|(_, why)| why.contains("image"));
        assert!(
            translated.wanted.is_empty() && !lost,
            "{provider}: {:?}",
            translated.losses
        );
        serde_json::from_slice(&translated.body).unwrap()
    };
    let image = json!({"image": {"format": "png", "source": {"bytes": "iVBO"}}});
    let converse = sent(Dialect::Converse, "aws.bedrock");
    assert_eq!(converse["messages"][0]["content"][1], image);
    assert_eq!(converse["messages"][2]["content"][0]["toolResult"]["content"][0], image);
    assert_eq!(
        sent(Dialect::Ollama, "ollama")["messages"][0]["images"],
        json!(["iVBO"])
    );
    let blob = json!({"inlineData": {"mimeType": "image/png", "data": "iVBO"}});
    assert_eq!(sent(Dialect::Gemini, "gcp.gemini")["contents"][0]["parts"][1], blob);
}

#[test]
fn what_could_not_be_had_is_lost_by_name() {
    let pictures = found(Err("the image cannot be fetched: it is too far away"));
    let translated = translate(Dialect::Converse, "aws.bedrock", None, Some(&pictures));
    assert!(translated.wanted.is_empty());
    let why = "the image cannot be fetched: it is too far away";
    let lost = losses(&translated);
    assert_eq!(lost.first(), Some(&("messages[0].content[1]", why)));
    assert_eq!(lost.len(), 2, "{lost:?}");
}
