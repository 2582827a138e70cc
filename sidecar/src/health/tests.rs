use super::*;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// An attempt at a deployment that lets one through.
fn attempt(health: &Arc<Health>, now: Instant) -> Attempt {
    health.start(true, now).expect("it is open")
}

/// A health that three failures have opened.
fn opened(now: Instant) -> Arc<Health> {
    let health = Health::new("shop/a", "ai/gpt", Operation::Generate);
    for _ in 0..3 {
        attempt(&health, now).conclude(Verdict::Failed, now);
    }
    assert!(matches!(health.availability(now), Availability::Closed(_)));
    health
}

#[test]
fn every_class_of_answer_says_what_the_failure_table_says() {
    let reset = Some(seconds(7));
    let table = [
        (Class::Limited, Verdict::Limited(reset)),
        (Class::Unauthorised, Verdict::Unauthorised),
        (Class::Spent, Verdict::Spent),
        (Class::ModelNotFound, Verdict::Failed),
        (Class::ServerError, Verdict::Failed),
        (Class::ContextOverflow, Verdict::Nothing),
        (Class::Client, Verdict::Nothing),
        (Class::Malformed, Verdict::Failed),
    ];
    for (class, verdict) in table {
        assert_eq!(Verdict::of(class, reset), verdict, "{class:?}");
    }
}

#[test]
fn attempts_in_flight_are_counted_until_they_are_dropped() {
    let (health, now) = (Health::new("shop/a", "ai/gpt", Operation::Generate), Instant::now());
    let mut attempts: Vec<_> = (0..3).map(|_| attempt(&health, now)).collect();
    attempts[0].conclude(Verdict::Served, now);
    assert_eq!(health.load(now).in_flight, 3);
    attempts.clear();
    assert_eq!(health.load(now).in_flight, 0);
}

#[test]
fn a_closed_deployment_starts_nothing_and_says_why() {
    let now = Instant::now();
    let health = opened(now);
    let closure = health.start(true, now).unwrap_err();
    assert_eq!(
        closure,
        Closure {
            until: now + seconds(1),
            reason: Reason::Failing
        }
    );
    assert_eq!(closure.to_string(), "its last attempts failed");
    assert_eq!(health.load(now).in_flight, 0);
}

#[test]
fn asking_whether_it_is_available_takes_no_trial() {
    let now = Instant::now();
    let health = opened(now);
    let later = now + seconds(1);
    for _ in 0..3 {
        assert_eq!(health.availability(later), Availability::HalfOpen);
    }
    let trial = attempt(&health, later);
    assert!(trial.is_trial());
    assert_eq!(health.start(true, later).unwrap_err().reason, Reason::OnTrial);
}

#[test]
fn a_trial_whose_client_goes_away_is_given_back() {
    let now = Instant::now();
    let health = opened(now);
    let later = now + seconds(1);
    drop(attempt(&health, later));
    let mut trial = attempt(&health, later);
    trial.conclude(Verdict::Nothing, later);
    assert!(trial.is_trial(), "nothing was learnt");
    drop(trial);
    assert!(attempt(&health, later).is_trial());
}

#[test]
fn a_stream_s_first_token_ends_the_trial() {
    let now = Instant::now();
    let health = opened(now);
    let later = now + seconds(1);
    let mut trial = attempt(&health, later);
    trial.first_token(later);
    assert_eq!(health.availability(later), Availability::Available);
    trial.conclude(Verdict::Failed, later);
    assert_eq!(
        health.availability(later),
        Availability::Available,
        "its later failure is the first in a row"
    );
}

#[test]
fn only_a_trial_s_first_token_is_a_verdict() {
    let (health, now) = (Health::new("shop/a", "ai/gpt", Operation::Generate), Instant::now());
    for _ in 0..3 {
        let mut stream = attempt(&health, now);
        stream.first_token(now);
        stream.conclude(Verdict::Failed, now);
    }
    assert!(
        matches!(health.availability(now), Availability::Closed(_)),
        "three streams in a row broke off"
    );
}

#[test]
fn a_stream_that_waits_is_pressure_and_an_answer_in_one_piece_is_not() {
    let (health, start) = (Health::new("shop/a", "ai/gpt", Operation::Generate), Instant::now());
    attempt(&health, start).first_token(start + Duration::from_millis(500));
    let whole = health.start(false, start).unwrap();
    assert_eq!(
        health.load(start + seconds(60)),
        Load {
            in_flight: 1,
            pressure: 1.0
        }
    );
    let stream = attempt(&health, start);
    assert_eq!(
        health.load(start + seconds(60)),
        Load {
            in_flight: 2,
            pressure: 12.0
        }
    );
    drop((whole, stream));
    assert_eq!(
        health.load(start + seconds(60)),
        Load {
            in_flight: 0,
            pressure: 1.0
        }
    );
}

#[test]
fn no_tenant_closes_a_deployment_for_another() {
    let (registry, now) = (Registry::default(), Instant::now());
    let of = |tenant| registry.health(tenant, "ai/gpt", Operation::Generate, 1);
    for verdict in [
        Verdict::Unauthorised,
        Verdict::Limited(Some(seconds(9))),
        Verdict::Failed,
    ] {
        for _ in 0..3 {
            if let Ok(mut attempt) = of("shop/a").start(true, now) {
                attempt.conclude(verdict, now);
            }
        }
        assert!(matches!(of("shop/a").availability(now), Availability::Closed(_)));
        assert_eq!(of("shop/b").availability(now), Availability::Available);
        assert_eq!(
            registry
                .health("shop/a", "ai/claude", Operation::Generate, 1)
                .availability(now),
            Availability::Available
        );
        registry.retain(|tenant, _| tenant != "shop/a");
    }
}

/// Eight threads in turn open it, wait for half-open and race for the trial, a thousand times.
#[test]
fn racing_workers_never_have_two_trials_out() {
    const WORKERS: u32 = 8;
    let health = Health::new("shop/a", "ai/gpt", Operation::Generate);
    let out = AtomicU32::new(0);
    let trials = AtomicU32::new(0);
    let round = std::sync::Barrier::new(WORKERS as usize);
    let start = Instant::now();
    let work = |worker: u32| {
        for n in 0..1000_u32 {
            let now = start + seconds(100) * n;
            if worker == n % WORKERS {
                for _ in 0..3 {
                    health.start(false, now).unwrap().conclude(Verdict::Failed, now);
                }
            }
            round.wait();
            if let Ok(mut attempt) = health.start(false, now + seconds(50)) {
                if attempt.is_trial() {
                    assert_eq!(out.fetch_add(1, Ordering::SeqCst), 0, "two trials are out");
                    trials.fetch_add(1, Ordering::SeqCst);
                    out.fetch_sub(1, Ordering::SeqCst);
                }
                match (n + worker) % 3 {
                    0 => attempt.conclude(Verdict::Failed, now + seconds(50)),
                    1 => attempt.conclude(Verdict::Nothing, now + seconds(50)),
                    _ => {}
                }
            }
            round.wait();
            if worker == n % WORKERS {
                while let Ok(mut attempt) = health.start(false, now + seconds(90)) {
                    attempt.conclude(Verdict::Served, now + seconds(90));
                    if !attempt.is_trial() && health.availability(now) == Availability::Available {
                        break;
                    }
                }
            }
            round.wait();
        }
    };
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let work = &work;
            scope.spawn(move || work(worker));
        }
    });
    assert!(trials.load(Ordering::SeqCst) >= 1000, "every round had a trial");
    assert_eq!(health.load(start).in_flight, 0);
}
