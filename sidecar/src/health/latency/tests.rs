use super::*;

fn seconds(n: f64) -> Duration {
    Duration::from_secs_f64(n)
}

/// The pressure after first tokens that took `first`, a second apart, and then a rest.
fn pressure(first: &[f64], rest: f64) -> f64 {
    let start = Instant::now();
    let mut latency = Latency::new();
    let mut now = start;
    for &took in first {
        let wait = latency.begin(now);
        now += seconds(took);
        latency.first_token(wait, now);
        now += seconds(1.0);
    }
    latency.pressure(now + seconds(rest))
}

#[test]
fn unknown_is_no_pressure() {
    assert_eq!(Latency::new().pressure(Instant::now()), 1.0);
    let mut latency = Latency::new();
    latency.begin(Instant::now());
    assert_eq!(
        latency.pressure(Instant::now() + seconds(1000.0)),
        1.0,
        "without a usual nothing is unusual"
    );
}

#[test]
fn a_usual_variation_is_no_pressure() {
    let varied: Vec<_> = (0..200).map(|n| if n % 20 == 0 { 4.0 } else { 0.5 }).collect();
    assert_eq!(pressure(&varied, 0.0), 1.0);
    assert_eq!(
        pressure(&[0.001, 0.2, 0.01, 0.7, 0.001], 0.0),
        1.0,
        "milliseconds are never a reason"
    );
}

#[test]
fn a_slow_deployment_is_under_pressure_whatever_its_usual_is() {
    for usual in [0.5, 2.0] {
        let mut slowed = vec![usual; 20];
        slowed.extend(vec![usual * 20.0; 60]);
        let got = pressure(&slowed, 0.0);
        assert!((6.0..=7.0).contains(&got), "{got} times beyond {usual}");
    }
}

#[test]
fn pressure_is_forgotten_when_nobody_asks() {
    let mut slowed = vec![0.5; 20];
    slowed.extend(vec![10.0; 60]);
    let (now, later) = (pressure(&slowed, 0.0), pressure(&slowed, 60.0));
    assert!(
        (now / later - std::f64::consts::E).abs() < 0.01,
        "{now} and a minute later {later}"
    );
    assert_eq!(pressure(&slowed, 600.0), 1.0);
}

#[test]
fn the_oldest_wait_is_pressure_before_anything_answers() {
    let start = Instant::now();
    let mut latency = Latency::new();
    let answered = latency.begin(start);
    latency.first_token(answered, start + seconds(0.5));
    let (old, young) = (
        latency.begin(start + seconds(1.0)),
        latency.begin(start + seconds(11.0)),
    );
    assert_eq!(latency.pressure(start + seconds(5.0)), 1.0);
    assert_eq!(latency.pressure(start + seconds(21.0)), 4.0);
    latency.forget(old);
    assert_eq!(latency.pressure(start + seconds(21.0)), 2.0);
    latency.forget(young);
    latency.forget(young);
    assert_eq!(latency.pressure(start + seconds(21.0)), 1.0);
}

#[test]
fn waits_that_begin_out_of_order_are_kept_in_order() {
    let start = Instant::now();
    let mut latency = Latency::new();
    let waits: Vec<_> = [3, 1, 2, 1, 0]
        .map(|at| latency.begin(start + Duration::from_micros(at)))
        .to_vec();
    assert!(latency.waiting.iter().is_sorted());
    for wait in waits {
        latency.forget(wait);
    }
    assert!(latency.waiting.is_empty());
}

#[test]
fn what_is_usual_is_forgotten_within_an_hour() {
    let start = Instant::now();
    let mut latency = Latency::new();
    for minute in 0..=62 {
        let now = start + seconds(60.0 * f64::from(minute));
        latency.observe(if minute == 0 { 0.5 } else { 5.0 }, now);
        let usual = latency.shortest.min(latency.shortest_before);
        assert!(
            if minute < 30 {
                usual == 0.5
            } else {
                minute < 62 || usual == 5.0
            },
            "{usual} at minute {minute}"
        );
    }
}
