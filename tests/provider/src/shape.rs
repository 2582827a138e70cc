//! What a request must look like, as tables, and the first place where it does not.
//!
//! Both providers check the same things and complain in different words: a `Violation` is the fact, each shape's `error`
//! has the sentence.

use crate::json::Json;

/// What a value must be.
pub(crate) enum Shape {
    Any,
    Boolean,
    /// At least and at most so many characters.
    Text(usize, usize),
    /// A text of these characters, at most so many, with the expression that says so.
    Name {
        allowed: fn(char) -> bool,
        max: usize,
        pattern: &'static str,
    },
    Integer(i64, i64),
    Number(f64, f64),
    /// One of these texts.
    Word(&'static [&'static str]),
    /// At least and at most so many elements.
    List(&'static Shape, usize, usize),
    Object(&'static [Field]),
    /// An object with any keys.
    Map(&'static Shape),
    /// An object whose fields depend on its `type`.
    Tagged(&'static [Variant]),
    /// Like `Tagged`; an object without `type` is of the first.
    TaggedOr(&'static [Variant]),
    Nullable(&'static Shape),
    /// Whichever of these has the value's JSON type.
    Either(&'static [Shape]),
}

/// An object's fields under one value of `type`.
pub(crate) struct Variant {
    pub(crate) tag: &'static str,
    pub(crate) fields: &'static [Field],
}

/// One key of an object.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
}

pub(crate) const fn required(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        required: true,
    }
}

pub(crate) const fn optional(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        required: false,
    }
}

pub(crate) const fn variant(tag: &'static str, fields: &'static [Field]) -> Variant {
    Variant { tag, fields }
}

/// Any text.
pub(crate) const TEXT: Shape = Shape::Text(0, usize::MAX);
/// Any object.
pub(crate) const OBJECT: Shape = Shape::Map(&Shape::Any);

/// A step from a value to one inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Key(String),
    Index(usize),
    /// The `type` by which an object was judged.
    Tag(&'static str),
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Violation {
    pub(crate) path: Vec<Segment>,
    pub(crate) wrong: Wrong,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wrong {
    Missing,
    /// Keys that nobody knows; the path is the object's.
    Unknown(Vec<String>),
    Type {
        expected: Vec<Kind>,
        got: Kind,
    },
    Word {
        allowed: Vec<&'static str>,
        got: String,
    },
    /// The path ends in `type`, here and at `NoTag`.
    Tag {
        allowed: Vec<&'static str>,
        got: String,
    },
    NoTag,
    TooSmall {
        bounds: Bounds,
        got: f64,
    },
    TooLarge {
        bounds: Bounds,
        got: f64,
    },
    TooShort {
        list: bool,
        limit: usize,
        got: usize,
    },
    TooLong {
        list: bool,
        limit: usize,
        got: usize,
    },
    Pattern(&'static str),
}

/// What a number must keep to, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) integer: bool,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// A JSON type, as far as a shape tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Integer,
    Number,
    Text,
    List,
    /// Only ever expected: a list of texts.
    Texts,
    /// Only ever expected: a list of objects.
    Objects,
    Object,
}

impl Kind {
    /// Whether a value of kind `got` may be judged by a shape of this kind.
    fn takes(self, got: Kind) -> bool {
        match self {
            Kind::Texts | Kind::Objects => got == Kind::List,
            Kind::Number => matches!(got, Kind::Number | Kind::Integer),
            Kind::Null | Kind::Boolean | Kind::Integer | Kind::Text | Kind::List | Kind::Object => got == self,
        }
    }
}

/// The first violation, in the order of the tables; unknown keys last.
pub(crate) fn check(value: &Json, shape: &Shape) -> Result<(), Violation> {
    shape.check(value).map_err(|mut violation| {
        violation.path.reverse();
        violation
    })
}

type Checked = Result<(), Violation>;

fn wrong(wrong: Wrong) -> Checked {
    Err(Violation {
        path: Vec::new(),
        wrong,
    })
}

/// Adds where it happened; the path is kept backwards until `check` has it all.
fn within(segment: Segment, checked: Checked) -> Checked {
    checked.map_err(|mut violation| {
        violation.path.push(segment);
        violation
    })
}

impl Shape {
    fn check(&self, value: &Json) -> Checked {
        match (self, value) {
            (Shape::Any, _) | (Shape::Boolean, Json::Bool(_)) | (Shape::Nullable(_), Json::Null) => Ok(()),
            (Shape::Nullable(shape), value) => shape.check(value),
            (Shape::Text(min, max), Json::Text(text)) => length(false, text.chars().count(), *min, *max),
            (Shape::Name { allowed, max, pattern }, Json::Text(text)) => name(text, *allowed, *max, pattern),
            (Shape::Word(allowed), Json::Text(text)) => word(allowed, text),
            (Shape::Integer(min, max), Json::Number(number)) if number.is_i64() || number.is_u64() => {
                let bounds = Bounds {
                    integer: true,
                    min: to_number(*min),
                    max: to_number(*max),
                };
                range(bounds, number.as_f64().unwrap_or_default())
            }
            (Shape::Number(min, max), Json::Number(number)) => {
                let bounds = Bounds {
                    integer: false,
                    min: *min,
                    max: *max,
                };
                range(bounds, number.as_f64().unwrap_or_default())
            }
            (Shape::List(shape, min, max), Json::List(elements)) => list(shape, elements, *min, *max),
            (Shape::Object(fields), Json::Object(_)) => object(fields, value, None),
            (Shape::Map(shape), Json::Object(entries)) => map(shape, entries),
            (Shape::Tagged(variants), Json::Object(_)) => tagged(variants, value, None),
            (Shape::TaggedOr(variants), Json::Object(_)) => tagged(variants, value, variants.first()),
            (Shape::Either(shapes), value) => either(shapes, value),
            _ => wrong(Wrong::Type {
                expected: self.kinds(),
                got: kind(value),
            }),
        }
    }

    fn kinds(&self) -> Vec<Kind> {
        match self {
            Shape::Any => Vec::new(),
            Shape::Boolean => vec![Kind::Boolean],
            Shape::Text(..) | Shape::Name { .. } | Shape::Word(_) => vec![Kind::Text],
            Shape::Integer(..) => vec![Kind::Integer],
            Shape::Number(..) => vec![Kind::Number],
            Shape::List(of, ..) => match of.kinds().as_slice() {
                [Kind::Object] => vec![Kind::Objects],
                [Kind::Text] => vec![Kind::Texts],
                _ => vec![Kind::List],
            },
            Shape::Object(_) | Shape::Map(_) | Shape::Tagged(_) | Shape::TaggedOr(_) => vec![Kind::Object],
            Shape::Nullable(shape) => shape.kinds(),
            Shape::Either(shapes) => shapes.iter().flat_map(Shape::kinds).collect(),
        }
    }
}

fn to_number(limit: i64) -> f64 {
    // Limits are small, or no limits at all.
    limit as f64
}

/// The JSON type of a value.
pub(crate) fn kind(value: &Json) -> Kind {
    match value {
        Json::Null => Kind::Null,
        Json::Bool(_) => Kind::Boolean,
        Json::Number(number) if number.is_f64() => Kind::Number,
        Json::Number(_) => Kind::Integer,
        Json::Text(_) => Kind::Text,
        Json::List(_) => Kind::List,
        Json::Object(_) => Kind::Object,
    }
}

fn length(list: bool, got: usize, min: usize, max: usize) -> Checked {
    if got < min {
        return wrong(Wrong::TooShort { list, limit: min, got });
    }
    if got > max {
        return wrong(Wrong::TooLong { list, limit: max, got });
    }
    Ok(())
}

fn range(bounds: Bounds, got: f64) -> Checked {
    if got < bounds.min {
        return wrong(Wrong::TooSmall { bounds, got });
    }
    if got > bounds.max {
        return wrong(Wrong::TooLarge { bounds, got });
    }
    Ok(())
}

fn name(text: &str, allowed: fn(char) -> bool, max: usize, pattern: &'static str) -> Checked {
    if text.is_empty() || !text.chars().all(allowed) {
        return wrong(Wrong::Pattern(pattern));
    }
    length(false, text.chars().count(), 1, max)
}

fn word(allowed: &'static [&'static str], text: &str) -> Checked {
    match allowed.contains(&text) {
        true => Ok(()),
        false => wrong(Wrong::Word {
            allowed: allowed.to_vec(),
            got: text.to_owned(),
        }),
    }
}

fn list(shape: &Shape, elements: &[Json], min: usize, max: usize) -> Checked {
    length(true, elements.len(), min, max)?;
    let each = |(index, element)| within(Segment::Index(index), shape.check(element));
    elements.iter().enumerate().try_for_each(each)
}

fn map(shape: &Shape, entries: &[(String, Json)]) -> Checked {
    entries
        .iter()
        .try_for_each(|(key, value)| within(Segment::Key(key.clone()), shape.check(value)))
}

fn either(shapes: &[Shape], value: &Json) -> Checked {
    let fits = |shape: &&Shape| shape.kinds().iter().any(|wanted| wanted.takes(kind(value)));
    match shapes.iter().find(fits) {
        Some(shape) => shape.check(value),
        None => wrong(Wrong::Type {
            expected: shapes.iter().flat_map(Shape::kinds).collect(),
            got: kind(value),
        }),
    }
}

fn tagged(variants: &'static [Variant], value: &Json, otherwise: Option<&'static Variant>) -> Checked {
    let key = || Segment::Key("type".to_owned());
    let variant = match (value.given("type"), otherwise) {
        (None, None) => return within(key(), wrong(Wrong::NoTag)),
        (None, Some(variant)) => variant,
        (Some(Json::Text(tag)), _) => match variants.iter().find(|variant| variant.tag == tag) {
            Some(variant) => variant,
            None => {
                let allowed = variants.iter().map(|variant| variant.tag).collect();
                return within(
                    key(),
                    wrong(Wrong::Tag {
                        allowed,
                        got: tag.clone(),
                    }),
                );
            }
        },
        (Some(other), _) => {
            return within(
                key(),
                wrong(Wrong::Type {
                    expected: vec![Kind::Text],
                    got: kind(other),
                }),
            );
        }
    };
    within(Segment::Tag(variant.tag), object(variant.fields, value, Some("type")))
}

fn object(fields: &[Field], value: &Json, tag: Option<&str>) -> Checked {
    for field in fields {
        let checked = match value.get(field.name) {
            Some(value) => field.shape.check(value),
            None if field.required => wrong(Wrong::Missing),
            None => Ok(()),
        };
        within(Segment::Key(field.name.to_owned()), checked)?;
    }
    let known = |key: &str| tag == Some(key) || fields.iter().any(|field| field.name == key);
    let unknown: Vec<String> = value
        .fields()
        .iter()
        .map(|(key, _)| key)
        .filter(|key| !known(key))
        .cloned()
        .collect();
    match unknown.is_empty() {
        true => Ok(()),
        false => wrong(Wrong::Unknown(unknown)),
    }
}
