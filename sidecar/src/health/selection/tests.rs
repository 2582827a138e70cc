use super::*;

mod simulation;

const CALM: Load = Load {
    in_flight: 0,
    pressure: 1.0,
};

fn contender(weight: u32, tier: u32, load: Load) -> Contender {
    Contender { weight, tier, load }
}

/// The percentage of 100,000 choices that falls first on each contender.
fn shares<const N: usize>(contenders: [Contender; N]) -> [f64; N] {
    let mut random = fastrand::Rng::with_seed(7);
    let mut shares = [0.0; N];
    for _ in 0..100_000 {
        shares[choose(contenders, || random.u64(..))[0].index] += 0.001;
    }
    shares
}

fn near<const N: usize>(shares: [f64; N], expected: [f64; N]) {
    let close = shares
        .iter()
        .zip(&expected)
        .all(|(share, expected)| (share - expected).abs() < 0.6);
    assert!(close, "{shares:?} for {expected:?}");
}

#[test]
fn without_load_the_shares_follow_the_weights() {
    near(shares([contender(80, 0, CALM), contender(20, 0, CALM)]), [80.0, 20.0]);
    near(
        shares([contender(1, 0, CALM), contender(0, 0, CALM), contender(1, 0, CALM)]),
        [50.0, 0.0, 50.0],
    );
    near(
        shares([contender(1_000_000, 0, CALM), contender(10_000, 0, CALM)]),
        [99.0, 1.0],
    );
}

#[test]
fn a_deployment_under_pressure_gets_as_much_less() {
    let pressed = Load {
        in_flight: 0,
        pressure: 3.0,
    };
    near(shares([contender(1, 0, pressed), contender(1, 0, CALM)]), [25.0, 75.0]);
}

#[test]
fn requests_in_flight_outgrow_the_draw() {
    let busy = |in_flight| Load {
        in_flight,
        pressure: 1.0,
    };
    let [busier, _] = shares([contender(1, 0, busy(12)), contender(1, 0, busy(4))]);
    assert!(busier < 1.5, "{busier} %");
    near(
        shares([contender(3, 0, busy(30)), contender(1, 0, busy(10))]),
        shares([contender(3, 0, busy(60)), contender(1, 0, busy(20))]),
    );
}

#[test]
fn the_order_holds_every_tier_in_turn_and_nothing_without_a_weight() {
    let mut random = fastrand::Rng::with_seed(7);
    let contenders = [(5, 1), (0, 0), (1, 2), (9, 1), (3, 0)].map(|(weight, tier)| contender(weight, tier, CALM));
    for _ in 0..1000 {
        let order = choose(contenders, || random.u64(..));
        let tiers: Vec<_> = order.iter().map(|choice| choice.tier).collect();
        assert_eq!(tiers, [0, 1, 1, 2]);
        assert!(!order.spilled() && order.iter().all(|choice| choice.index != 1));
    }
}

#[test]
fn draws_are_finite_and_have_mean_1() {
    assert!(exponential(0).is_finite() && exponential(u64::MAX) > 0.0);
    let mut random = fastrand::Rng::with_seed(7);
    let mean = (0..100_000).map(|_| exponential(random.u64(..))).sum::<f64>() / 100_000.0;
    assert!((mean - 1.0).abs() < 0.02, "{mean}");
}
