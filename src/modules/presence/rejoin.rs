//! After a restart: who is here is not known before clients have come back. Each space they come
//! back to settles for a moment; then its whole list is published once for all of them. Changes are
//! published meanwhile as ever.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use askama::Template;

use super::topics::PeopleChanged;
use super::views::{PeopleList, PersonFrame};
use super::{PRESENCE_FEED, Presence};
use crate::base::error::Result;
use crate::base::ids::SpaceId;
use crate::engine::live::Content;
use crate::engine::partial::Partial;

/// For clients to come back: pages reconnect within some seconds.
const SETTLE_TIME: Duration = Duration::from_secs(5);

/// The spaces that settle. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Rejoined(Arc<Mutex<HashSet<SpaceId>>>);

impl Rejoined {
    fn settling(&self) -> MutexGuard<'_, HashSet<SpaceId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Publishes who is in a space, [`SETTLE_TIME`] after the first of its clients came back.
pub(super) async fn present(presence: Presence, space: SpaceId) {
    if !presence.rejoined.settling().insert(space) {
        return;
    }
    tokio::time::sleep(SETTLE_TIME).await;
    presence.rejoined.settling().remove(&space);
    if let Err(error) = presence.publish_list(space).await {
        tracing::warn!(%error, %space, "the list of people was not published");
    }
}

impl Presence {
    async fn publish_list(&self, space: SpaceId) -> Result<()> {
        let people = self.listed(space).await?;
        let event = PeopleChanged {
            space,
            people: people.iter().map(PersonFrame::state).collect(),
        };
        let content = Content::of(&event).html(move |lang| {
            let people = people.iter().map(|person| person.view(lang)).collect();
            let list = PeopleList { people, lang }.render();
            let replace =
                |list: String| Partial::inner(format!("#people-{space}"), &list).to_string();
            list.map(replace).unwrap_or_default()
        });
        let feed = PRESENCE_FEED.name(space);
        self.engine.live.publish(&feed, content);
        Ok(())
    }
}
