//! What whole dialects lack, told in one way.

use super::item::Request;
use super::loss::Ledger;

/// Something that a provider's dialect has no place for, whatever the request says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    Cache,
    EndUser,
    Tier,
    Metadata,
    /// One call at a time.
    OneCall,
}

/// Reports what of it the request asks for.
pub(super) fn report(request: &Request<'_>, lacks: &[Lack], ledger: &mut Ledger) {
    let (settings, names) = (&request.settings, &request.settings.names);
    for lack in lacks {
        match lack {
            Lack::Cache if request.marks_cache() => {
                ledger.hint(names.cache, "the upstream's dialect has no cache breakpoints");
            }
            Lack::EndUser if settings.end_user.is_some() => {
                ledger.hint(names.end_user, "the upstream's dialect has no end user");
            }
            Lack::Tier if settings.tier.is_some() => {
                ledger.hint(names.tier, "the upstream's dialect has no tiers");
            }
            Lack::Metadata if settings.metadata.is_some() => {
                ledger.hint("metadata", "only OpenAI keeps metadata");
            }
            Lack::OneCall if settings.parallel_calls == Some(false) && !request.tools.is_empty() => {
                ledger.meaning(
                    names.parallel_calls,
                    "the upstream's dialect cannot have one call at a time",
                );
            }
            Lack::Cache | Lack::EndUser | Lack::Tier | Lack::Metadata | Lack::OneCall => {}
        }
    }
}
