//! What notices keep of an account, a room or a space.

use serde_json::{Value, json};

use super::quiet_hours::time_text;
use super::{Notices, digest, store};
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::engine::notices::NoticeId;
use crate::engine::personal_data::{DataPage, Erasure};
use crate::engine::scope_data::ErasedScope;

/// Notices of a page of a copy.
const PAGE_NOTICES: usize = 200;
/// Rows that one transaction erases.
const BATCH_ERASED: i64 = 20;
/// Rows of one inbox that one transaction erases.
const BATCH_INBOX: i64 = 500;

/// A page of an account's notices; its quiet hours and levels with the first.
pub(super) async fn export(notices: Notices, account: AccountId, after: i64) -> Result<DataPage> {
    let db = &notices.engine.db;
    // Newest first: the position is that before which the page begins, negated.
    let before = NoticeId(after.checked_neg().unwrap_or(i64::MAX));
    let entries = store::inbox(db, account, before, PAGE_NOTICES).await?;
    let next = entries.last().map(|entry| -entry.id.0);
    let next = next.filter(|_| entries.len() == PAGE_NOTICES);
    let mut items: Vec<Value> = Vec::new();
    if after == i64::MIN {
        let (from, to, _) = store::quiet_hours(db, account).await?;
        if let (Some(from), Some(to)) = (from, to) {
            items.push(json!({ "quiet_hours": [time_text(from), time_text(to)] }));
        }
        if let Some(rhythm) = digest::rhythm_of(db, account).await? {
            items.push(json!({ "mail_digest": rhythm.as_str() }));
        }
        let deps = notices.engine.versions.dependencies();
        let levels = notices.community.notice_levels(&deps, account).await?;
        let rooms = levels.rooms.iter();
        items.extend(rooms.map(|(room, level)| json!({ "room": room, "level": level.as_str() })));
        let spaces = levels.spaces.iter();
        items.extend(
            spaces.map(|(space, level)| json!({ "space": space, "level": level.as_str() })),
        );
    }
    items.extend(entries.into_iter().map(|entry| {
        json!({
            "kind": entry.kind, "href": entry.href, "text": entry.text,
            "is_unread": entry.is_unread,
        })
    }));
    Ok(DataPage { items, next })
}

/// Erases the inbox, the levels and the quiet hours of an account. What it caused stays in the
/// inboxes of others as long as its messages do.
pub(super) async fn erase(notices: Notices, erasure: Erasure) -> Result<bool> {
    let account = erasure.account;
    let write = notices.engine.db.write_queued(async move |tx: &mut Tx| {
        const INBOX: &str = "DELETE FROM notice_recipients WHERE account_id = $1 AND item IN \
            (SELECT item FROM notice_recipients WHERE account_id = $1 LIMIT $2)";
        const LEVELS: &str = "DELETE FROM notice_levels WHERE account_id = $1";
        const QUIET: &str = "DELETE FROM quiet_hours WHERE account_id = $1";
        tx.execute(LEVELS, (account,)).await?;
        tx.execute(QUIET, (account,)).await?;
        digest::erase(tx, account).await?;
        Ok(tx.execute(INBOX, (account, BATCH_INBOX)).await? > 0)
    });
    write.await
}

/// Erases some notices of a room or space.
pub(super) async fn erase_scope(notices: Notices, scope: ErasedScope) -> Result<bool> {
    const OF_ROOM: &str = "DELETE FROM notices WHERE id IN \
        (SELECT id FROM notices WHERE room_id = $1 LIMIT $2)";
    const OF_SPACE: &str = "DELETE FROM notices WHERE id IN \
        (SELECT id FROM notices WHERE space_id = $1 LIMIT $2)";
    let (statement, id) = match scope {
        ErasedScope::Room(room) => (OF_ROOM, room.0),
        ErasedScope::Space(space) => (OF_SPACE, space.0),
    };
    let write = async move |tx: &mut Tx| tx.execute(statement, (id, BATCH_ERASED)).await;
    Ok(notices.engine.db.write_queued(write).await? > 0)
}
