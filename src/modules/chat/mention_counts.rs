//! How many unread messages mention an account, for the sidebars of connected accounts. Counts are
//! read from the database for the accounts that a change is about, and go out with the unread marks
//! of `unread.rs`.

use std::collections::{HashMap, HashSet};

use super::topics::{MentionCount, MentionsChanged};
use super::{Chat, mention_store};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId};
use crate::engine::bus::Envelope;

/// Accounts of one query: some 20 µs each.
const MAX_COUNTED_AT_ONCE: usize = 500;

/// Whose mentions in a room have changed since the last batch.
#[derive(Default)]
pub(super) struct Change {
    /// Empty: anybody's.
    accounts: HashSet<AccountId>,
    is_anybody: bool,
    /// Whether a count may have become zero.
    removed: bool,
}

/// The state between batches.
#[derive(Default)]
pub(super) struct MentionCounts {
    changed: HashMap<RoomId, Change>,
    /// Counts that an account will be notified of.
    pending: HashMap<AccountId, HashMap<RoomId, i64>>,
}

impl MentionCounts {
    /// Counts an account's mentions in a room again with the next batch.
    pub(super) fn recount(&mut self, room: RoomId, account: AccountId) {
        let change = self.changed.entry(room).or_default();
        change.accounts.insert(account);
        change.removed = true;
    }

    pub(super) fn take_changed(&mut self) -> HashMap<RoomId, Change> {
        std::mem::take(&mut self.changed)
    }

    pub(super) fn set(&mut self, account: AccountId, count: MentionCount) {
        let counts = self.pending.entry(account).or_default();
        counts.insert(count.room, count.count);
    }

    /// Drops what an account would be told of a room that it has read.
    pub(super) fn clear(&mut self, account: AccountId, room: RoomId) {
        if let Some(counts) = self.pending.get_mut(&account) {
            counts.remove(&room);
        }
    }

    /// Whether there is something to count or to tell.
    pub(super) fn is_pending(&self) -> bool {
        !self.pending.is_empty() || !self.changed.is_empty()
    }

    /// Those who will be notified.
    pub(super) fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.pending.keys()
    }

    /// What an account is notified of.
    pub(super) fn take(&mut self, account: AccountId) -> Vec<MentionCount> {
        let counts = self.pending.remove(&account).unwrap_or_default();
        let counts = counts.into_iter();
        counts
            .map(|(room, count)| MentionCount { room, count })
            .collect()
    }

    /// Drops what belongs to accounts that are no longer connected.
    pub(super) fn retain_connected(&mut self, connected: &HashSet<AccountId>) {
        self.pending
            .retain(|account, counts| connected.contains(account) && !counts.is_empty());
    }
}

pub(super) async fn mentions_changed(
    chat: &Chat,
    event: &MentionsChanged,
    _: &Envelope,
) -> Result<()> {
    let mut rooms = chat.unread.rooms();
    let change = rooms.mentions.changed.entry(event.room).or_default();
    change.accounts.extend(&event.accounts);
    change.is_anybody |= event.accounts.is_empty();
    change.removed |= event.removed;
    drop(rooms);
    chat.unread.wake();
    Ok(())
}

impl Chat {
    /// The unread mentions of connected accounts in these rooms.
    pub(super) async fn count_mentions(
        &self,
        changed: HashMap<RoomId, Change>,
        connected: &HashSet<AccountId>,
    ) -> Vec<(AccountId, MentionCount)> {
        let mut counts = Vec::new();
        for (room, change) in changed {
            match self.count_in_room(room, change, connected).await {
                Ok(counted) => counts.extend(counted),
                // The next page that is loaded has the numbers.
                Err(error) => tracing::warn!(%error, %room, "mentions were not counted"),
            }
        }
        counts
    }

    async fn count_in_room(
        &self,
        room: RoomId,
        change: Change,
        connected: &HashSet<AccountId>,
    ) -> Result<Vec<(AccountId, MentionCount)>> {
        let (readers, _) = self.audience(room).await?;
        let is_meant = |account: &&AccountId| {
            readers.contains(account) && (change.is_anybody || change.accounts.contains(account))
        };
        let accounts: Vec<AccountId> = connected.iter().filter(is_meant).copied().collect();
        let mut counted = Vec::new();
        for accounts in accounts.chunks(MAX_COUNTED_AT_ONCE) {
            let db = &self.engine.db;
            let counts = mention_store::unread_counts(db, accounts, &[room]).await?;
            let counts = counts
                .into_iter()
                .filter(|(_, _, count)| change.removed || *count > 0);
            counted.extend(
                counts.map(|(account, room, count)| (account, MentionCount { room, count })),
            );
        }
        Ok(counted)
    }
}
