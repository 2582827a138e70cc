use super::*;

/// The failure table, row by row: next deployment, same deployment, breaker; first under `Failover`, then under
/// `Refuse`, which differs only where the attempt may have been billed.
#[test]
fn each_row_of_the_failure_table_reads_as_designed() {
    use Health::{Failed, Limited, Nothing, Served, Spent, Unauthorised};
    let reset = Some(Duration::from_secs(2));
    let rows = [
        (Outcome::Connect, (Next::Yes, Again::Later, Failed), None),
        (Outcome::NotProcessed, (Next::Yes, Again::AtOnce, Nothing), None),
        (
            Outcome::Stale,
            (Next::Yes, Again::AtOnce, Nothing),
            Some((Next::No, Again::Never, Nothing)),
        ),
        (Outcome::Limited, (Next::Yes, Again::AtReset, Limited(reset)), None),
        (Outcome::Unauthorised, (Next::Yes, Again::Never, Unauthorised), None),
        (Outcome::Spent, (Next::Yes, Again::Never, Spent), None),
        (Outcome::ModelNotFound, (Next::Yes, Again::Never, Failed), None),
        (Outcome::ServerError, (Next::Yes, Again::LaterOnce, Failed), None),
        (
            Outcome::Interrupted,
            (Next::Yes, Again::Never, Failed),
            Some((Next::No, Again::Never, Failed)),
        ),
        (
            Outcome::Timeout,
            (Next::Yes, Again::Never, Failed),
            Some((Next::No, Again::Never, Failed)),
        ),
        (
            Outcome::Malformed,
            (Next::Yes, Again::Never, Failed),
            Some((Next::No, Again::Never, Failed)),
        ),
        (
            Outcome::ContextOverflow,
            (Next::LargerContext, Again::Never, Nothing),
            None,
        ),
        (Outcome::Client, (Next::No, Again::Never, Nothing), None),
        (Outcome::Cancelled, (Next::No, Again::Never, Nothing), None),
        (Outcome::Broken, (Next::No, Again::Never, Failed), None),
        (Outcome::Ok, (Next::No, Again::Never, Served), None),
        (Outcome::Deadline, (Next::No, Again::Never, Nothing), None),
        (Outcome::NoMemory, (Next::No, Again::Never, Nothing), None),
    ];
    assert_eq!(rows.len(), Outcome::ALL.len());
    for (outcome, failover, refuse) in rows {
        let read = |on_ambiguous| {
            let Verdict { next, again, health } = verdict(outcome, reset, on_ambiguous);
            (next, again, health)
        };
        assert_eq!(read(OnAmbiguous::Failover), failover, "{outcome:?} under Failover");
        assert_eq!(
            read(OnAmbiguous::Refuse),
            refuse.unwrap_or(failover),
            "{outcome:?} under Refuse"
        );
    }
}

#[test]
fn the_reasons_of_failovers_are_the_rows_that_lead_on() {
    let leads_on = |outcome: &Outcome| verdict(*outcome, None, OnAmbiguous::Failover).next != Next::No;
    let leading_on: Vec<Outcome> = Outcome::ALL.into_iter().filter(leads_on).collect();
    assert_eq!(leading_on, Outcome::LEADING_ON);
}
