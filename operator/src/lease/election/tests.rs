use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn candidate(name: &str) -> Candidate {
    Candidate {
        identity: name.to_owned(),
        address: format!("{name}:4443"),
    }
}

/// A Lease as an API server keeps it.
#[derive(Default)]
struct Server {
    lease: Option<Lease>,
    version: u64,
}

impl Server {
    /// Writes unless somebody else was faster.
    fn write(&mut self, mut lease: Lease) -> Option<Lease> {
        let known = self.lease.as_ref().map(|lease| &lease.metadata.resource_version);
        if known.cloned().flatten() != lease.metadata.resource_version {
            return None;
        }
        self.version += 1;
        lease.metadata.resource_version = Some(self.version.to_string());
        self.lease = Some(lease.clone());
        Some(lease)
    }
}

/// A turn at `now` in which nothing goes wrong.
fn turn(election: &mut Election, server: &mut Server, now: Instant) {
    if !election.goes_on(now) {
        election.saw(server.lease.clone(), now);
    }
    let Some(bid) = election.bid(now, Timestamp::now()) else {
        return;
    };
    match server.write(bid) {
        Some(lease) => {
            election.saw(Some(lease), now);
            election.won(now);
        }
        None => election.saw(server.lease.clone(), now),
    }
}

#[test]
fn the_first_to_ask_leads_and_the_other_knows_where() {
    let now = Instant::now();
    let mut server = Server::default();
    let (mut a, mut b) = (Election::new(candidate("a")), Election::new(candidate("b")));
    turn(&mut a, &mut server, now);
    turn(&mut b, &mut server, now);
    assert!(a.leader(now).is_me(now));
    assert_eq!(b.leader(now), Leader::new(None, Some("a:4443".to_owned())));
}

#[test]
fn a_lease_that_changed_hands_more_often_than_it_can_count_is_taken_all_the_same() {
    let now = Instant::now();
    let mut server = Server::default();
    let mut lease = Lease::default();
    lease.spec.get_or_insert_default().lease_transitions = Some(i32::MAX);
    server.lease = Some(lease);
    let mut a = Election::new(candidate("a"));
    turn(&mut a, &mut server, now);
    assert!(a.leader(now).is_me(now));
    let spec = server.lease.unwrap().spec.unwrap();
    assert_eq!(spec.lease_transitions, Some(i32::MAX));
}

#[test]
fn a_leader_that_cannot_renew_stops_before_another_starts() {
    let start = Instant::now();
    let mut server = Server::default();
    let (mut a, mut b) = (Election::new(candidate("a")), Election::new(candidate("b")));
    turn(&mut a, &mut server, start);
    turn(&mut b, &mut server, start);
    assert!(a.is_won(start + seconds(5)));
    assert!(!a.leader(start + seconds(6)).is_me(start + seconds(6)));
    turn(&mut b, &mut server, start + seconds(7));
    assert!(!b.is_won(start + seconds(7)));
    turn(&mut b, &mut server, start + seconds(8));
    assert!(b.is_won(start + seconds(8)));
    assert_eq!(b.record.lease_transitions, Some(2));
}

#[test]
fn a_renewal_that_is_seen_late_counts_from_when_it_is_seen() {
    let start = Instant::now();
    let mut server = Server::default();
    let (mut a, mut b) = (Election::new(candidate("a")), Election::new(candidate("b")));
    turn(&mut a, &mut server, start);
    turn(&mut b, &mut server, start + seconds(100));
    assert!(!b.is_won(start + seconds(107)));
    turn(&mut b, &mut server, start + seconds(108));
    assert!(b.is_won(start + seconds(108)));
}

#[test]
fn a_lease_that_was_given_back_is_had_at_once() {
    let now = Instant::now();
    let mut server = Server::default();
    let (mut a, mut b) = (Election::new(candidate("a")), Election::new(candidate("b")));
    turn(&mut a, &mut server, now);
    turn(&mut b, &mut server, now);
    assert!(a.resign(now) && !a.resign(now));
    assert!(!a.leader(now).is_me(now));
    assert!(server.write(a.release().unwrap()).is_some());
    turn(&mut b, &mut server, now);
    assert!(b.is_won(now));
    a.saw(server.lease.clone(), now);
    assert_eq!(a.release(), None, "it is another's");
}

#[test]
fn a_deleted_lease_does_not_end_its_holder_s_time() {
    let now = Instant::now();
    let mut server = Server::default();
    let (mut a, mut b) = (Election::new(candidate("a")), Election::new(candidate("b")));
    turn(&mut a, &mut server, now);
    turn(&mut b, &mut server, now);
    server.lease = None;
    turn(&mut b, &mut server, now + seconds(1));
    assert!(!b.is_won(now + seconds(1)));
    turn(&mut a, &mut server, now + seconds(2));
    turn(&mut a, &mut server, now + seconds(2));
    assert!(a.is_won(now + seconds(2)));
    assert!(server.lease.is_some());
}

#[test]
fn what_others_wrote_on_the_lease_stays() {
    let now = Instant::now();
    let mut server = Server::default();
    let mut a = Election::new(candidate("a"));
    let mut lease = Lease::default();
    lease.metadata.labels = Some(BTreeMap::from([("team".to_owned(), "ops".to_owned())]));
    server.write(lease);
    turn(&mut a, &mut server, now);
    let lease = server.lease.unwrap();
    assert!(a.is_won(now));
    assert_eq!(lease.metadata.labels.unwrap()["team"], "ops");
    assert_eq!(lease.metadata.annotations.unwrap()[ADDRESS], "a:4443");
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Done,
    /// It had its effect, but the answer is lost.
    Unanswered,
    Lost,
}

/// One turn of one of two replicas.
#[derive(Clone, Copy, Debug)]
struct Turn {
    after_ms: u64,
    second: bool,
    fate: Fate,
    /// From asking to the effect.
    takes_ms: u64,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let fate = prop_oneof![4 => Just(Fate::Done), 1 => Just(Fate::Unanswered), 2 => Just(Fate::Lost)];
    let turn = (0u64..3000, any::<bool>(), fate, 0u64..1500).prop_map(|(after_ms, second, fate, takes_ms)| Turn {
        after_ms,
        second,
        fate,
        takes_ms,
    });
    prop::collection::vec(turn, 1..200)
}

/// What a replica's clock, which runs `rate` thousandths too fast, shows `ms` after the start.
fn shown(start: Instant, ms: u64, rate: u64) -> Instant {
    start + Duration::from_millis(ms * (1000 + rate) / 1000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Requests are slow or lost, answers are lost, and one clock is up to a tenth faster than the other.
    #[test]
    fn two_never_lead_at_once(turns in turns(), rates in (0u64..100, 0u64..100)) {
        let start = Instant::now();
        let mut server = Server::default();
        let mut both = [(Election::new(candidate("a")), rates.0), (Election::new(candidate("b")), rates.1)];
        let mut ms = 0;
        for turn in turns {
            ms += turn.after_ms;
            let (election, rate) = &mut both[usize::from(turn.second)];
            let asked = shown(start, ms, *rate);
            if !election.is_won(asked) && !matches!(turn.fate, Fate::Lost) {
                election.saw(server.lease.clone(), asked);
            }
            if let Some(bid) = election.bid(asked, Timestamp::from_millisecond(ms as i64).unwrap()) {
                ms += turn.takes_ms;
                let written = match turn.fate {
                    Fate::Lost => None,
                    Fate::Done | Fate::Unanswered => server.write(bid),
                };
                if let (Some(lease), Fate::Done) = (written, turn.fate) {
                    election.saw(Some(lease), asked);
                    election.won(asked);
                }
            }
            let leading = both.iter().filter(|(election, rate)| election.is_won(shown(start, ms, *rate)));
            prop_assert!(leading.count() <= 1);
        }
    }
}

#[tokio::test]
async fn a_time_that_has_run_out_holds_up_nothing() {
    let start = Instant::now();
    let mut server = Server::default();
    let mut election = Election::new(candidate("a"));
    turn(&mut election, &mut server, start);
    assert!(!election.goes_on(start + LEADS));
    assert_eq!(election.until(), None);
    // Nor does it wake anybody again.
    assert!(futures::poll!(Box::pin(election.end())).is_pending());
    // Nobody else has asked meanwhile.
    turn(&mut election, &mut server, start + LASTS * 2);
    assert!(election.is_won(start + LASTS * 2));
}
