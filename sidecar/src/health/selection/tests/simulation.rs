//! Sidecars that know nothing of each other, in front of deployments with a fixed number of slots and a queue each.

use super::super::{Contender, choose};
use crate::dialect::Operation;
use crate::health::{Attempt, Health};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What is simulated; times in seconds.
struct World {
    sidecars: usize,
    weights: Vec<u32>,
    /// How many times longer than a mean of 6 s a whole answer takes, by deployment.
    slowness: Vec<f64>,
    /// The median first token of an idle deployment.
    first_token: Vec<f64>,
    /// First tokens vary (from 0.6 of the median, with a 99th percentile of 8 times it), or are all the same.
    varied: bool,
    slots: usize,
    requests_per_second: f64,
    lasts: f64,
    /// Choose by weight alone instead.
    blind: bool,
}

#[derive(Debug)]
struct Outcome {
    first_token_p99: f64,
    shares: Vec<f64>,
}

/// In the order of time; the number makes it total.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Duration,
    number: usize,
    what: What,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Arrives,
    FirstToken(usize),
    Ends(usize),
}

struct Request {
    deployment: usize,
    arrived: Duration,
    attempt: Option<Attempt>,
}

struct Run<'a> {
    world: &'a World,
    random: fastrand::Rng,
    origin: Instant,
    due: BinaryHeap<Reverse<Due>>,
    scheduled: usize,
    healths: Vec<Vec<Arc<Health>>>,
    requests: Vec<Request>,
    busy: Vec<usize>,
    queues: Vec<VecDeque<usize>>,
    first_tokens: Vec<f64>,
}

impl World {
    fn run(&self) -> Outcome {
        let deployments = self.weights.len();
        let fresh = || {
            (0..deployments)
                .map(|_| Health::new("shop/a", "ai/gpt", Operation::Generate))
                .collect()
        };
        let mut run = Run {
            world: self,
            random: fastrand::Rng::with_seed(11),
            origin: Instant::now(),
            due: BinaryHeap::new(),
            scheduled: 0,
            healths: (0..self.sidecars).map(|_| fresh()).collect(),
            requests: Vec::new(),
            busy: vec![0; deployments],
            queues: vec![VecDeque::new(); deployments],
            first_tokens: Vec::new(),
        };
        run.schedule(Duration::ZERO, What::Arrives);
        while let Some(Reverse(due)) = run.due.pop().filter(|Reverse(due)| due.at.as_secs_f64() < self.lasts) {
            run.happens(due.at, due.what);
        }
        run.outcome()
    }
}

impl Run<'_> {
    fn happens(&mut self, at: Duration, what: What) {
        match what {
            What::Arrives => self.arrives(at),
            What::FirstToken(id) => {
                let request = &mut self.requests[id];
                request
                    .attempt
                    .as_mut()
                    .expect("it has not ended")
                    .first_token(self.origin + at);
                self.first_tokens.push((at - request.arrived).as_secs_f64());
            }
            What::Ends(id) => self.ends(at, id),
        }
    }

    fn arrives(&mut self, at: Duration) {
        let pause = self.exponential() / self.world.requests_per_second;
        self.schedule(at + Duration::from_secs_f64(pause), What::Arrives);
        let sidecar = self.random.usize(..self.world.sidecars);
        let deployment = self.choose(sidecar, at);
        let attempt = self.healths[sidecar][deployment]
            .start(true, self.origin + at)
            .expect("nothing ever fails");
        self.requests.push(Request {
            deployment,
            arrived: at,
            attempt: Some(attempt),
        });
        self.queues[deployment].push_back(self.requests.len() - 1);
        self.serve(at, deployment);
    }

    fn choose(&mut self, sidecar: usize, at: Duration) -> usize {
        let Self {
            world,
            healths,
            random,
            origin,
            ..
        } = self;
        let contenders = healths[sidecar].iter().zip(&world.weights).map(|(health, weight)| {
            let known = if world.blind {
                Health::new("shop/a", "ai/gpt", Operation::Generate)
            } else {
                Arc::clone(health)
            };
            Contender {
                weight: *weight,
                tier: 0,
                load: known.load(*origin + at),
            }
        });
        choose(contenders, || random.u64(..))[0].index
    }

    fn serve(&mut self, at: Duration, deployment: usize) {
        if self.busy[deployment] == self.world.slots {
            return;
        }
        let Some(id) = self.queues[deployment].pop_front() else {
            return;
        };
        self.busy[deployment] += 1;
        let spread = if self.world.varied {
            0.6 + 0.4 * (1.25 * self.normal()).exp()
        } else {
            1.0
        };
        let first = self.world.first_token[deployment] * spread;
        let whole = (6.0_f64.ln() - 0.5 + self.normal()).exp() * self.world.slowness[deployment];
        self.schedule(at + Duration::from_secs_f64(first), What::FirstToken(id));
        self.schedule(at + Duration::from_secs_f64(first.max(whole)), What::Ends(id));
    }

    fn ends(&mut self, at: Duration, id: usize) {
        let request = &mut self.requests[id];
        let deployment = request.deployment;
        drop(request.attempt.take());
        self.busy[deployment] -= 1;
        self.serve(at, deployment);
    }

    fn schedule(&mut self, at: Duration, what: What) {
        self.scheduled += 1;
        self.due.push(Reverse(Due {
            at,
            number: self.scheduled,
            what,
        }));
    }

    fn exponential(&mut self) -> f64 {
        -(1.0 - self.random.f64()).ln()
    }

    fn normal(&mut self) -> f64 {
        (2.0 * self.exponential()).sqrt() * (std::f64::consts::TAU * self.random.f64()).cos()
    }

    fn outcome(mut self) -> Outcome {
        self.first_tokens.sort_by(f64::total_cmp);
        let total = self.requests.len() as f64;
        let count = |deployment| {
            self.requests
                .iter()
                .filter(|request| request.deployment == deployment)
                .count()
        };
        Outcome {
            first_token_p99: self.first_tokens[self.first_tokens.len() * 99 / 100],
            shares: (0..self.busy.len())
                .map(|deployment| count(deployment) as f64 / total)
                .collect(),
        }
    }
}

/// Four equal weights, one deployment three times slower, 0.7 of the nominal load, 64 sidecars.
fn slow_member(blind: bool) -> Outcome {
    let world = World {
        sidecars: 64,
        weights: vec![1; 4],
        slowness: vec![3.0, 1.0, 1.0, 1.0],
        first_token: vec![0.4; 4],
        varied: false,
        slots: 32,
        requests_per_second: 0.7 * 4.0 * 32.0 / 6.0,
        lasts: 1500.0,
        blind,
    };
    world.run()
}

#[test]
fn a_deployment_that_is_thrice_as_slow_gets_less_and_nobody_waits_long() {
    let outcome = slow_member(false);
    assert!(
        (0.08..0.14).contains(&outcome.shares[0]),
        "its third of a share would be 0.1: {outcome:?}"
    );
    assert!(outcome.first_token_p99 < 20.0, "{outcome:?}");
    let blind = slow_member(true);
    assert!(blind.first_token_p99 > 300.0, "the model is too easy: {blind:?}");
}

/// The share of the heavier of 80 and 20, whose medians of the first token are these, in front of ample capacity.
fn share_of_80(first_token: [f64; 2], requests_per_second: f64) -> f64 {
    let world = World {
        sidecars: 1,
        weights: vec![80, 20],
        slowness: vec![1.0; 2],
        first_token: first_token.to_vec(),
        varied: true,
        slots: 1000,
        requests_per_second,
        lasts: 10_000.0 / requests_per_second,
        blind: false,
    };
    world.run().shares[0]
}

#[test]
fn with_little_load_the_shares_follow_the_weights_however_first_tokens_vary() {
    for first_token in [[0.5, 0.5], [0.5, 1.5], [1.5, 0.5]] {
        for (requests_per_second, tolerance) in [(0.01, 0.012), (0.1, 0.03), (1.0, 0.06)] {
            let share = share_of_80(first_token, requests_per_second);
            assert!(
                (share - 0.8).abs() < tolerance,
                "{share} of {first_token:?} at {requests_per_second}/s"
            );
        }
    }
}
