//! Every key is taken in camel case and in snake case; Google's own SDK mixes them.

use crate::json::Json;

/// What holds the application's own keys.
const DATA: [&str; 6] = [
    "args",
    "response",
    "parameters",
    "parametersJsonSchema",
    "responseSchema",
    "responseJsonSchema",
];

/// The same with all keys of the API in camel case.
pub(super) fn camel_case(value: &Json) -> Json {
    match value {
        Json::Object(fields) => {
            let field = |(key, value): &(String, Json)| {
                let key = camel(key);
                let value = match DATA.contains(&key.as_str()) {
                    true => value.clone(),
                    false => camel_case(value),
                };
                (key, value)
            };
            Json::Object(fields.iter().map(field).collect())
        }
        Json::List(elements) => Json::List(elements.iter().map(camel_case).collect()),
        other => other.clone(),
    }
}

fn camel(key: &str) -> String {
    let mut words = key.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}
