//! Deleting a space: it is closed to everybody at once, its owners can bring it back for a week, and
//! then a job erases it, in bounded steps.

use std::time::Duration;

use serde_json::Value;
use sqlx::FromRow;

use super::access::lock_space;
use super::access_store::hold_member;
use super::audit::{self, Act};
use super::deletion_grace::{oldest_restorable, rest, until, wait};
use super::permissions::READ;
use super::topics::SpaceDeleted;
use super::{ACCOUNT_FEED, Community, SPACE_FEED, Scope, Spaces};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::Engine;
use crate::engine::bus::Origin;
use crate::engine::files::FileId;
use crate::engine::jobs::{Failure, JobKind, NewJob, Run, Settled};
use crate::engine::module::Module;
use crate::engine::scope_data::ErasedScope;

const ERASE: &str = "community.erase-space";
const ERASE_TIMEOUT: Duration = Duration::from_secs(3600);
/// Members whose open pages are told; those of a larger space see it when they load a page.
const MAX_TOLD: i64 = 500;
/// Rows that one transaction erases.
const BATCH_ROWS: i64 = 500;
/// Files that one transaction releases.
const BATCH_FILES: i64 = 50;
/// Deleted spaces in a list: as many as somebody belongs to.
const MAX_LISTED: i64 = 200;

/// A space that is deleted and not yet erased.
#[derive(Clone, Debug, FromRow)]
pub(super) struct DeletedSpace {
    pub(super) id: SpaceId,
    pub(super) name: String,
    deleted_at: Micros,
    /// Whether the account it is read for may bring it back.
    pub(super) is_owner: bool,
}

impl DeletedSpace {
    /// Until when it can be brought back.
    pub(super) fn until(&self) -> Micros {
        until(self.deleted_at)
    }
}

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    let about = "Erases a space that was deleted a week ago";
    let erase = JobKind::new(ERASE, about, erase);
    module.job(erase.concurrency(1).timeout(ERASE_TIMEOUT).max_attempts(30))
}

fn act<'a>(by: Option<AccountId>, space: SpaceId, act: &'static str, name: &'a str) -> Act<'a> {
    Act {
        space: by.map(|_| space),
        actor: by,
        act,
        subject: Some(space.0),
        name,
        before: Value::Null,
        after: Value::Null,
    }
}

async fn publish(
    tx: &mut Tx,
    engine: &Engine,
    by: AccountId,
    space: SpaceId,
    restored: bool,
) -> Result<()> {
    const MEMBERS: &str = "SELECT account_id FROM members WHERE space_id = $1 LIMIT $2";
    let members: Vec<AccountId> = tx.scalars(MEMBERS, (space, MAX_TOLD)).await?;
    let accounts = members.iter().map(|account| ACCOUNT_FEED.name(*account));
    let feeds: Vec<_> = accounts.chain([SPACE_FEED.name(space)]).collect();
    let origin = Origin::new(by, Some(space));
    let event = SpaceDeleted {
        space,
        restored,
        members,
    };
    engine.bus.publish_on(tx, &feeds, origin, event).await?;
    // After the event, which makes every membership stale.
    engine.live.recheck_all_after_commit(tx).await
}

impl Spaces {
    /// Deletes a space, for one of its owners. It is closed when this returns.
    ///
    /// # Errors
    /// `Forbidden` for who is no owner, `NotFound` for who is no member.
    pub(super) async fn delete(&self, by: AccountId, space: SpaceId) -> Result<()> {
        const DELETE: &str = "UPDATE spaces SET deleted_at = $2 WHERE id = $1 RETURNING name";
        let (engine, declared) = (self.engine.clone(), self.access.declared.clone());
        let write = async move |tx: &mut Tx| {
            let (member, _) = hold_member(tx, &declared, space, by).await?;
            if !member.is_owner {
                return Err(Error::Forbidden("error-owners-only"));
            }
            let name: String = tx.scalar(DELETE, (space, Micros::now())).await?;
            audit::record(tx, act(Some(by), space, "space.deleted", &name)).await?;
            let job = NewJob::new(ERASE, &space).after(wait());
            engine.jobs.add(tx, job).await?;
            publish(tx, &engine, by, space, false).await
        };
        let scope = Scope::Space(space);
        self.access
            .permitted_protective_write(by, &READ, scope, write)
            .await
    }

    /// Brings a deleted space back, for one of its owners.
    ///
    /// # Errors
    /// `NotFound` for everybody else, and once it is being erased.
    pub(super) async fn restore(&self, by: AccountId, space: SpaceId) -> Result<()> {
        const FIND: &str = "SELECT s.name FROM spaces s JOIN members m ON m.space_id = s.id \
            WHERE s.id = $1 AND m.account_id = $2 AND m.role = 'owner' AND s.deleted_at > $3";
        const RESTORE: &str = "UPDATE spaces SET deleted_at = NULL WHERE id = $1";
        let engine = self.engine.clone();
        // Nobody holds a permission in a space that is deleted.
        let write = self.engine.db.write(async move |tx| {
            lock_space(tx, space).await?;
            let found = tx.optional_scalar(FIND, (space, by, oldest_restorable()));
            let name: String = found.await?.ok_or(Error::NotFound)?;
            tx.execute(RESTORE, (space,)).await?;
            audit::record(tx, act(Some(by), space, "space.restored", &name)).await?;
            publish(tx, &engine, by, space, true).await
        });
        write.await
    }

    /// The deleted spaces that an account owns and can bring back, the last one first.
    pub(super) async fn restorable(&self, account: AccountId) -> Result<Vec<DeletedSpace>> {
        const READ: &str = "SELECT s.id, s.name, s.deleted_at, TRUE AS is_owner FROM members m \
            JOIN spaces s ON s.id = m.space_id WHERE m.account_id = $1 AND m.role = 'owner' \
            AND s.deleted_at > $2 ORDER BY s.deleted_at DESC LIMIT $3";
        let fields = (account, oldest_restorable(), MAX_LISTED);
        self.engine.db.all(READ, fields).await
    }

    /// A deleted space, for its members; `None` for others, and for what is not deleted.
    pub(super) async fn deletion(
        &self,
        account: AccountId,
        space: SpaceId,
    ) -> Result<Option<DeletedSpace>> {
        const READ: &str = "SELECT s.id, s.name, s.deleted_at, m.role = 'owner' AS is_owner \
            FROM members m JOIN spaces s ON s.id = m.space_id \
            WHERE m.account_id = $1 AND s.id = $2 AND s.deleted_at IS NOT NULL";
        self.engine.db.optional(READ, (account, space)).await
    }
}

async fn erase(community: Community, run: Run, space: SpaceId) -> Result<Settled, Failure> {
    const READ: &str = "SELECT deleted_at FROM spaces WHERE id = $1 AND deleted_at IS NOT NULL";
    let engine = community.engine().clone();
    let deleted: Option<Micros> = engine.db.optional_scalar(READ, (space,)).await?;
    let Some(deleted) = deleted else {
        return run.done(); // brought back
    };
    let Some(rest) = rest(deleted) else {
        community.erase_space(space).await?;
        return run.done();
    };
    // Brought back and deleted again.
    let jobs = engine.jobs.clone();
    run.settle(async move |tx| {
        let job = NewJob::new(ERASE, &space).after(rest);
        jobs.add(tx, job).await.map(drop)
    })
    .await
}

impl Community {
    async fn erase_space(&self, space: SpaceId) -> Result<()> {
        const ROOMS: &str = "SELECT id FROM rooms WHERE space_id = $1 LIMIT 100";
        let engine = self.engine().clone();
        loop {
            let rooms: Vec<RoomId> = engine.db.scalars(ROOMS, (space,)).await?;
            if rooms.is_empty() {
                break;
            }
            for room in rooms {
                self.erase_room(room).await?;
            }
        }
        for data in engine.scope_data() {
            while data.erase(ErasedScope::Space(space)).await? {}
        }
        let own = self.clone();
        while own.release_emoji(space).await? {}
        for delete in [
            "DELETE FROM members WHERE space_id = $1 AND account_id IN \
             (SELECT account_id FROM members WHERE space_id = $1 LIMIT $2)",
            "DELETE FROM invites WHERE id IN \
             (SELECT id FROM invites WHERE space_id = $1 LIMIT $2)",
            "DELETE FROM bans WHERE id IN (SELECT id FROM bans WHERE space_id = $1 LIMIT $2)",
            "DELETE FROM sanctions WHERE id IN \
             (SELECT id FROM sanctions WHERE space_id = $1 LIMIT $2)",
            "DELETE FROM member_notes WHERE id IN \
             (SELECT id FROM member_notes WHERE space_id = $1 LIMIT $2)",
        ] {
            self.erase_rows(delete, space.0).await?;
        }
        let write = engine.db.write_queued(async move |tx| {
            const PICTURE: &str = "SELECT picture FROM spaces WHERE id = $1";
            const CLEAR: &str = "UPDATE spaces SET picture = NULL WHERE id = $1";
            const USED: &str = "DELETE FROM storage_used WHERE scope = 'space' AND id = $1";
            const DELETE: &str = "DELETE FROM spaces WHERE id = $1 RETURNING name";
            let picture: Option<FileId> = tx.scalar(PICTURE, (space,)).await?;
            if let Some(file) = picture {
                tx.execute(CLEAR, (space,)).await?;
                own.engine().files.release(tx, file).await?;
            }
            tx.execute(USED, (space.0,)).await?;
            let name: String = tx.scalar(DELETE, (space,)).await?;
            audit::record(tx, act(None, space, "space.erased", &name)).await
        });
        write.await
    }

    /// Runs a statement that deletes at most `$2` rows of what `$1` names, until none is left.
    pub(super) async fn erase_rows(&self, delete: &'static str, id: i64) -> Result<()> {
        loop {
            let db = &self.engine().db;
            let write = async move |tx: &mut Tx| tx.execute(delete, (id, BATCH_ROWS)).await;
            if db.write_queued(write).await? == 0 {
                return Ok(());
            }
        }
    }

    async fn release_emoji(&self, space: SpaceId) -> Result<bool> {
        const DELETE: &str = "DELETE FROM emoji WHERE space_id = $1 AND name IN \
            (SELECT name FROM emoji WHERE space_id = $1 LIMIT $2) RETURNING file_id";
        let own = self.clone();
        let write = self.engine().db.write_queued(async move |tx| {
            let files: Vec<FileId> = tx.scalars(DELETE, (space, BATCH_FILES)).await?;
            for file in &files {
                own.engine().files.release(tx, *file).await?;
            }
            Ok(!files.is_empty())
        });
        write.await
    }
}
