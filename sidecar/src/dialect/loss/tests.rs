use super::{Fate, Field, Ledger, decide, field};
use crate::dialect::{Grade, chat, completions, gemini, messages, responses};
use crate::json;

/// The tables are searched by halves, and a field is remembered as a bit.
#[test]
fn every_table_is_sorted_and_short() {
    let tables = [
        chat::request::TABLES,
        completions::request::TABLES,
        messages::request::TABLES,
        gemini::request::TABLES,
        responses::request::TABLES,
    ];
    for table in tables.concat() {
        assert!(table.is_sorted_by(|one, other| one.name < other.name), "{table:?}");
        assert!(table.len() <= 64);
    }
}

#[test]
fn every_field_is_decided() {
    const TABLE: &[Field] = &[
        field("a", Fate::Read),
        field("b", Fate::Lost(Grade::Meaning, "why")),
        field("c", Fate::Refused("is wrong")),
    ];
    let run = |body: &str| {
        let mut ledger = Ledger::default();
        let decided = decide(&json::parse(body.as_bytes()).unwrap(), TABLE, &"", &mut ledger);
        let losses: Vec<_> = ledger
            .into_losses()
            .iter()
            .map(|loss| format!("{} {:?}", loss.field, loss.grade))
            .collect();
        (decided.map(|_| ()).map_err(|error| error.to_string()), losses)
    };
    assert_eq!(run(r#"{"a":1,"b":null,"c":null,"z":null}"#), (Ok(()), vec![]));
    assert_eq!(run(r#"{"a":1,"b":1}"#), (Ok(()), vec!["b Meaning".to_owned()]));
    assert_eq!(
        run(r#"{"a":1,"a":2,"z":1}"#),
        (Ok(()), vec!["a Hint".to_owned(), "z Hint".to_owned()])
    );
    assert_eq!(run(r#"{"c":1}"#).0, Err("c is wrong".to_owned()));
}

#[test]
fn many_hints_do_not_hide_a_loss_of_meaning() {
    let mut ledger = Ledger::default();
    (0..100).for_each(|_| ledger.hint("x", "why"));
    ledger.meaning("y", "why");
    ledger.meaning("z", "why");
    let losses = ledger.into_losses();
    assert_eq!(losses.len(), 34);
    assert_eq!(losses[32].field, "y");
    assert_eq!(losses[33].field, "+69");
}
