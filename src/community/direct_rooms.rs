//! Direct conversations: rooms without a space, one per set of people.

use std::sync::Arc;

use super::access::lock_account;
use super::blocks::check_may_begin;
use super::rooms::{MAX_ROOMS, Rooms, add_people, insert};
use super::topics::RoomCreated;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::engine::bus::Origin;
use crate::engine::versions::Dependencies;

const MAX_PEOPLE: usize = 20; // in one direct conversation

/// A direct conversation, as one of its people sees it.
#[derive(Clone, Debug)]
pub struct DirectRoom {
    /// Its room.
    pub id: RoomId,
    /// The names of the others.
    pub title: String,
    /// The other one; none where there are several.
    pub other: Option<AccountId>,
}

impl Rooms {
    /// The direct conversations of an account, newest first, at most 500. Adds what they depend on
    /// to `page`.
    pub async fn direct_of(
        &self,
        page: &Dependencies,
        account: AccountId,
    ) -> Result<Arc<Vec<DirectRoom>>> {
        let load = async |deps: &Dependencies| {
            deps.add(account);
            let rooms = self.read_direct(account).await?;
            rooms.iter().for_each(|room| deps.add(room.id));
            Ok(Arc::new(rooms))
        };
        self.direct.get_or_load_for(page, account, load).await
    }

    async fn read_direct(&self, account: AccountId) -> Result<Vec<DirectRoom>> {
        const READ: &str = "SELECT mine.room_id, a.name, a.id FROM \
            (SELECT m.room_id, m.account_id FROM room_members m \
            JOIN rooms r ON r.id = m.room_id AND r.space_id IS NULL \
            WHERE m.account_id = $1 ORDER BY m.room_id DESC LIMIT $2) mine \
            JOIN room_members theirs ON theirs.room_id = mine.room_id \
            AND theirs.account_id <> mine.account_id \
            JOIN accounts a ON a.id = theirs.account_id \
            ORDER BY mine.room_id DESC, a.name_key";
        let people: Vec<(RoomId, String, AccountId)> =
            self.engine.db.all(READ, (account, MAX_ROOMS)).await?;
        let mut rooms: Vec<DirectRoom> = Vec::new();
        for (id, name, other) in people {
            match rooms.last_mut() {
                Some(room) if room.id == id => {
                    room.title.push_str(", ");
                    room.title.push_str(&name);
                    room.other = None;
                }
                _ => rooms.push(DirectRoom {
                    id,
                    title: name,
                    other: Some(other),
                }),
            }
        }
        Ok(rooms)
    }

    /// Finds or creates the direct conversation of exactly these people and `by`.
    ///
    /// # Errors
    /// `Invalid` for nobody or too many, `NotFound` for someone who shares no space with `by`,
    /// `Conflict` past 500 conversations.
    pub(super) async fn open_direct(
        &self,
        by: AccountId,
        mut people: Vec<AccountId>,
    ) -> Result<RoomId> {
        people.retain(|account| *account != by);
        people.sort_unstable();
        people.dedup();
        check_people(&people)?;
        let others = people.clone();
        people.push(by);
        people.sort_unstable();
        let key = people_key(&people);
        let bus = self.engine.bus.clone();
        let write = self.engine.db.write(async move |tx| {
            const FIND: &str = "SELECT id FROM rooms WHERE people_key = $1";
            const BEGUN_BY: &str = "UPDATE rooms SET begun_by = $2 WHERE id = $1";
            // All its people: another of them may open the same conversation right now. In
            // ascending order, so that no two transactions wait for one another.
            for person in &people {
                lock_account(tx, *person).await?;
            }
            let found: Option<RoomId> = tx.optional_scalar(FIND, (&key,)).await?;
            if let Some(room) = found {
                return Ok(room);
            }
            check_acquainted(tx, by, &others).await?;
            check_may_begin(tx, by, &others).await?;
            check_count(tx, by).await?;
            let room = insert(tx, None, ("", "", true), Some(&key)).await?;
            tx.execute(BEGUN_BY, (room, by)).await?;
            add_people(tx, room, &people).await?;
            let created = RoomCreated {
                room,
                space: None,
                private: true,
                members: people,
            };
            let feeds = created.feeds();
            bus.publish_on(tx, &feeds, Origin::new(by, None), created)
                .await?;
            Ok(room)
        });
        write.await
    }
}

fn check_people(people: &[AccountId]) -> Result<()> {
    let (some, few) = (!people.is_empty(), people.len() < MAX_PEOPLE);
    Check::default()
        .that(some, "people", "error-nobody-chosen", 0)
        .that(few, "people", "error-too-many-people", MAX_PEOPLE)
        .done()
}

/// Checks that somebody shares a space with each of these people, or that they take conversations of
/// everybody.
async fn check_acquainted(tx: &mut Tx, by: AccountId, people: &[AccountId]) -> Result<()> {
    const SHARES: &str = "SELECT EXISTS (SELECT 1 FROM members mine JOIN members theirs \
        ON theirs.space_id = mine.space_id WHERE mine.account_id = $1 AND theirs.account_id = $2) \
        OR EXISTS (SELECT 1 FROM accounts WHERE id = $2 AND writers = 'all')";
    for person in people {
        if !tx.scalar(SHARES, (by, *person)).await? {
            return Err(Error::NotFound);
        }
    }
    Ok(())
}

/// Checks that an account may begin another conversation. Those that others began do not count:
/// nobody can use up somebody else's.
async fn check_count(tx: &mut Tx, by: AccountId) -> Result<()> {
    const COUNT: &str = "SELECT COUNT(*) FROM rooms WHERE begun_by = $1";
    let count: i64 = tx.scalar(COUNT, (by,)).await?;
    if count < MAX_ROOMS {
        Ok(())
    } else {
        Err(Error::Conflict("error-conversations-full"))
    }
}

/// The unique key of a set of people, given in ascending order.
fn people_key(people: &[AccountId]) -> String {
    let ids: Vec<_> = people.iter().map(ToString::to_string).collect();
    ids.join(",")
}
