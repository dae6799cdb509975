//! What an account wants to be told of: a level for each room, or for all rooms of a space that
//! have none of their own. How notices travel, the module `notices` decides.

use std::collections::HashMap;
use std::sync::Arc;

use super::access::lock_account;
use super::permissions::READ;
use super::topics::NoticeLevelChanged;
use super::{ACCOUNT_FEED, Community, Scope};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::bus::Origin;
use crate::engine::versions::Dependencies;
use crate::text_enum;

/// Rooms and spaces that one account has set a level for.
const MAX_LEVELS: i64 = 2_000;

/// What an account wants to be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeLevel {
    /// Every message.
    All,
    /// What calls the account. The level of rooms that nothing was set for.
    Mentions,
    /// Nothing: the room is muted, and unread messages do not mark it. The number of mentions stays.
    Nothing,
    /// As `Nothing`; and the room is listed only while it holds an unread mention.
    Hidden,
}

text_enum!(NoticeLevel {
    All = "all",
    Mentions = "mentions",
    Nothing = "nothing",
    Hidden = "hidden",
});

impl NoticeLevel {
    /// In the order in which forms offer them.
    pub const EACH: [Self; 4] = [Self::All, Self::Mentions, Self::Nothing, Self::Hidden];

    /// The level with this stored form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::EACH.into_iter().find(|level| level.as_str() == text)
    }

    /// What nothing was set for: mentions in rooms of spaces, everything in conversations.
    pub fn default_of(space: Option<SpaceId>) -> Self {
        match space {
            Some(_) => Self::Mentions,
            None => Self::All,
        }
    }

    /// Whether unread messages do not mark the room.
    pub fn is_muted(self) -> bool {
        matches!(self, Self::Nothing | Self::Hidden)
    }
}

/// The levels that an account has set.
#[derive(Clone, Debug, Default)]
pub struct NoticeLevels {
    /// Of rooms.
    pub rooms: HashMap<RoomId, NoticeLevel>,
    /// Of spaces.
    pub spaces: HashMap<SpaceId, NoticeLevel>,
}

impl NoticeLevels {
    /// The level of a room: its own, that of its space, or what nothing was set for.
    pub fn of(&self, room: RoomId, space: Option<SpaceId>) -> NoticeLevel {
        let of_space = || space.and_then(|space| self.spaces.get(&space));
        let level = self.rooms.get(&room).or_else(of_space).copied();
        level.unwrap_or_else(|| NoticeLevel::default_of(space))
    }

    fn len(&self) -> usize {
        self.rooms.len() + self.spaces.len()
    }
}

/// How many there are of an account, for the bound of the cache.
pub(super) fn count(levels: &Arc<NoticeLevels>) -> usize {
    levels.len()
}

impl Community {
    /// The levels that an account has set. Adds what they depend on to `page`.
    ///
    /// # Errors
    /// The database's.
    pub async fn notice_levels(
        &self,
        page: &Dependencies,
        account: AccountId,
    ) -> Result<Arc<NoticeLevels>> {
        const ALL: &str = "SELECT room_id, space_id, level FROM notice_levels \
            WHERE account_id = $1";
        type Row = (Option<RoomId>, Option<SpaceId>, NoticeLevel);
        let load = async |deps: &Dependencies| {
            deps.add(account);
            let rows: Vec<Row> = self.engine().db.all(ALL, (account,)).await?;
            let mut levels = NoticeLevels::default();
            for (room, space, level) in rows {
                if let Some(room) = room {
                    levels.rooms.insert(room, level);
                }
                if let Some(space) = space {
                    levels.spaces.insert(space, level);
                }
            }
            Ok(Arc::new(levels))
        };
        self.notice_levels
            .get_or_load_for(page, account, load)
            .await
    }

    /// Sets the level of a room or space that an account reads; `None` goes back to what nothing
    /// was set for.
    ///
    /// # Errors
    /// `NotFound` for who does not read it; `Conflict` past 2,000.
    pub async fn set_notice_level(
        &self,
        account: AccountId,
        scope: Scope,
        level: Option<NoticeLevel>,
    ) -> Result<()> {
        const COUNT: &str = "SELECT COUNT(*) FROM notice_levels WHERE account_id = $1";
        const UNSET: &str = "DELETE FROM notice_levels WHERE account_id = $1 \
            AND (room_id = $2 OR space_id = $3)";
        const SET: &str = "INSERT INTO notice_levels (account_id, room_id, space_id, level) \
            VALUES ($1, $2, $3, $4)";
        let (room, space) = match scope {
            Scope::Room(room) => (Some(room), None),
            Scope::Space(space) => (None, Some(space)),
            Scope::Server => return Err(Error::NotFound),
        };
        let bus = self.engine().bus.clone();
        let write = async move |tx: &mut Tx| {
            lock_account(tx, account).await?;
            tx.execute(UNSET, (account, room, space)).await?;
            if let Some(level) = level {
                let count: i64 = tx.scalar(COUNT, (account,)).await?;
                if count >= MAX_LEVELS {
                    return Err(Error::Conflict("error-notice-levels-full"));
                }
                tx.execute(SET, (account, room, space, level)).await?;
            }
            let (feed, origin) = (ACCOUNT_FEED.name(account), Origin::new(account, None));
            let event = NoticeLevelChanged { account };
            bus.publish_on(tx, &[feed], origin, event).await
        };
        self.access
            .permitted_write(account, &READ, scope, write)
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_level_precedes_that_of_its_space() {
        let (room, space) = (RoomId(1), SpaceId(2));
        let mut levels = NoticeLevels::default();
        assert_eq!(levels.of(room, Some(space)), NoticeLevel::Mentions);
        assert_eq!(levels.of(room, None), NoticeLevel::All);
        levels.spaces.insert(space, NoticeLevel::Nothing);
        assert_eq!(levels.of(room, Some(space)), NoticeLevel::Nothing);
        levels.rooms.insert(room, NoticeLevel::All);
        assert_eq!(levels.of(room, Some(space)), NoticeLevel::All);
    }
}
