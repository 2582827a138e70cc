//! Whether a schema refers to itself, so that what it describes may be nested without end.

use crate::json::{Object, Raw, Type};
use std::borrow::Cow;

/// Names of definitions that lead to one another.
type Path<'a> = Vec<Cow<'a, str>>;

/// Whether following its references comes back to where it was.
pub(super) fn recurs(schema: Raw<'_>) -> bool {
    // Nearly none has references at all.
    if memchr::memmem::find(schema.text().as_bytes(), b"$ref").is_none() {
        return false;
    }
    let Some(whole) = schema.object() else { return false };
    let mut ended = Vec::new();
    returns(schema, &whole, &mut Vec::new(), &mut ended)
}

/// Whether a reference in `schema` leads to one of `path`, by which it was reached. Those of `ended` do not.
fn returns<'a>(schema: Raw<'a>, whole: &Object<'a>, path: &mut Path<'a>, ended: &mut Path<'a>) -> bool {
    match schema.kind() {
        Type::Array => {
            let mut inner = schema.elements().into_iter().flatten();
            inner.any(|schema| returns(schema, whole, path, ended))
        }
        Type::Object => schema.object().is_some_and(|object| {
            let mut members = object.members().iter();
            members.any(|member| match (&*member.key(), member.value.string()) {
                ("$ref", Some(target)) => leads_back(target, whole, path, ended),
                // Reached by references only.
                ("$defs" | "definitions", _) => false,
                _ => returns(member.value, whole, path, ended),
            })
        }),
        Type::Null | Type::Bool | Type::Number | Type::String => false,
    }
}

fn leads_back<'a>(target: Cow<'a, str>, whole: &Object<'a>, path: &mut Path<'a>, ended: &mut Path<'a>) -> bool {
    if target == "#" || path.contains(&target) {
        return true;
    }
    if ended.contains(&target) {
        return false;
    }
    let Some(definition) = find(&target, whole) else {
        return false;
    };
    path.push(target);
    let returns = returns(definition, whole, path, ended);
    ended.extend(path.pop());
    returns
}

/// `#/$defs/name`.
fn find<'a>(target: &str, whole: &Object<'a>) -> Option<Raw<'a>> {
    let (list, name) = target.strip_prefix("#/")?.split_once('/')?;
    whole.get(list)?.object()?.get(name)
}
