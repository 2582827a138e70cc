//! Authorised + model + session → ordered candidates, with the reason for each exclusion.
//!
//! A pure function: it reads the snapshot, the request and the breakers' state, and awaits nothing. Filters come before
//! affinity: capability, context window, dialect, breaker.

use super::authenticate::Authorised;
use super::respond::Telling;
use crate::affinity::displaced::{Displaced, Whereabouts, place};
use crate::affinity::session::{self, Session};
use crate::affinity::{self, Conversation, Score};
use crate::dialect::{Asked, Medium, Needs, Operation, lacks};
use crate::health::selection::{Contender, choose};
use crate::health::{Availability, Closure, Health, Reason};
use crate::policy::{Affinity, Policy, Rule, Target, Upstream, When};
use http::{HeaderMap, HeaderName};
use pilotfish_wire::{AffinityMode, Capabilities};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use tokio::time::Instant;

/// A deployment that may be tried, and how it would be called.
pub(super) struct Candidate<'a> {
    pub target: &'a Target,
    pub upstream: &'a Upstream,
    pub health: &'a Arc<Health>,
    pub standing: Standing,
}

/// What put a candidate where it is in the order of its tier; the lowest is first.
#[derive(Clone, Copy, Debug)]
pub(super) enum Standing {
    /// Not compared yet.
    Unknown,
    /// What the session's hash drew.
    Drawn(Score),
    /// How busy it is for its weight, with a random part.
    Busy(f64),
}

/// Why a deployment is not tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Weight 0.
    NoWeight,
    /// It dropped out of the configuration.
    Unavailable(String),
    /// Its model lacks this feature.
    Lacks(&'static str),
    /// The input is longer than its window, tokens.
    TooLong { estimate: u64, window: u64 },
    /// None of its dialects can do this.
    NoOperation(Operation),
    /// It speaks another dialect, which has no threads, and the request is in one.
    NoThreads,
    /// Its breaker is open, or its limit is spent.
    Closed(Closure),
    /// The session belongs to another deployment and must not leave it.
    NotHome,
}

/// What will be tried, in order, and what will not.
pub(super) struct Plan<'a> {
    pub rule: &'a Rule,
    pub order: Vec<Candidate<'a>>,
    /// Left out only because a limit is spent: the first to reset is waited for when nothing else is left.
    pub limited: Vec<Candidate<'a>>,
    pub excluded: Vec<(&'a str, Why)>,
    /// How the session was recognised, for the decision trace.
    pub session: Option<SessionTrace>,
}

/// A session, as the decision trace shows it: never its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct SessionTrace {
    /// `header`, `body`, `prompt`.
    pub source: &'static str,
    /// For remembering where it was served; absent when no deployment can take this kind of request.
    pub whereabouts: Option<Whereabouts>,
}

/// Headers whose comma-separated values are tags.
static TAGS: [HeaderName; 2] = [
    HeaderName::from_static("x-pilotfish-tags"),
    HeaderName::from_static("x-litellm-tags"),
];

/// What of a request a rule may ask for; each part computed once, when first asked.
pub(super) struct Facts<'a, 'b> {
    asked: &'a Asked<'b>,
    headers: &'a HeaderMap,
    body_len: u64,
    input_tokens: OnceCell<u64>,
    /// The estimate is known to be at least this.
    at_least: Cell<u64>,
    needs: OnceCell<Needs>,
    sound: OnceCell<bool>,
    document: OnceCell<bool>,
    tags: OnceCell<Vec<String>>,
}

impl<'a, 'b> Facts<'a, 'b> {
    pub(super) fn new(asked: &'a Asked<'b>, headers: &'a HeaderMap, body_len: usize) -> Self {
        Self {
            asked,
            headers,
            body_len: body_len as u64,
            input_tokens: OnceCell::new(),
            at_least: Cell::new(0),
            needs: OnceCell::new(),
            sound: OnceCell::new(),
            document: OnceCell::new(),
            tags: OnceCell::new(),
        }
    }

    fn needs(&self) -> Needs {
        *self.needs.get_or_init(|| self.asked.needs())
    }

    fn has_sound(&self) -> bool {
        *self.sound.get_or_init(|| self.asked.holds(Medium::Sound))
    }

    fn has_document(&self) -> bool {
        *self.document.get_or_init(|| self.asked.holds(Medium::Document))
    }

    /// The estimate, exact by its definition.
    pub(super) fn input_tokens(&self) -> u64 {
        *self.input_tokens.get_or_init(|| self.asked.input_tokens())
    }

    /// Whether the estimate reaches `tokens`; reads the text only if it could, and no further than it must.
    fn reaches(&self, tokens: u64) -> bool {
        let without_images = self.body_len.div_ceil(4);
        if without_images < tokens && !self.needs().vision {
            return false;
        }
        if let Some(exact) = self.input_tokens.get() {
            return *exact >= tokens;
        }
        if self.at_least.get() < tokens {
            self.count_up_to(tokens);
        }
        self.at_least.get() >= tokens
    }

    fn count_up_to(&self, enough: u64) {
        let counted = self.asked.input_tokens_up_to(enough);
        self.at_least.set(counted);
        if counted < enough {
            self.input_tokens.get_or_init(|| counted);
        }
    }

    /// Tags of the headers and of the body.
    fn tags(&self) -> &[String] {
        self.tags.get_or_init(|| {
            let listed = TAGS.iter().flat_map(|name| self.headers.get_all(name));
            let listed = listed
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','));
            let listed = listed.map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty());
            listed
                .chain(self.asked.tags().into_iter().map(Cow::into_owned))
                .collect()
        })
    }
}

/// The first rule that matches.
pub(super) fn rule<'a>(authorised: &Authorised<'a>, facts: &Facts<'_, '_>) -> Option<&'a Rule> {
    let policy: &'a Policy = authorised.policy;
    policy
        .rules
        .iter()
        .find(|rule| rule.when.as_ref().is_none_or(|when| matches(when, authorised, facts)))
}

fn matches(when: &When, authorised: &Authorised<'_>, facts: &Facts<'_, '_>) -> bool {
    let When {
        min_input_tokens,
        headers,
        key_labels,
        model_prefix,
        tags,
    } = when;
    let header = |(name, value): &(HeaderName, Box<str>)| {
        facts
            .headers
            .get_all(name)
            .iter()
            .any(|sent| sent.as_bytes() == value.as_bytes())
    };
    model_prefix
        .as_ref()
        .is_none_or(|prefix| facts.asked.model.starts_with(&**prefix))
        && headers.iter().all(header)
        && authorised.caller.has_labels(key_labels)
        && (tags.is_empty() || tags.iter().all(|tag| facts.tags().contains(tag)))
        && min_input_tokens.is_none_or(|tokens| facts.reaches(tokens))
}

/// Orders a rule's targets for one request. `health` finds what is known of a deployment; `random` yields bits.
pub(super) fn plan<'a>(
    authorised: &Authorised<'a>,
    rule: &'a Rule,
    facts: &Facts<'_, '_>,
    health: impl Fn(&'a Target) -> &'a Arc<Health>,
    memory: &Displaced,
    random: impl FnMut() -> u64,
    now: Instant,
) -> Plan<'a> {
    let unavailable =
        |gone: &'a pilotfish_wire::Unavailable| (gone.deployment.as_str(), Why::Unavailable(gone.reason.clone()));
    let mut plan = Plan {
        rule,
        order: Vec::with_capacity(rule.targets.len()),
        limited: Vec::new(),
        excluded: rule.unavailable.iter().map(unavailable).collect(),
        session: None,
    };
    let mut capable: SmallVec<[Candidate<'a>; 4]> = SmallVec::new();
    let candidate = |target: &'a Target, upstream| Candidate {
        target,
        upstream,
        health: health(target),
        standing: Standing::Unknown,
    };
    for target in &rule.targets {
        match capability(target, facts) {
            Ok(upstream) => capable.push(candidate(target, upstream)),
            Err(why) => plan.excluded.push((&target.deployment.name, why)),
        }
    }
    if capable.is_empty() {
        // Nobody takes all of it. Who would be sent a translation is sent what there is left, or refused by the field's
        // name, as the policy says of losses.
        for target in &rule.targets {
            let Some(upstream) = translating(target, facts) else {
                continue;
            };
            capable.push(candidate(target, upstream));
            plan.excluded.retain(|(name, _)| **name != *target.deployment.name);
        }
    }
    let affinity = &authorised.policy.affinity;
    let session = match affinity.mode {
        AffinityMode::Off => Session::Unnamed,
        AffinityMode::Prefer | AffinityMode::Require => session::session_id(
            &affinity.headers,
            facts.headers,
            || facts.asked.session_hint(),
            || facts.asked.conversation_root(),
        ),
    };
    match session.id() {
        Some(id) => {
            let conversation = Conversation::new(&authorised.caller.tenant, id, &facts.asked.model);
            let whereabouts = plan.sticky(conversation, capable, affinity, memory, now);
            plan.session = Some(SessionTrace {
                source: source(&session),
                whereabouts,
            });
        }
        None => plan.balanced(capable, random, now),
    }
    plan
}

fn source(session: &Session<'_>) -> &'static str {
    match session {
        Session::Named {
            source: session::Source::Header(_),
            ..
        } => "header",
        Session::Named {
            source: session::Source::Body,
            ..
        } => "body",
        Session::Rooted(_) => "prompt",
        Session::Unnamed | Session::Refused(_) => "none",
    }
}

/// How the target would be called, unless it cannot take this request whatever its state.
fn capability<'a>(target: &'a Target, facts: &Facts<'_, '_>) -> Result<&'a Upstream, Why> {
    let upstream = reachable(target, facts)?;
    match lacking(&target.deployment.capabilities, facts) {
        Some(feature) => Err(Why::Lacks(feature)),
        None => Ok(upstream),
    }
}

/// How it would be called in a dialect that is not the client's, if all that it lacks is an eye or an ear.
fn translating<'a>(target: &'a Target, facts: &Facts<'_, '_>) -> Option<&'a Upstream> {
    let upstream = reachable(target, facts).ok()?;
    let is_translated = !upstream.passes(facts.asked);
    (is_translated && lacking(&target.deployment.capabilities, facts) != Some("Tools")).then_some(upstream)
}

/// What the request needs and the model is known to lack. The body is only looked into for that.
fn lacking(capabilities: &Capabilities, facts: &Facts<'_, '_>) -> Option<&'static str> {
    if lacks(capabilities, "Tools") && facts.needs().tools {
        return Some("Tools");
    }
    if lacks(capabilities, "Vision") && facts.needs().vision {
        return Some("Vision");
    }
    if lacks(capabilities, "Audio") && facts.has_sound() {
        return Some("Audio");
    }
    (lacks(capabilities, "Documents") && facts.has_document()).then_some("Documents")
}

/// How the target would be called, unless it cannot take any such request, whatever its state.
fn reachable<'a>(target: &'a Target, facts: &Facts<'_, '_>) -> Result<&'a Upstream, Why> {
    let capabilities = &target.deployment.capabilities;
    if target.weight == 0 {
        return Err(Why::NoWeight);
    }
    // An estimate may be half too high, and a request that would have fitted is worse refused than tried.
    if let Some(window) = capabilities.context_tokens
        && facts.reaches(window.saturating_add(window / 2).saturating_add(1))
    {
        return Err(Why::TooLong {
            estimate: facts.input_tokens(),
            window,
        });
    }
    let endpoint =
        endpoint(&target.deployment.endpoints, facts.asked).ok_or(Why::NoOperation(facts.asked.operation))?;
    // Whoever hosts somebody else's models holds no conversation of theirs.
    let holds_threads = endpoint.passes(facts.asked) && endpoint.hosting.is_none();
    if !holds_threads && facts.asked.is_in_thread() {
        return Err(Why::NoThreads);
    }
    Ok(endpoint)
}

/// The endpoint that speaks the client's dialect, or else the preferred one.
fn endpoint<'a>(endpoints: &'a [Upstream], asked: &Asked<'_>) -> Option<&'a Upstream> {
    let serves = |endpoint: &&Upstream| endpoint.path(asked).is_some();
    let native = endpoints.iter().find(|endpoint| endpoint.dialect == asked.native());
    native.filter(serves).or_else(|| endpoints.iter().find(serves))
}

impl<'a> Plan<'a> {
    /// A conversation's own order: its home first, then the deployments it fails over to, the same at every sidecar.
    fn sticky(
        &mut self,
        mut conversation: Conversation,
        capable: SmallVec<[Candidate<'a>; 4]>,
        affinity: &Affinity,
        memory: &Displaced,
        now: Instant,
    ) -> Option<Whereabouts> {
        let order = conversation.rank(capable.iter().map(|candidate| affinity::Candidate {
            name: &candidate.target.deployment.name,
            weight: candidate.target.weight,
            tier: candidate.target.tier,
        }));
        let home = &capable.get(order.first()?.index)?.target.deployment.name;
        let whereabouts = Whereabouts {
            conversation: conversation.key(),
            home: place(home),
        };
        let mut capable: SmallVec<[Option<Candidate<'a>>; 4]> = capable.into_iter().map(Some).collect();
        for (rank, ranked) in order.iter().enumerate() {
            let Some(mut candidate) = capable[ranked.index].take() else {
                continue;
            };
            candidate.standing = Standing::Drawn(ranked.score);
            if rank > 0 && affinity.mode == AffinityMode::Require {
                self.excluded.push((&candidate.target.deployment.name, Why::NotHome));
            } else {
                self.offer(candidate, now);
            }
        }
        let at = |candidate: &Candidate<'_>| place(&candidate.target.deployment.name);
        let home_serves = self.order.first().is_some_and(|first| at(first) == whereabouts.home);
        if let Some(stays_at) = memory.recall(whereabouts, home_serves, affinity.idle_timeout, now)
            && let Some(position) = self.order.iter().position(|candidate| at(candidate) == stays_at)
        {
            self.order[..=position].rotate_right(1);
        }
        Some(whereabouts)
    }

    /// Every request for itself: the least busy first, shares following the weights; tier by tier.
    fn balanced(&mut self, capable: SmallVec<[Candidate<'a>; 4]>, random: impl FnMut() -> u64, now: Instant) {
        let contender = |candidate: &Candidate<'a>| Contender {
            weight: candidate.target.weight,
            tier: candidate.target.tier,
            load: candidate.health.load(now),
        };
        let order = choose(capable.iter().map(contender), random);
        let mut capable: SmallVec<[Option<Candidate<'a>>; 4]> = capable.into_iter().map(Some).collect();
        for choice in order {
            if let Some(mut candidate) = capable[choice.index].take() {
                candidate.standing = Standing::Busy(choice.cost);
                self.offer(candidate, now);
            }
        }
    }

    /// Takes a candidate into the order, unless its breaker is closed to all.
    fn offer(&mut self, candidate: Candidate<'a>, now: Instant) {
        match candidate.health.availability(now) {
            Availability::Available | Availability::HalfOpen => self.order.push(candidate),
            Availability::Closed(closure) => {
                self.excluded
                    .push((&candidate.target.deployment.name, Why::Closed(closure)));
                if closure.reason == Reason::Limited {
                    self.limited.push(candidate);
                }
            }
        }
    }

    /// When the first of the closed deployments, and of `others`, can be asked again.
    pub(super) fn soonest<'b>(
        &self,
        others: impl Iterator<Item = &'b Candidate<'b>>,
        now: Instant,
    ) -> Option<std::time::Duration> {
        let closed = self.excluded.iter().filter_map(|(_, why)| match why {
            Why::Closed(closure) => Some(closure.until),
            _ => None,
        });
        let others = others.filter_map(|candidate| resets_at(candidate, now));
        closed.chain(others).min().map(|at| at.saturating_duration_since(now))
    }

    /// The client need not wait for the deployments that failed or are closed: were the request not in a thread, there
    /// would be another one. Its helper knows the error, and sends the whole conversation.
    pub(super) fn could_serve_without_thread(&self) -> bool {
        self.excluded.iter().any(|(_, why)| matches!(why, Why::NoThreads))
    }

    /// The status of "nothing was tried".
    pub(super) fn telling(&self) -> Telling {
        let why = |(_, why): &(&str, Why)| match why {
            Why::Closed(Closure {
                reason: Reason::Limited,
                ..
            }) => Telling::Limited,
            Why::TooLong { .. } => Telling::ContextOverflow,
            Why::Lacks(_) | Why::NoOperation(_) => Telling::Unsupported,
            Why::NoThreads => Telling::NoThreads,
            Why::NoWeight | Why::Unavailable(_) | Why::Closed(_) | Why::NotHome => Telling::Unavailable,
        };
        if self.could_serve_without_thread() {
            return Telling::NoThreads;
        }
        // A deployment that may come back is waited for before the client is told that its request is at fault.
        let all = || self.excluded.iter().map(why);
        if all().any(|telling| telling == Telling::Unavailable) {
            return Telling::Unavailable;
        }
        all().max().unwrap_or(Telling::Unavailable)
    }
}

/// When a candidate that is closed now can be asked again.
pub(super) fn resets_at(candidate: &Candidate<'_>, now: Instant) -> Option<Instant> {
    match candidate.health.availability(now) {
        Availability::Closed(closure) => Some(closure.until),
        Availability::Available | Availability::HalfOpen => None,
    }
}
