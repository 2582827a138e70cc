//! The body that a call sends: the client's own with its splices, or a translation of it.

use super::{Call, Called, Request};
use crate::dialect::{
    Asked, Carrier, ClientDialect, Dialect, Exchange, Found, Grade, Keeping, Loss, PREVIOUS, PassThrough, Purged,
    Recall, Stamp, Translated, Upstream, exchange_of_passed, hosted, is_asked_for_usage, is_kept_by_nobody,
    pass_through, previous, translate_request_with, unreasoned, unsigned, without_count, without_foreign,
    without_thinking,
};
use crate::json;
use crate::pictures::Public;
use crate::pipeline::respond::{CollectFault, Refusal};
use crate::stored::Home;
use crate::upstream::OutBody;
use bytes::Bytes;
use pilotfish_wire::{Hosting, OnLoss};
use smallvec::SmallVec;
use std::ops::Range;

impl Call<'_, '_> {
    /// The body to send, in the upstream's dialect.
    pub(super) async fn prepare(&mut self) -> Result<OutBody, Called> {
        let Request { asked, policy, .. } = self.request;
        self.is_at_home()?;
        if self.candidate.upstream.passes(asked) {
            return Ok(self.purged());
        }
        let mut translated = self.translate()?;
        if !translated.wanted.is_empty() && self.fetch(&translated.wanted).await? {
            translated = self.translate()?;
        }
        let loses_meaning = translated.losses.iter().any(|loss| loss.grade == Grade::Meaning);
        if loses_meaning && policy.on_loss == OnLoss::Refuse {
            let meaning = translated
                .losses
                .into_iter()
                .filter(|loss| loss.grade == Grade::Meaning);
            return Err(Called::Lossy(meaning.collect()));
        }
        self.losses = translated.losses;
        self.exchange = Some(translated.exchange);
        self.keeping = translated.keeping;
        let body = self.readable(Bytes::from(translated.body));
        let body = self.counted(body);
        self.translated = Some(body.clone());
        let hosting = self.candidate.upstream.hosting;
        let hosted = hosting.and_then(|hosting| Some(self.hosted(&json::parse(&body).ok()?, hosting)));
        Ok(match hosted {
            Some(hosted) => OutBody::new(hosted.into_pieces(&body)),
            None => OutBody::new([body]),
        })
    }

    /// Whoever keeps the response that this request goes on from, or may keep it.
    fn is_at_home(&self) -> Result<(), Called> {
        let Request {
            asked, visit, tenant, ..
        } = self.request;
        let Some(id) = previous(asked) else {
            return Ok(());
        };
        let why = match visit.worker.shared.stored.home(tenant, &id) {
            Home::At(home) if home == self.candidate.target.deployment.name => return Ok(()),
            Home::OfAnother => return Err(Called::Refused(Refusal::UnknownResponse { id: id.into_owned() })),
            Home::At(home) => format!("{home} alone keeps this response, whatever onLoss says").into(),
            // Where it is translated, the policy decides.
            Home::Unknown if is_kept_by_nobody(&id) && self.candidate.upstream.passes(asked) => {
                "nobody keeps the answer of this id, which was translated".into()
            }
            Home::Unknown => return Ok(()),
        };
        Err(Called::Lossy(vec![Loss {
            field: PREVIOUS.into(),
            grade: Grade::Meaning,
            why,
        }]))
    }

    /// Reasoning that the client has dropped, for the bytes that pass through.
    fn dropped(&mut self, asked: &Asked<'_>) -> Vec<(Range<usize>, Vec<u8>)> {
        let visit = self.request.visit;
        let is_empty = visit.worker.shared.thoughts.is_empty();
        let carrier = self.carrier.filter(|carrier| !is_empty && carrier.may_miss(asked));
        let Some(carrier) = carrier else {
            return Vec::new();
        };
        let keeper = self.keeper();
        let passed = carrier.walk(
            asked,
            Some(&|conversation, call: &str| keeper.recall(conversation, call)),
        );
        self.walked = Some(passed.keeping);
        passed.splices
    }

    /// What of an answer that passes through shall be kept. Its request is walked only now, if it was not before: few
    /// answers reason.
    pub(super) fn keeping_passed(&self) -> Option<Keeping> {
        let walk = || self.carrier?.walk(self.request.asked, None).keeping;
        self.walked.unwrap_or_else(walk)
    }

    /// A translation that asks for usage, unless this upstream has refused that.
    fn counted(&self, body: Bytes) -> Bytes {
        let is_chat = self.candidate.upstream.dialect == Dialect::Chat;
        let refused = is_chat && self.request.asked.stream && self.keeper().has_refused_count();
        refused.then(|| without_count(&body)).flatten().unwrap_or(body)
    }

    /// A translation without the reasoning that this upstream cannot read.
    fn readable(&mut self, body: Bytes) -> Bytes {
        let is_responses = self.candidate.upstream.dialect == Dialect::Responses;
        let Some(purged) = is_responses.then(|| self.keeper().readable(&body)).flatten() else {
            return body;
        };
        // The client has it elsewhere, in the form of its own dialect.
        let why = purged.losses.into_iter().next().map(|loss| loss.why);
        self.losses.extend(why.map(|why| Loss {
            field: "reasoning.encrypted_content".into(),
            grade: Grade::Hint,
            why,
        }));
        purged.body
    }

    /// The client's bytes, but for what this upstream would refuse of what another one said.
    fn purged(&mut self) -> OutBody {
        let Request { asked, body, .. } = self.request;
        self.carrier = Carrier::of(asked, &self.upstream());
        let purged = match asked.dialect {
            ClientDialect::Responses => self.keeper().readable(body),
            ClientDialect::Chat | ClientDialect::Messages | ClientDialect::Gemini => {
                without_foreign(asked, &self.upstream())
            }
        };
        let Some(Purged { body: purged, losses }) = purged else {
            return self.spliced(asked, body);
        };
        match asked.again(&purged) {
            Ok(again) => {
                self.losses = losses;
                self.spliced(&again, &purged)
            }
            Err(_) => self.spliced(asked, body),
        }
    }

    /// `body`, which is what `asked` was read from, with the permitted splices.
    fn spliced(&mut self, asked: &Asked<'_>, body: &Bytes) -> OutBody {
        let mut dropped = self.dropped(asked);
        dropped.extend(unsigned(asked, &self.upstream(), &dropped));
        dropped.extend(unreasoned(asked, &self.upstream(), &dropped));
        if let Some((splice, loss)) = without_thinking(asked, &self.upstream(), &dropped) {
            dropped.push(splice);
            self.losses.push(loss);
        }
        dropped.sort_by_key(|(range, _)| range.start);
        let spliced = match self.candidate.upstream.hosting {
            None => {
                let deployment = &self.candidate.target.deployment;
                let counts = asked.operation.streams() && is_asked_for_usage(&deployment.provider);
                let counts = counts && !self.keeper().has_refused_count();
                pass_through(asked, &deployment.model, counts)
            }
            Some(hosting) => self.hosted(&asked.object, hosting),
        };
        OutBody::new(spliced.with(dropped).into_pieces(body))
    }

    /// With the betas that the client's headers name.
    fn hosted(&self, object: &json::Object<'_>, hosting: Hosting) -> PassThrough {
        let Request { asked, head, .. } = self.request;
        let named = head.headers.get_all("anthropic-beta").iter();
        let named = named.filter(|_| asked.dialect == ClientDialect::Messages);
        let betas = named
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        let betas: SmallVec<[&str; 4]> = betas.map(str::trim).filter(|beta| !beta.is_empty()).collect();
        let model = &self.candidate.target.deployment.model;
        hosted(object, hosting, (asked.operation, model), &betas)
    }

    fn upstream(&self) -> Upstream<'_> {
        let deployment = &self.candidate.target.deployment;
        Upstream {
            dialect: self.candidate.upstream.dialect,
            provider: &deployment.provider,
            model: &deployment.model,
            capabilities: &deployment.capabilities,
        }
    }

    fn stamp(&self) -> Stamp<'_> {
        Stamp {
            request_id: self.request.visit.request_id(),
            created: self.request.visit.unix_seconds,
        }
    }

    /// What a whole answer of the upstream's own dialect must be told with as a stream.
    pub(super) fn passed(&self) -> Exchange {
        exchange_of_passed(self.request.asked, &self.upstream(), self.stamp())
    }

    fn translate(&self) -> Result<Translated, Called> {
        let Request {
            asked,
            visit,
            policy,
            album,
            ..
        } = self.request;
        let stamp = self.stamp();
        let (keeper, pictures) = (self.keeper(), album.pictures());
        let recall = |conversation, call: &str| keeper.recall(conversation, call);
        let found = Found {
            recall: (!visit.worker.shared.thoughts.is_empty()).then_some(&recall as &Recall<'_>),
            pictures: (!policy.fetch_images.is_empty()).then_some(&*pictures),
        };
        translate_request_with(asked, &self.upstream(), stamp, found).map_err(|bad| Called::Refused(bad.into()))
    }

    /// Whether there is more to translate with.
    async fn fetch(&self, wanted: &[String]) -> Result<bool, Called> {
        let Request {
            album, policy, visit, ..
        } = self.request;
        let pool = &visit.worker.shared.bodies;
        let fetched = Box::pin(album.fetch(wanted, &policy.fetch_images, &Public, pool)).await;
        fetched.map_err(|_| Called::Refused(Refusal::Body(CollectFault::NoMemory)))
    }
}
