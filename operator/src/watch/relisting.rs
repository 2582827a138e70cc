//! Lists and watches one of our own kinds, and lists it again whenever a watch has ended.
//!
//! An API server that takes a new schema goes on serving the watches that are open by the former one, for a second or for
//! a minute, and prunes from what they say the fields that only the new one knows. It ends them after the new schema is in
//! its place; so what is listed after an end is whole again, whichever of several API servers it was. A watch that goes on
//! where the one before it ended, as kube's does, would never see the object again. Lists are cheap here: of our own kinds
//! there are hundreds, and watches end every few minutes.

use futures::stream::{self, BoxStream, StreamExt};
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::runtime::watcher::{self, Error, Event};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// Objects of one page of a list.
const PAGE: u32 = 500;
/// The API server is asked to end a watch after this, and ends it earlier when it has reason to.
const WATCH: Duration = Duration::from_secs(290);
/// A watch that was not ended by then is over: whoever should have ended it may be gone.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between a watch and the next list, lest one that ends all watches be asked without end.
const BREATH: Duration = Duration::from_millis(200);

type Events<K> = BoxStream<'static, watcher::Result<Event<K>>>;

/// What happens to the objects of a kind. It does not end; whoever polls it waits after an error.
pub(super) fn events<K>(api: Api<K>) -> Events<K>
where
    K: Resource + Clone + DeserializeOwned + fmt::Debug + Send + 'static,
{
    let rounds = stream::repeat_with(move || round(api.clone()));
    rounds.flatten().boxed()
}

/// One list and the watch that follows it, until that ends or something fails.
fn round<K>(api: Api<K>) -> Events<K>
where
    K: Resource + Clone + DeserializeOwned + fmt::Debug + Send + 'static,
{
    let listed = async move {
        match list(&api).await {
            Ok((objects, version)) => {
                let applied = objects.into_iter().map(Event::InitApply);
                let events = [Event::Init].into_iter().chain(applied).chain([Event::InitDone]);
                stream::iter(events.map(Ok)).chain(watched(api, version)).boxed()
            }
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    };
    stream::once(listed).flatten().boxed()
}

/// All objects, and as of which version of everything. Whole or not at all.
async fn list<K>(api: &Api<K>) -> watcher::Result<(VecDeque<K>, String)>
where
    K: Clone + DeserializeOwned + fmt::Debug,
{
    let mut objects = VecDeque::new();
    let mut parameters = ListParams::default().limit(PAGE);
    loop {
        let page = api.list(&parameters).await.map_err(Error::InitialListFailed)?;
        objects.extend(page.items);
        match page.metadata.continue_.filter(|next| !next.is_empty()) {
            Some(next) => parameters.continue_token = Some(next),
            None => {
                let version = page.metadata.resource_version.filter(|version| !version.is_empty());
                return Ok((objects, version.ok_or(Error::NoResourceVersion)?));
            }
        }
    }
}

/// What happens after `version`, up to the first error.
fn watched<K>(api: Api<K>, version: String) -> Events<K>
where
    K: Clone + DeserializeOwned + fmt::Debug + Send + 'static,
{
    let opened = async move {
        let seconds = u32::try_from(WATCH.as_secs()).unwrap_or(u32::MAX);
        let parameters = WatchParams::default().timeout(seconds);
        match api.watch(&parameters, &version).await {
            Ok(watch) => watch.filter_map(|event| async { told(event).transpose() }).boxed(),
            Err(error) => stream::iter([Err(Error::WatchStartFailed(error))]).boxed(),
        }
    };
    let ended = async {
        tokio::time::sleep(BREATH).await;
        None
    };
    let events = stream::once(opened).flatten().map(Some);
    let events = events
        .take_until(tokio::time::sleep(PATIENCE))
        .chain(stream::once(ended));
    until_it_failed(events.filter_map(std::future::ready).boxed())
}

/// What an event of a watch means; a bookmark means nothing here.
fn told<K>(event: kube::Result<WatchEvent<K>>) -> watcher::Result<Option<Event<K>>> {
    match event {
        Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)) => Ok(Some(Event::Apply(object))),
        Ok(WatchEvent::Deleted(object)) => Ok(Some(Event::Delete(object))),
        Ok(WatchEvent::Bookmark(_)) => Ok(None),
        Ok(WatchEvent::Error(status)) => Err(Error::WatchError(status.boxed())),
        Err(error) => Err(Error::WatchFailed(error)),
    }
}

/// All up to the first error, that included.
fn until_it_failed<K: Send + 'static>(events: Events<K>) -> Events<K> {
    let ended = |failed: &mut bool, event: watcher::Result<Event<K>>| {
        let event = (!*failed).then_some(event);
        *failed |= matches!(event, Some(Err(_)));
        std::future::ready(event)
    };
    events.scan(false, ended).boxed()
}

#[cfg(test)]
mod tests;
