//! Lines in the first room of a space that tell who has joined, where its owner wants them.
//!
//! Joins are gathered for a second, and a line that is younger than ten minutes takes up those that
//! follow: a thousand people who join at once make one line.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::joined::Joined;
use super::model::MessageId;
use super::told::Told;
use super::topics::{JoinsAdded, MessagePosted};
use super::{Chat, POST, ROOM_FEED, told_store};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId, first_at};
use crate::community::Scope;
use crate::community::topics::MemberJoined;
use crate::engine::bus::{Envelope, Origin, Subscriber};

/// How long joins are gathered before they are told.
const GATHER_INTERVAL: Duration = Duration::from_secs(1);
/// A line takes up those who join within this time after it.
const GROUPING_WINDOW: Duration = Duration::from_secs(600);
/// People of one space who are gathered at once; of more, only the number is wrong.
const MAX_GATHERED: usize = 10_000;

/// Those who joined since the last lines were written. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Joins(Arc<Gathered>);

#[derive(Default)]
struct Gathered {
    by_space: Mutex<HashMap<SpaceId, Vec<(AccountId, String)>>>,
    added: Notify,
}

impl Joins {
    fn by_space(&self) -> MutexGuard<'_, HashMap<SpaceId, Vec<(AccountId, String)>>> {
        let gathered = self.0.by_space.lock();
        gathered.unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn subscriber() -> Subscriber<Chat> {
    Subscriber::new("chat.joins").on(member_joined)
}

/// The instance where somebody joined tells it.
async fn member_joined(chat: &Chat, event: &MemberJoined, envelope: &Envelope) -> Result<()> {
    let spaces = &chat.community.spaces;
    if event.is_guest {
        return Ok(());
    }
    if !envelope.is_remote && spaces.room_of_joins(event.space).await?.is_some() {
        let mut by_space = chat.joins.by_space();
        let people = by_space.entry(event.space).or_default();
        if people.len() < MAX_GATHERED {
            people.push((event.account, event.name.clone()));
        }
        chat.joins.0.added.notify_one();
    }
    Ok(())
}

/// Writes the lines, at most once a second.
pub(super) async fn write_lines(chat: Chat) {
    loop {
        chat.joins.0.added.notified().await;
        tokio::time::sleep(GATHER_INTERVAL).await;
        let gathered = std::mem::take(&mut *chat.joins.by_space());
        for (space, people) in gathered {
            if let Err(error) = chat.tell_joins(space, &people).await {
                tracing::warn!(%error, %space, "a line about who joined was not written");
            }
        }
    }
}

impl Chat {
    async fn tell_joins(&self, space: SpaceId, people: &[(AccountId, String)]) -> Result<()> {
        let Some(room) = self.community.spaces.room_of_joins(space).await? else {
            return Ok(());
        };
        let Some((first, _)) = people.first() else {
            return Ok(());
        };
        let first = *first;
        let names: Vec<String> = people.iter().map(|(_, name)| name.clone()).collect();
        let (bus, origin) = (self.engine.bus.clone(), Origin::new(first, Some(space)));
        let write = async move |tx: &mut Tx| {
            let window = i64::try_from(GROUPING_WINDOW.as_micros()).unwrap_or(0);
            let since = MessageId(first_at(Micros(Micros::now().0 - window)));
            let feed = ROOM_FEED.name(room);
            if let Some(message) = told_store::add(tx, room, since, &names).await? {
                let event = JoinsAdded { room, message };
                return bus.publish_to_followers(tx, &[feed], origin, event).await;
            }
            let mut joined = Joined::default();
            joined.add(names.iter().map(String::as_str));
            let message = told_store::insert(tx, room, first, &Told::Joined(joined)).await?;
            let event = MessagePosted { room, message };
            bus.publish_to_followers(tx, &[feed], origin, event).await
        };
        let access = &self.community.access;
        let scope = Scope::Room(room);
        access.permitted_write(first, &POST, scope, write).await
    }
}
