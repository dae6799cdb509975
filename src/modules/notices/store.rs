//! The SQL of notices.

use std::collections::HashSet;

use sqlx::FromRow;

use super::quiet_hours::Quiet;
use crate::base::clock::Micros;
use crate::base::db::{Db, Sql, Tx};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::community::NoticeLevel;
use crate::engine::notices::{NoticeId, Recipients};

/// Whom a notice is for, as it is stored.
pub(super) struct StoredRecipients(pub(super) Vec<Recipients>);

impl TryFrom<String> for StoredRecipients {
    type Error = serde_json::Error;

    fn try_from(stored: String) -> Result<Self, Self::Error> {
        serde_json::from_str(&stored).map(Self)
    }
}

/// A notice that not all were told of.
#[derive(FromRow)]
pub(super) struct Untold {
    pub(super) id: NoticeId,
    pub(super) kind: String,
    pub(super) item: i64,
    #[sqlx(rename = "actor_id")]
    pub(super) actor: Option<AccountId>,
    #[sqlx(rename = "space_id")]
    pub(super) space: Option<SpaceId>,
    #[sqlx(rename = "room_id")]
    pub(super) room: Option<RoomId>,
    #[sqlx(try_from = "String")]
    pub(super) recipients: StoredRecipients,
    /// The last account that was told.
    pub(super) told_up_to: AccountId,
}

/// A notice in an inbox.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Entry {
    pub(super) id: NoticeId,
    pub(super) kind: String,
    pub(super) item: i64,
    #[sqlx(rename = "room_id")]
    pub(super) room: Option<RoomId>,
    pub(super) href: String,
    pub(super) text: String,
    pub(super) actor_name: Option<String>,
    #[sqlx(rename = "actor_id")]
    pub(super) actor: Option<AccountId>,
    pub(super) is_unread: bool,
}

pub(super) fn joined(accounts: &[AccountId]) -> String {
    let ids: Vec<_> = accounts.iter().map(ToString::to_string).collect();
    ids.join(",")
}

/// The accounts of a parameter, ids with commas between them: for SQLite and for PostgreSQL.
macro_rules! of_list {
    (sqlite $list:literal) => {
        concat!(
            "(SELECT CAST(value AS INTEGER) FROM json_each('[' || ",
            $list,
            " || ']'))"
        )
    };
    (postgres $list:literal) => {
        concat!(
            "(SELECT unnest(CAST(string_to_array(",
            $list,
            ", ',') AS BIGINT[])))"
        )
    };
}

pub(super) use of_list;

/// Of `notice_recipients r`: whether it is unread. What was read of its room after it was delivered,
/// or before, the read mark of the room says.
macro_rules! is_unread {
    () => {
        "(r.read_at IS NULL AND NOT EXISTS (SELECT 1 FROM chat_reads c \
         WHERE c.account_id = r.account_id AND c.room_id = r.room_id AND c.message_id >= r.item))"
    };
}

/// The [`Entry`]s of an account's inbox that are unread and fit a condition.
macro_rules! unread_entries {
    ($rest:literal) => {
        concat!(
            "SELECT n.id, n.kind, n.item, n.room_id, n.href, n.text, n.actor_id, \
             a.name AS actor_name, TRUE AS is_unread FROM notice_recipients r \
             JOIN notices n ON n.id = r.notice_id \
             LEFT JOIN accounts a ON a.id = n.actor_id WHERE r.account_id = $1 AND ",
            $crate::modules::notices::store::is_unread!(),
            " AND ",
            $rest
        )
    };
}

pub(super) use {is_unread, unread_entries};

pub(super) async fn has_untold(db: &Db) -> Result<bool> {
    let asked = "SELECT EXISTS (SELECT 1 FROM notices WHERE told_up_to IS NOT NULL)";
    db.scalar(asked, ()).await
}

/// The oldest notices that not all were told of.
pub(super) async fn untold(db: &Db, limit: usize) -> Result<Vec<Untold>> {
    const READ: &str = "SELECT id, kind, item, actor_id, space_id, room_id, recipients, \
        told_up_to FROM notices WHERE told_up_to IS NOT NULL ORDER BY id LIMIT $1";
    db.all(READ, (limit as i64,)).await
}

/// Stores who was told last; `None`: all were. Returns whether there still is the notice.
pub(super) async fn set_told(
    tx: &mut Tx,
    notice: NoticeId,
    up_to: Option<AccountId>,
) -> Result<bool> {
    const SET: &str = "UPDATE notices SET told_up_to = $2 WHERE id = $1";
    Ok(tx.execute(SET, (notice, up_to)).await? > 0)
}

/// Puts a notice into these inboxes. Returns those that did not have one of its thing.
pub(super) async fn tell(
    tx: &mut Tx,
    notice: &Untold,
    accounts: &[AccountId],
    is_quiet: bool,
) -> Result<Vec<AccountId>> {
    const TELL: Sql = Sql {
        sqlite: concat!(
            "INSERT INTO notice_recipients (account_id, item, notice_id, room_id, is_quiet) \
             SELECT a.id, $2, $3, $4, $5 FROM accounts a WHERE a.id IN ",
            of_list!(sqlite "$1"),
            " ON CONFLICT DO NOTHING RETURNING account_id"
        ),
        postgres: concat!(
            "INSERT INTO notice_recipients (account_id, item, notice_id, room_id, is_quiet) \
             SELECT a.id, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), \
             CAST($5 AS BOOLEAN) FROM accounts a WHERE a.id IN ",
            of_list!(postgres "$1"),
            " ON CONFLICT DO NOTHING RETURNING account_id"
        ),
    };
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    let row = (
        joined(accounts),
        notice.item,
        notice.id,
        notice.room,
        is_quiet,
    );
    tx.scalars(TELL, row).await
}

pub(super) async fn in_role(db: &Db, role: i64) -> Result<Vec<AccountId>> {
    const READ: &str = "SELECT account_id FROM member_roles WHERE role_id = $1";
    db.scalars(READ, (role,)).await
}

pub(super) async fn in_group(db: &Db, group: i64) -> Result<Vec<AccountId>> {
    const READ: &str = "SELECT account_id FROM mention_group_members WHERE group_id = $1";
    db.scalars(READ, (group,)).await
}

/// Who wants to be told of all in a room of a space, or in all its rooms.
pub(super) async fn followers(db: &Db, notice: &Untold) -> Result<Vec<AccountId>> {
    const READ: &str = "SELECT account_id FROM notice_levels WHERE room_id = $1 AND level = 'all' \
        UNION SELECT account_id FROM notice_levels WHERE space_id = $2 AND level = 'all'";
    db.scalars(READ, (notice.room, notice.space)).await
}

/// Those of these accounts that block or ignore another one.
pub(super) async fn who_blocks(
    db: &Db,
    other: AccountId,
    accounts: &[AccountId],
) -> Result<HashSet<AccountId>> {
    const READ: Sql = Sql {
        sqlite: concat!(
            "SELECT account_id FROM blocks WHERE blocked_id = $1 AND account_id IN ",
            of_list!(sqlite "$2")
        ),
        postgres: concat!(
            "SELECT account_id FROM blocks WHERE blocked_id = $1 AND account_id IN ",
            of_list!(postgres "$2")
        ),
    };
    let found: Vec<AccountId> = db.scalars(READ, (other, joined(accounts))).await?;
    Ok(found.into_iter().collect())
}

/// The levels that these accounts have set for the space and the room of a notice, or the room that
/// its thread is in; the nearest last.
pub(super) async fn levels_of(
    db: &Db,
    notice: &Untold,
    accounts: &[AccountId],
) -> Result<Vec<(AccountId, NoticeLevel)>> {
    const READ: Sql = Sql {
        sqlite: concat!(
            "SELECT account_id, level FROM notice_levels WHERE (room_id = $1 OR space_id = $2 \
             OR room_id = (SELECT parent_id FROM rooms WHERE id = $1)) AND account_id IN ",
            of_list!(sqlite "$3"),
            " ORDER BY CASE WHEN room_id = $1 THEN 2 WHEN room_id IS NOT NULL THEN 1 ELSE 0 END"
        ),
        postgres: concat!(
            "SELECT account_id, level FROM notice_levels WHERE (room_id = $1 OR space_id = $2 \
             OR room_id = (SELECT parent_id FROM rooms WHERE id = $1)) AND account_id IN ",
            of_list!(postgres "$3"),
            " ORDER BY CASE WHEN room_id = $1 THEN 2 WHEN room_id IS NOT NULL THEN 1 ELSE 0 END"
        ),
    };
    db.all(READ, (notice.room, notice.space, joined(accounts)))
        .await
}

/// Those of these accounts that have quiet hours, or do not want to be disturbed.
pub(super) async fn may_be_quiet(db: &Db, accounts: &[AccountId]) -> Result<Vec<Quiet>> {
    const READ: Sql = Sql {
        sqlite: concat!(
            "SELECT a.id AS account, q.quiet_from, q.quiet_to, a.time_zone, a.presence, \
             a.presence_until FROM accounts a LEFT JOIN quiet_hours q ON q.account_id = a.id \
             WHERE (q.quiet_from IS NOT NULL OR a.presence = 'busy') AND a.id IN ",
            of_list!(sqlite "$1")
        ),
        postgres: concat!(
            "SELECT a.id AS account, q.quiet_from, q.quiet_to, a.time_zone, a.presence, \
             a.presence_until FROM accounts a LEFT JOIN quiet_hours q ON q.account_id = a.id \
             WHERE (q.quiet_from IS NOT NULL OR a.presence = 'busy') AND a.id IN ",
            of_list!(postgres "$1")
        ),
    };
    match accounts.is_empty() {
        true => Ok(Vec::new()),
        false => db.all(READ, (joined(accounts),)).await,
    }
}

/// Of each of these accounts how many notices are unread, at most 100, and the newest one of them
/// that is not quiet, 0 for none.
pub(super) async fn badges(db: &Db, accounts: &[AccountId]) -> Result<Vec<(AccountId, i64, i64)>> {
    const READ: Sql = Sql {
        sqlite: concat!(
            "SELECT a.id, (SELECT COUNT(*) FROM (SELECT 1 FROM notice_recipients r \
             WHERE r.account_id = a.id AND ",
            is_unread!(),
            " LIMIT 100) u), COALESCE((SELECT MAX(r.notice_id) FROM notice_recipients r \
             WHERE r.account_id = a.id AND NOT r.is_quiet AND ",
            is_unread!(),
            "), 0) FROM accounts a WHERE a.id IN ",
            of_list!(sqlite "$1")
        ),
        postgres: concat!(
            "SELECT a.id, (SELECT COUNT(*) FROM (SELECT 1 FROM notice_recipients r \
             WHERE r.account_id = a.id AND ",
            is_unread!(),
            " LIMIT 100) u), COALESCE((SELECT MAX(r.notice_id) FROM notice_recipients r \
             WHERE r.account_id = a.id AND NOT r.is_quiet AND ",
            is_unread!(),
            "), 0) FROM accounts a WHERE a.id IN ",
            of_list!(postgres "$1")
        ),
    };
    match accounts.is_empty() {
        true => Ok(Vec::new()),
        false => db.all(READ, (joined(accounts),)).await,
    }
}

/// A page of an inbox, newest first, of notices before one of them.
pub(super) async fn inbox(
    db: &Db,
    account: AccountId,
    before: NoticeId,
    limit: usize,
) -> Result<Vec<Entry>> {
    const READ: &str = concat!(
        "SELECT n.id, n.kind, n.item, n.room_id, n.href, n.text, n.actor_id, \
         a.name AS actor_name, ",
        is_unread!(),
        " AS is_unread FROM notice_recipients r JOIN notices n ON n.id = r.notice_id \
         LEFT JOIN accounts a ON a.id = n.actor_id WHERE r.account_id = $1 AND r.notice_id < $2 \
         ORDER BY r.notice_id DESC LIMIT $3"
    );
    db.all(READ, (account, before, limit as i64)).await
}

/// The newest unread notices of an account that may draw its attention, after one of them.
pub(super) async fn newest_loud(
    db: &Db,
    account: AccountId,
    after: NoticeId,
    limit: usize,
) -> Result<Vec<Entry>> {
    const READ: &str =
        unread_entries!("r.notice_id > $2 AND NOT r.is_quiet ORDER BY r.notice_id DESC LIMIT $3");
    db.all(READ, (account, after, limit as i64)).await
}

/// The page of what one of an account's notices is about.
///
/// # Errors
/// `NotFound` when it is none of theirs.
pub(super) async fn href(db: &Db, account: AccountId, notice: NoticeId) -> Result<String> {
    const READ: &str = "SELECT n.href FROM notice_recipients r JOIN notices n \
        ON n.id = r.notice_id WHERE r.account_id = $1 AND r.notice_id = $2";
    db.scalar(READ, (account, notice)).await
}

/// One of an account's notices, if it is unread.
pub(super) async fn unread_entry(
    db: &Db,
    account: AccountId,
    notice: NoticeId,
) -> Result<Option<Entry>> {
    const READ: &str = unread_entries!("r.notice_id = $2");
    db.optional(READ, (account, notice)).await
}

/// Marks one of an account's notices as read. Returns whether it was not.
pub(super) async fn read(tx: &mut Tx, account: AccountId, notice: NoticeId) -> Result<bool> {
    const READ: &str = "UPDATE notice_recipients SET read_at = $3 \
        WHERE account_id = $1 AND notice_id = $2 AND read_at IS NULL";
    Ok(tx.execute(READ, (account, notice, Micros::now())).await? > 0)
}

/// Marks all of an account's notices as read.
pub(super) async fn read_all(tx: &mut Tx, account: AccountId) -> Result<()> {
    const READ: &str = "UPDATE notice_recipients SET read_at = $2 \
        WHERE account_id = $1 AND read_at IS NULL";
    tx.execute(READ, (account, Micros::now())).await?;
    Ok(())
}

/// Removes one from an inbox.
pub(super) async fn remove(tx: &mut Tx, account: AccountId, notice: NoticeId) -> Result<()> {
    const REMOVE: &str = "DELETE FROM notice_recipients WHERE account_id = $1 AND notice_id = $2";
    tx.execute(REMOVE, (account, notice)).await?;
    Ok(())
}

/// The quiet hours of an account, in minutes after midnight, and its time zone.
pub(super) async fn quiet_hours(
    db: &Db,
    account: AccountId,
) -> Result<(Option<i64>, Option<i64>, String)> {
    const READ: &str = "SELECT q.quiet_from, q.quiet_to, a.time_zone FROM accounts a \
        LEFT JOIN quiet_hours q ON q.account_id = a.id WHERE a.id = $1";
    db.one(READ, (account,)).await
}

/// Sets the quiet hours of an account, or that it has none.
pub(super) async fn set_quiet_hours(
    tx: &mut Tx,
    account: AccountId,
    hours: Option<(i64, i64)>,
) -> Result<()> {
    const UNSET: &str = "DELETE FROM quiet_hours WHERE account_id = $1";
    const SET: &str = "INSERT INTO quiet_hours (account_id, quiet_from, quiet_to) \
        VALUES ($1, $2, $3) ON CONFLICT (account_id) DO UPDATE SET quiet_from = $2, quiet_to = $3";
    match hours {
        Some((from, to)) => tx.execute(SET, (account, from, to)).await?,
        None => tx.execute(UNSET, (account,)).await?,
    };
    Ok(())
}
