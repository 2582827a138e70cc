//! Lists and watches a kind, and lists it again whenever a watch has ended.
//!
//! A watch that goes on where the one before it ended, as kube's does, believes for ever what it was told once. Yet an API
//! server that takes a new schema goes on serving the watches that are open by the former one, for a second or for a
//! minute, and prunes from what they say the fields that only the new one knows; it ends them after the new schema is in
//! its place. And one whose etcd was restored from a backup has an older state, and takes a watch from a version that is yet
//! to come without a word, and without an event. So what is listed after an end is whole again, whichever of several API
//! servers it was. Lists are cheap here: what we watch is selected, and watches end every few minutes.
//!
//! On a kind of which nothing happens an API server may be silent for minutes, bookmarks included. Whether the connection
//! is dead cannot be told from that: such a watch is over, which is no failure, and the list that follows tells.

use super::sound::Sound;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::runtime::watcher::{self, Error, Event};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use std::fmt;
use std::io;
use std::time::Duration;

/// Objects of one page of a list.
const PAGE: u32 = 500;
/// The API server is asked to end a watch after this, and ends it earlier when it has reason to.
const WATCH: Duration = Duration::from_secs(290);
/// A watch that was not ended by then is over: whoever should have ended it may be gone.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between a watch and the next list, lest one that ends all watches be asked without end.
const BREATH: Duration = Duration::from_millis(200);

/// What of a kind is watched.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    /// A label selector.
    labels: Option<String>,
    /// A field selector.
    fields: Option<String>,
    /// Objects of one page of a list.
    page: u32,
}

type Events<K> = BoxStream<'static, watcher::Result<Event<K>>>;

/// What is to be done next.
enum Step {
    /// A page is to be listed: the first, or the one after this token.
    List(Option<String>),
    /// What happens after this version is to be watched.
    Watch(String),
    Over,
}

impl Selection {
    /// All objects.
    pub(crate) fn all() -> Self {
        Self {
            labels: None,
            fields: None,
            page: PAGE,
        }
    }

    /// Those with this label, set to `true`.
    pub(crate) fn labelled(label: &str) -> Self {
        Self {
            labels: Some(format!("{label}=true")),
            ..Self::all()
        }
    }

    /// Those of this name.
    pub(crate) fn named(name: &str) -> Self {
        Self {
            fields: Some(format!("metadata.name={name}")),
            ..Self::all()
        }
    }

    /// The same, so many objects at a time: of what may be as large as the API server lets it be.
    pub(crate) fn in_pages_of(self, page: u32) -> Self {
        Self { page, ..self }
    }
}

/// What happens to the objects of a kind. It does not end; whoever polls it waits after an error.
pub(crate) fn events<K>(api: Api<Sound<K>>, selection: Selection) -> Events<K>
where
    K: Resource + Clone + DeserializeOwned + fmt::Debug + Send + 'static,
{
    let rounds = stream::repeat_with(move || round(api.clone(), selection.clone()));
    rounds
        .flatten()
        .map_ok(|event| mapped(event, |Sound(object)| object))
        .boxed()
}

/// The same event of what `map` makes of its object.
pub(crate) fn mapped<A, B>(event: Event<A>, map: impl Fn(A) -> B) -> Event<B> {
    match event {
        Event::Apply(object) => Event::Apply(map(object)),
        Event::Delete(object) => Event::Delete(map(object)),
        Event::Init => Event::Init,
        Event::InitApply(object) => Event::InitApply(map(object)),
        Event::InitDone => Event::InitDone,
    }
}

/// One list and the watch that follows it, until that ends or something fails.
fn round<K>(api: Api<K>, selection: Selection) -> Events<K>
where
    K: Resource + Clone + DeserializeOwned + fmt::Debug + Send + 'static,
{
    let steps = stream::unfold(Step::List(None), move |step| {
        let (api, selection) = (api.clone(), selection.clone());
        async move {
            match step {
                Step::List(token) => Some(listed(&api, &selection, token).await),
                Step::Watch(version) => Some((watched(api, selection, version), Step::Over)),
                Step::Over => None,
            }
        }
    });
    until_it_failed(steps.flatten().boxed())
}

/// One page of a list. What is listed counts when the list is complete; one that breaks off is begun anew.
async fn listed<K>(api: &Api<K>, selection: &Selection, token: Option<String>) -> (Events<K>, Step)
where
    K: Clone + DeserializeOwned + fmt::Debug + Send + 'static,
{
    let begins = token.is_none().then_some(Event::Init);
    let parameters = ListParams {
        label_selector: selection.labels.clone(),
        field_selector: selection.fields.clone(),
        limit: Some(selection.page),
        continue_token: token,
        ..ListParams::default()
    };
    let failed = |error| (stream::iter([Err(error)]).boxed(), Step::Over);
    let page = match api.list(&parameters).await {
        Ok(page) => page,
        Err(error) => return failed(Error::InitialListFailed(error)),
    };
    let next = page.metadata.continue_.filter(|next| !next.is_empty());
    let version = page.metadata.resource_version.filter(|version| !version.is_empty());
    let (ends, step) = match (next, version) {
        (Some(next), _) => (None, Step::List(Some(next))),
        (None, Some(version)) => (Some(Event::InitDone), Step::Watch(version)),
        (None, None) => return failed(Error::NoResourceVersion),
    };
    let events = begins
        .into_iter()
        .chain(page.items.into_iter().map(Event::InitApply))
        .chain(ends);
    (stream::iter(events.map(Ok)).boxed(), step)
}

/// What happens after `version`, up to the first error.
fn watched<K>(api: Api<K>, selection: Selection, version: String) -> Events<K>
where
    K: Clone + DeserializeOwned + fmt::Debug + Send + 'static,
{
    let opened = async move {
        let seconds = u32::try_from(WATCH.as_secs()).unwrap_or(u32::MAX);
        let parameters = WatchParams {
            label_selector: selection.labels,
            field_selector: selection.fields,
            ..WatchParams::default().timeout(seconds)
        };
        match api.watch(&parameters, &version).await {
            Ok(watch) => {
                let spoken = watch.take_while(|event| std::future::ready(!is_silence(event)));
                spoken.filter_map(|event| async { told(event).transpose() }).boxed()
            }
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

/// Nothing came for so long that the connection was given up.
fn is_silence<K>(event: &kube::Result<WatchEvent<K>>) -> bool {
    let error = event
        .as_ref()
        .err()
        .map(|error| error as &(dyn std::error::Error + 'static));
    let mut causes = std::iter::successors(error, |error| error.source());
    let is_late = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
    causes.any(|error| error.downcast_ref().is_some_and(is_late))
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
