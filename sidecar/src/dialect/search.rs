//! Searching the web, which the provider does itself: a field of chat's, and a tool of the others'. What each of them can
//! say of it differs: where the search may lead is meaning, how much of it is read is a hint.

use super::gemini::spelling as google;
use super::item::{Part, Request};
use super::loss::Fate::{Lost, Ours, Read};
use super::loss::{self, Field, Ledger, field, field_unless, given, shown};
use super::{BadRequest, Dialect, Grade, Upstream};
use crate::json::{Object, ObjectWriter, Raw};

/// What Anthropic's tool is called, by its oldest version, which all of its models know that search.
const ANTHROPIC: &str = "web_search_20250305";
/// Google's, which its clients write in camel case or with underscores.
const GOOGLE: &str = "googleSearch";

/// What a request says of it.
#[derive(Debug)]
pub(super) struct Search<'a> {
    /// Its name in a loss report.
    field: String,
    /// Where its members are.
    path: String,
    /// `low`, `medium` or `high`.
    size: Option<Raw<'a>>,
    /// The user's city, region, country and time zone, about.
    location: Option<Object<'a>>,
    /// The only sites that are searched, and what the client calls them.
    allowed: Option<(&'static str, Raw<'a>)>,
    /// The sites that are not.
    blocked: Option<(&'static str, Raw<'a>)>,
    /// Most searches.
    uses: Option<Raw<'a>>,
}

/// Sorted by name, as all of these.
const CHAT: &[Field] = &[field("search_context_size", Read), field("user_location", Read)];
const RESPONSES: &[Field] = &[
    field_unless(
        "external_web_access",
        &["true"],
        Lost(Grade::Meaning, "only OpenAI searches what it has kept of the web"),
    ),
    field("filters", Read),
    field("search_context_size", Read),
    field("type", Ours),
    field("user_location", Read),
];
const MESSAGES: &[Field] = &[
    field_unless(
        "allowed_callers",
        &["[\"direct\"]"],
        Lost(Grade::Hint, "no other dialect says who may call"),
    ),
    field("allowed_domains", Read),
    field("blocked_domains", Read),
    field(
        "cache_control",
        Lost(Grade::Hint, "no other dialect has a cache breakpoint at its search"),
    ),
    field_unless(
        "defer_loading",
        &["false"],
        Lost(Grade::Hint, "no other dialect loads tools late"),
    ),
    field("max_uses", Read),
    field("name", Ours),
    field_unless(
        "response_inclusion",
        &["\"full\""],
        Lost(Grade::Hint, "no other dialect shows what was found"),
    ),
    field("strict", Ours),
    field("type", Ours),
    field("user_location", Read),
];
const GEMINI: &[Field] = &[
    field("excludeDomains", Read),
    field_unless(
        "searchTypes",
        &["{\"webSearch\":{}}"],
        Lost(Grade::Meaning, "no other dialect finds images"),
    ),
    field(
        "timeRangeFilter",
        Lost(Grade::Meaning, "no other dialect searches a time"),
    ),
];

/// Chat's `web_search_options`.
pub(super) fn of_chat<'a>(request: &Object<'a>, ledger: &mut Ledger) -> Result<Option<Search<'a>>, BadRequest> {
    const OPTIONS: &str = "web_search_options";
    let Some(options) = given(request, OPTIONS) else {
        return Ok(None);
    };
    let options = options
        .object()
        .ok_or_else(|| BadRequest::at(OPTIONS, "must be an object"))?;
    loss::decide(&options, CHAT, &format_args!("{OPTIONS}."), ledger)?;
    let location = given(&options, "user_location").and_then(Raw::object);
    Ok(Some(Search {
        field: OPTIONS.to_owned(),
        path: OPTIONS.to_owned(),
        size: size(&options),
        location: location.and_then(|location| given(&location, "approximate")?.object()),
        allowed: None,
        blocked: None,
        uses: None,
    }))
}

/// The tool of Responses, if this is it.
pub(super) fn of_responses<'a>(
    (index, tool): (usize, &Object<'a>),
    kind: &str,
    ledger: &mut Ledger,
) -> Result<Option<Search<'a>>, BadRequest> {
    if !matches!(kind, "web_search" | "web_search_2025_08_26" | "web_search_preview") {
        return Ok(None);
    }
    loss::decide(tool, RESPONSES, &format_args!("tools[{index}]."), ledger)?;
    let filters = given(tool, "filters").and_then(Raw::object);
    Ok(Some(Search {
        size: size(tool),
        location: given(tool, "user_location").and_then(Raw::object),
        allowed: filters.and_then(|filters| Some(("filters.allowed_domains", list(&filters, "allowed_domains")?))),
        ..Search::named(index, kind)
    }))
}

/// Anthropic's tool of any version, if this is it.
pub(super) fn of_messages<'a>(
    (index, tool): (usize, &Object<'a>),
    kind: &str,
    ledger: &mut Ledger,
) -> Result<Option<Search<'a>>, BadRequest> {
    if !kind.starts_with("web_search_2") {
        return Ok(None);
    }
    loss::decide(tool, MESSAGES, &format_args!("tools[{index}]."), ledger)?;
    let sites = |name: &'static str| Some((name, list(tool, name)?));
    Ok(Some(Search {
        location: given(tool, "user_location").and_then(Raw::object),
        allowed: sites("allowed_domains"),
        blocked: sites("blocked_domains"),
        uses: given(tool, "max_uses"),
        ..Search::named(index, kind)
    }))
}

/// Google's tool, if this is it.
pub(super) fn of_gemini<'a>(
    (index, key): (usize, &str),
    value: Raw<'a>,
    ledger: &mut Ledger,
) -> Result<Option<Search<'a>>, BadRequest> {
    if key != GOOGLE {
        return Ok(None);
    }
    let path = format!("tools[{index}].{GOOGLE}");
    let bad = || BadRequest::at(path.clone(), "must be an object");
    let options = value.object().ok_or_else(bad)?;
    loss::decide_as(google::camel_case, &options, GEMINI, &format_args!("{path}."), ledger)?;
    let blocked = google::given(&options, "excludeDomains");
    Ok(Some(Search {
        blocked: blocked
            .filter(|list| list.text() != "[]")
            .map(|list| ("excludeDomains", list)),
        field: path.clone(),
        path,
        ..Search::named(index, "")
    }))
}

/// `medium` is what is meant without a word.
fn size<'a>(options: &Object<'a>) -> Option<Raw<'a>> {
    given(options, "search_context_size").filter(|size| size.text() != "\"medium\"")
}

fn list<'a>(object: &Object<'a>, key: &str) -> Option<Raw<'a>> {
    given(object, key).filter(|list| list.elements().is_some_and(|mut list| list.next().is_some()))
}

impl Search<'_> {
    fn named(index: usize, kind: &str) -> Self {
        Self {
            field: format!("tools[{index}] ({})", shown(kind)),
            path: format!("tools[{index}]"),
            size: None,
            location: None,
            allowed: None,
            blocked: None,
            uses: None,
        }
    }

    /// Reports what an upstream has no word for.
    fn lacks(&self, lacks: &[Lack], ledger: &mut Ledger) {
        for lack in lacks {
            let (grade, name, why) = match lack {
                Lack::Size if self.size.is_some() => {
                    let why = "the upstream does not say how much of a search is read";
                    (Grade::Hint, "search_context_size", why)
                }
                Lack::Location if self.location.is_some() => (
                    Grade::Hint,
                    "user_location",
                    "the upstream is not told where the user is",
                ),
                Lack::Uses if self.uses.is_some() => {
                    (Grade::Hint, "max_uses", "the upstream does not limit its searches")
                }
                Lack::Allowed | Lack::Blocked => {
                    let sites = if *lack == Lack::Allowed {
                        self.allowed
                    } else {
                        self.blocked
                    };
                    let Some((name, _)) = sites else { continue };
                    (
                        Grade::Meaning,
                        name,
                        "the upstream cannot keep its search to such sites",
                    )
                }
                Lack::Size | Lack::Location | Lack::Uses => continue,
            };
            ledger.lose(grade, format!("{}.{name}", self.path), why);
        }
    }

    fn write_location(&self, location: &mut ObjectWriter<'_>) {
        let Some(given_location) = &self.location else { return };
        for key in ["city", "country", "region", "timezone"] {
            if let Some(value) = given(given_location, key) {
                location.raw(key, value);
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lack {
    Size,
    Location,
    Allowed,
    Blocked,
    Uses,
}

/// The search, where the upstream makes it; reports it otherwise.
pub(super) fn taken<'r, 'a>(
    request: &'r Request<'a>,
    upstream: &Upstream<'_>,
    ledger: &mut Ledger,
) -> Option<&'r Search<'a>> {
    let search = request.search.as_ref()?;
    match refusal(request, upstream) {
        None => Some(search),
        Some(why) => {
            ledger.meaning(search.field.clone(), why);
            None
        }
    }
}

/// Why it is not made there. Who is compatible with somebody else's API need not search as they do.
fn refusal(request: &Request<'_>, upstream: &Upstream<'_>) -> Option<&'static str> {
    let makers: &[&str] = match upstream.dialect {
        Dialect::Chat | Dialect::Responses => &["openai", "azure.ai.openai"],
        Dialect::Messages => &["anthropic"],
        Dialect::Gemini => &["gcp.gemini", "gcp.vertex_ai"],
        Dialect::Converse | Dialect::Cohere | Dialect::Ollama => &[],
    };
    let called = || request.items.iter().any(|item| matches!(item.part, Part::Call(_)));
    match upstream.dialect {
        _ if !makers.contains(&upstream.provider) => Some("the provider does not search the web"),
        // OpenAI's other models search by Responses alone.
        Dialect::Chat if !upstream.model.contains("search") => Some("the model does not search the web"),
        Dialect::Gemini if !request.tools.is_empty() => {
            Some("Google does not search for a model that may call functions")
        }
        Dialect::Messages if request.tools.is_empty() && called() => {
            Some("tools that were called must be declared, or nothing else can be")
        }
        _ => None,
    }
}

/// As chat's field.
pub(super) fn write_chat(search: &Search<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    search.lacks(&[Lack::Allowed, Lack::Blocked, Lack::Uses], ledger);
    let mut options = body.object("web_search_options");
    if let Some(size) = search.size {
        options.raw("search_context_size", size);
    }
    if search.location.is_some() {
        let mut location = options.object("user_location");
        location.string("type", "approximate");
        search.write_location(&mut location.object("approximate"));
    }
}

/// As the tool of Responses.
pub(super) fn write_responses(search: &Search<'_>, tool: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    search.lacks(&[Lack::Blocked, Lack::Uses], ledger);
    tool.string("type", "web_search");
    if let Some(size) = search.size {
        tool.raw("search_context_size", size);
    }
    if let Some((_, sites)) = search.allowed {
        tool.object("filters").raw("allowed_domains", sites);
    }
    write_flat_location(search, tool);
}

/// As Anthropic's tool.
pub(super) fn write_messages(search: &Search<'_>, tool: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    search.lacks(&[Lack::Size], ledger);
    tool.string("type", ANTHROPIC);
    tool.string("name", "web_search");
    for (key, value) in [
        ("max_uses", search.uses),
        ("allowed_domains", search.allowed.map(|(_, sites)| sites)),
        ("blocked_domains", search.blocked.map(|(_, sites)| sites)),
    ] {
        if let Some(value) = value {
            tool.raw(key, value);
        }
    }
    write_flat_location(search, tool);
}

/// As Google's tool. Only Vertex AI leaves sites out.
pub(super) fn write_gemini(
    search: &Search<'_>,
    upstream: &Upstream<'_>,
    tool: &mut ObjectWriter<'_>,
    ledger: &mut Ledger,
) {
    search.lacks(&[Lack::Size, Lack::Location, Lack::Allowed, Lack::Uses], ledger);
    let mut options = tool.object(GOOGLE);
    match search.blocked {
        Some((_, sites)) if upstream.provider == "gcp.vertex_ai" => options.raw("excludeDomains", sites),
        Some(_) => search.lacks(&[Lack::Blocked], ledger),
        None => {}
    }
}

fn write_flat_location(search: &Search<'_>, tool: &mut ObjectWriter<'_>) {
    if search.location.is_none() {
        return;
    }
    let mut location = tool.object("user_location");
    location.string("type", "approximate");
    search.write_location(&mut location);
}
