//! Whom an account has blocked or ignores, and who may begin a conversation with it.
//!
//! Between two of whom one has blocked the other no direct conversation is begun or goes on. Nobody
//! is told that they were blocked: both read the same sentence.

use sqlx::FromRow;

use super::access::lock_account;
use super::topics::{AccountChanged, BlocksChanged};
use super::{ACCOUNT_FEED, Community, Face};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::engine::bus::Origin;

/// People whom one account blocks or ignores.
const MAX_BLOCKS: i64 = 1_000;

/// How far an account keeps somebody away, as stored.
pub(super) const BLOCK: &str = "block";
pub(super) const IGNORE: &str = "ignore";

/// Who may begin a conversation, as stored: everybody whom the account can meet, those in one of its
/// spaces, or nobody.
pub(super) const WRITERS: [&str; 3] = ["all", "spaces", "nobody"];

/// The accounts whose messages the pages of one account fold, for the attributes of its sidebar:
/// ids separated by spaces.
#[derive(Clone, Debug, Default)]
pub struct Folds {
    /// Those it blocks.
    pub blocked: String,
    /// Those it ignores.
    pub ignored: String,
}

/// Somebody who is blocked or ignored.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Blocked {
    pub(super) id: AccountId,
    pub(super) name: String,
    pub(super) user_name: String,
    kind: String,
}

impl Blocked {
    pub(super) fn face(&self) -> Face {
        Face::of(self.id, &self.name)
    }

    pub(super) fn is_ignored(&self) -> bool {
        self.kind == IGNORE
    }
}

impl Community {
    /// Whom an account blocks or ignores, by name.
    pub(super) async fn blocked_by(&self, account: AccountId) -> Result<Vec<Blocked>> {
        const READ: &str = "SELECT a.id, a.name, coalesce(a.user_name, a.name) AS user_name, \
            b.kind FROM blocks b JOIN accounts a ON a.id = b.blocked_id \
            WHERE b.account_id = $1 ORDER BY a.name_key LIMIT $2";
        self.engine().db.all(READ, (account, MAX_BLOCKS)).await
    }

    /// The accounts whose messages an account's pages fold.
    pub(super) async fn folds_of(&self, account: AccountId) -> Result<Folds> {
        const READ: &str = "SELECT blocked_id, kind FROM blocks WHERE account_id = $1 \
            ORDER BY blocked_id LIMIT $2";
        let db = &self.engine().db;
        let rows: Vec<(AccountId, String)> = db.all(READ, (account, MAX_BLOCKS)).await?;
        let ids_of = |wanted: &str| {
            let ids = rows.iter().filter(|(_, kind)| kind == wanted);
            let ids: Vec<_> = ids.map(|(id, _)| id.to_string()).collect();
            ids.join(" ")
        };
        Ok(Folds {
            blocked: ids_of(BLOCK),
            ignored: ids_of(IGNORE),
        })
    }

    /// Whether an account blocks another one or ignores it, as stored.
    pub(super) async fn block_of(
        &self,
        account: AccountId,
        other: AccountId,
    ) -> Result<Option<String>> {
        const READ: &str = "SELECT kind FROM blocks WHERE account_id = $1 AND blocked_id = $2";
        let db = &self.engine().db;
        db.optional_scalar(READ, (account, other)).await
    }

    /// Blocks or ignores somebody.
    ///
    /// # Errors
    /// `Invalid` for oneself, `NotFound` for someone whom the account does not know, `Conflict` past
    /// 1,000.
    pub(super) async fn block(
        &self,
        account: AccountId,
        other: AccountId,
        kind: &'static str,
    ) -> Result<()> {
        const COUNT: &str = "SELECT COUNT(*) FROM blocks WHERE account_id = $1";
        const SET: &str = "INSERT INTO blocks (account_id, blocked_id, kind) VALUES ($1, $2, $3) \
            ON CONFLICT (account_id, blocked_id) DO UPDATE SET kind = excluded.kind";
        if account == other {
            return Err(Error::field("account", "error-block-self"));
        }
        self.profile_for(account, other).await?;
        self.change_blocks(account, other, async move |tx| {
            let count: i64 = tx.scalar(COUNT, (account,)).await?;
            if count >= MAX_BLOCKS {
                return Err(Error::Conflict("error-blocks-full"));
            }
            tx.execute(SET, (account, other, kind)).await
        })
        .await
    }

    /// Takes a block back; nothing happens if there is none.
    pub(super) async fn unblock(&self, account: AccountId, other: AccountId) -> Result<()> {
        const DELETE: &str = "DELETE FROM blocks WHERE account_id = $1 AND blocked_id = $2";
        self.change_blocks(account, other, async move |tx| {
            tx.execute(DELETE, (account, other)).await
        })
        .await
    }

    async fn change_blocks(
        &self,
        account: AccountId,
        other: AccountId,
        change: impl AsyncFnOnce(&mut Tx) -> Result<u64> + Send + 'static,
    ) -> Result<()> {
        let bus = self.engine().bus.clone();
        let write = self.engine().db.write(async move |tx| {
            lock_account(tx, account).await?;
            change(tx).await?;
            // The cached pages of the other one: their conversation is open or closed.
            let changed = AccountChanged { account: other };
            bus.publish_after_commit(tx, Origin::default(), changed);
            let feeds = [ACCOUNT_FEED.name(account)];
            let changed = BlocksChanged { account };
            bus.publish_on(tx, &feeds, Origin::new(account, None), changed)
                .await?;
            Ok(())
        });
        write.await
    }

    /// Who may begin a conversation with an account, as stored.
    pub(super) async fn writers_of(&self, account: AccountId) -> Result<String> {
        const READ: &str = "SELECT writers FROM accounts WHERE id = $1";
        self.engine().db.scalar(READ, (account,)).await
    }

    /// Sets who may begin a conversation with an account.
    pub(super) async fn set_writers(
        &self,
        account: AccountId,
        writers: &'static str,
    ) -> Result<()> {
        const SET: &str = "UPDATE accounts SET writers = $2 WHERE id = $1";
        let write = self.engine().db.write(async move |tx| {
            tx.execute(SET, (account, writers)).await?;
            Ok(())
        });
        write.await
    }

    /// Whether an account blocks or ignores another.
    ///
    /// # Errors
    /// The database's.
    pub async fn keeps_away(&self, account: AccountId, other: AccountId) -> Result<bool> {
        Ok(self.block_of(account, other).await?.is_some())
    }

    /// Whether a direct conversation of two is closed, because one has blocked the other.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_closed(&self, room: RoomId) -> Result<bool> {
        self.engine().db.scalar(IS_CLOSED, (room,)).await
    }
}

const IS_CLOSED: &str = "SELECT EXISTS (SELECT 1 FROM room_members m \
    JOIN room_members o ON o.room_id = m.room_id AND o.account_id <> m.account_id \
    JOIN blocks b ON b.account_id = m.account_id AND b.blocked_id = o.account_id \
    JOIN rooms r ON r.id = m.room_id AND r.space_id IS NULL \
    WHERE m.room_id = $1 AND b.kind = 'block' \
    AND (SELECT COUNT(*) FROM room_members all_of WHERE all_of.room_id = $1) = 2)";

/// Checks that a conversation is open, in the transaction that writes in it.
///
/// # Errors
/// `Conflict` when one of the two has blocked the other.
pub async fn check_open(tx: &mut Tx, room: RoomId) -> Result<()> {
    match tx.scalar(IS_CLOSED, (room,)).await? {
        true => Err(Error::Conflict("error-conversation-closed")),
        false => Ok(()),
    }
}

/// Checks that an account takes what another begins, in the transaction that does, whether or not
/// the other one has blocked it.
///
/// # Errors
/// `Conflict` when it has blocked the other, or takes no conversations.
pub async fn check_takes(tx: &mut Tx, by: AccountId, other: AccountId) -> Result<()> {
    const IS_REFUSED: &str = "SELECT EXISTS (SELECT 1 FROM accounts \
        WHERE id = $2 AND writers = 'nobody') OR EXISTS (SELECT 1 FROM blocks \
        WHERE kind = 'block' AND account_id = $2 AND blocked_id = $1)";
    match tx.scalar(IS_REFUSED, (by, other)).await? {
        true => Err(Error::Conflict("error-takes-no-messages")),
        false => Ok(()),
    }
}

/// Checks that an account may begin a conversation with others, in the transaction that does.
/// Their rows are locked, so a setting that changes meanwhile counts before or after.
///
/// # Errors
/// `Conflict` when one of them has blocked it, takes no conversations, or is blocked by it.
pub async fn check_may_begin(tx: &mut Tx, by: AccountId, others: &[AccountId]) -> Result<()> {
    const IS_REFUSED: &str = "SELECT EXISTS (SELECT 1 FROM accounts \
        WHERE id = $2 AND writers = 'nobody') \
        OR EXISTS (SELECT 1 FROM blocks WHERE kind = 'block' \
        AND ((account_id = $1 AND blocked_id = $2) OR (account_id = $2 AND blocked_id = $1)))";
    for other in others {
        if tx.scalar(IS_REFUSED, (by, *other)).await? {
            return Err(Error::Conflict("error-takes-no-messages"));
        }
    }
    Ok(())
}
