//! The pictures that one request names by URL, for those of its attempts that need the bytes: each is fetched once.

use crate::body::{Held, Pool};
use crate::dialect::Pictures;
use crate::pictures::{self, FetchError, Guard, Hosts};
use futures::future::join_all;
use std::cell::{Ref, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What has been fetched, against permits of the pool that all bodies share. A request that needs none costs nothing.
#[derive(Default)]
pub(crate) struct Album {
    pictures: RefCell<Pictures>,
    held: RefCell<Option<Held>>,
}

/// There is no room for them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoRoom;

impl Album {
    pub(super) fn pictures(&self) -> Ref<'_, Pictures> {
        self.pictures.borrow()
    }

    /// Fetches what is wanted, from hosts that are listed; whether anything more is known now.
    pub(super) async fn fetch(
        &self,
        wanted: &[String],
        hosts: &Hosts,
        guard: &impl Guard,
        pool: &Arc<Pool>,
    ) -> Result<bool, NoRoom> {
        let new: BTreeSet<&String> = {
            let known = self.pictures();
            let wanted = wanted.iter().filter(|url| pictures::is_listed(url, hosts));
            wanted.filter(|url| !known.knows(url)).collect()
        };
        let fetched = new.iter().enumerate().map(|(index, url)| async move {
            match index {
                0..pictures::MOST => pictures::fetch(url, hosts, guard).await,
                _ => Err(FetchError::TooMany),
            }
        });
        let fetched = join_all(fetched).await;
        for (url, picture) in new.iter().zip(fetched) {
            let bytes = picture.as_ref().map_or(0, |picture| picture.base64.len());
            let mut held = self.held.borrow_mut();
            if !held.get_or_insert_with(|| Held::none(pool)).grow(bytes as u64) {
                return Err(NoRoom);
            }
            let picture = picture.map_err(FetchError::why);
            self.pictures.borrow_mut().put(url.to_string(), picture);
        }
        Ok(!new.is_empty())
    }
}
