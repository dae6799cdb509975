//! Deleting an account. What identifies it goes at once; what modules keep of it is erased by a job
//! in batches. Its row remains, without anything of it, for the messages that refer to it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::access::lock_space;
use super::one_time_tokens;
use super::topics::{AccountRenamed, MemberLeft};
use super::{ACCOUNT_FEED, Community};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::base::security_log::SecurityEvent;
use crate::engine::bus::Origin;
use crate::engine::files::FileId;
use crate::engine::jobs::{Failure, JobKind, NewJob, Run, Settled};
use crate::engine::module::Module;
use crate::engine::personal_data::Erasure;
use crate::engine::viewer::Viewer;

const ERASE: &str = "community.erase-account";
const ERASE_TIMEOUT: Duration = Duration::from_secs(3600);

/// The payload of the job, deleted with it: the name is what lines of text are searched for.
#[derive(Serialize, Deserialize)]
struct Erase {
    account: AccountId,
    name: String,
    deletes_content: bool,
    /// A guest wrote nothing that others refer to: the row goes, too.
    #[serde(default)]
    is_guest: bool,
}

/// An account that is deleted.
pub(super) struct Deletion {
    pub(super) account: AccountId,
    pub(super) name: String,
    /// What is shown in place of the name.
    pub(super) shown: String,
    pub(super) deletes_content: bool,
    pub(super) is_guest: bool,
}

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    let about = "Erases what is kept of a deleted account";
    module.job(
        JobKind::new(ERASE, about, erase)
            .concurrency(1)
            .timeout(ERASE_TIMEOUT)
            .max_attempts(30),
    )
}

impl Community {
    /// Deletes the viewer's account; with its messages if `deletes_content`.
    ///
    /// # Errors
    /// `Conflict` for the host, and for whoever owns a space alone.
    pub(super) async fn delete_account(
        &self,
        viewer: &Viewer,
        deletes_content: bool,
    ) -> Result<()> {
        let id = viewer.account;
        if self.access.is_host(id).await? {
            return Err(Error::Conflict("error-host-stays"));
        }
        let name = self.accounts.get(id).await?.name.clone();
        let shown = viewer.lang.t("deleted-account").to_owned();
        let community = self.clone();
        let write = self.engine().db.write_protective(async move |tx| {
            let deletion = Deletion {
                account: id,
                name,
                shown,
                deletes_content,
                is_guest: false,
            };
            community.delete_in(tx, deletion).await
        });
        write.await?;
        SecurityEvent::AccountDeleted.record(id, viewer.address, "own_wish");
        Ok(())
    }

    /// Deletes an account in the caller's transaction, and publishes it after the commit.
    ///
    /// # Errors
    /// `Conflict` for whoever owns a space alone.
    pub(super) async fn delete_in(&self, tx: &mut Tx, deletion: Deletion) -> Result<()> {
        let (id, shown) = (deletion.account, deletion.shown);
        let spaces = leave_spaces(tx, id).await?;
        let rooms = clear(tx, id, &shown).await?;
        self.release_portrait(tx, id).await?;
        let sessions = &self.sessions;
        sessions.end_all_but(tx, id, "", "account_deleted").await?;
        let engine = self.engine();
        let payload = Erase {
            account: id,
            name: deletion.name,
            deletes_content: deletion.deletes_content,
            is_guest: deletion.is_guest,
        };
        let job = NewJob::new(ERASE, &payload).key(id.to_string());
        engine.jobs.add(tx, job).await?;
        let feed = [ACCOUNT_FEED.name(id)];
        for space in spaces.iter().copied() {
            let origin = Origin::new(id, Some(space));
            let left = MemberLeft { space, account: id };
            engine.bus.publish_on(tx, &feed, origin, left).await?;
        }
        let renamed = AccountRenamed {
            account: id,
            name: shown,
            spaces,
            rooms,
        };
        let origin = Origin::new(id, None);
        engine.bus.publish_after_commit(tx, origin, renamed);
        Ok(())
    }

    async fn release_portrait(&self, tx: &mut Tx, id: AccountId) -> Result<()> {
        const OLD: &str = "SELECT picture FROM accounts WHERE id = $1";
        const CLEAR: &str = "UPDATE accounts SET picture = NULL WHERE id = $1";
        let old: Option<FileId> = tx.scalar(OLD, (id,)).await?;
        tx.execute(CLEAR, (id,)).await?;
        match old {
            Some(file) => self.engine().files.release(tx, file).await,
            None => Ok(()),
        }
    }
}

/// Takes the account out of its spaces and their private rooms; which they were.
///
/// # Errors
/// `Conflict` when it is the only owner of one.
async fn leave_spaces(tx: &mut Tx, id: AccountId) -> Result<Vec<SpaceId>> {
    const OWNS: &str = "SELECT EXISTS (SELECT 1 FROM members mine \
        JOIN spaces s ON s.id = mine.space_id AND s.deleted_at IS NULL \
        WHERE mine.account_id = $1 AND mine.role = 'owner' AND NOT EXISTS \
        (SELECT 1 FROM members other WHERE other.space_id = mine.space_id \
        AND other.role = 'owner' AND other.account_id <> $1))";
    const LEAVE_ROOMS: &str = "DELETE FROM room_members WHERE account_id = $1 \
        AND room_id IN (SELECT id FROM rooms WHERE space_id IS NOT NULL)";
    const LEAVE: &str = "DELETE FROM members WHERE account_id = $1 RETURNING space_id";
    const OWNED: &str = "SELECT space_id FROM members \
        WHERE account_id = $1 AND role = 'owner' ORDER BY space_id";
    // Of two owners who go at the same time, the second has to see that it is the last.
    let owned: Vec<SpaceId> = tx.scalars(OWNED, (id,)).await?;
    for space in owned {
        lock_space(tx, space).await?;
    }
    if tx.scalar(OWNS, (id,)).await? {
        return Err(Error::Conflict("error-owner-hands-over"));
    }
    tx.execute(LEAVE_ROOMS, (id,)).await?;
    tx.scalars(LEAVE, (id,)).await
}

/// Deletes everything that identifies the account or lets it sign in; its direct conversations,
/// which stay for the others.
async fn clear(tx: &mut Tx, id: AccountId, shown: &str) -> Result<Vec<RoomId>> {
    const CLEAR: &str = "UPDATE accounts SET name = $2, user_name = $2, name_key = $3, \
        name_skeleton = $3, pronouns = '', bio = '', time_zone = '', status_emoji = '', \
        status = '', status_until = NULL, email = '', \
        email_key = $3, password = '', language = NULL, theme = NULL, clock = NULL, \
        last_space_id = NULL, deleted_at = $4 WHERE id = $1";
    const ROOMS: &str = "SELECT room_id FROM room_members WHERE account_id = $1";
    // No name and no address has this form, and no password fits the empty hash.
    let key = format!("deleted:{id}");
    tx.execute(CLEAR, (id, shown, key, Micros::now())).await?;
    one_time_tokens::delete_of(tx, id).await?;
    for delete in [
        "DELETE FROM known_devices WHERE account_id = $1",
        "DELETE FROM totp_secrets WHERE account_id = $1",
        "DELETE FROM recovery_codes WHERE account_id = $1",
        "DELETE FROM passkeys WHERE account_id = $1",
        "DELETE FROM blocks WHERE account_id = $1",
        "DELETE FROM linked_identities WHERE account_id = $1",
        "DELETE FROM data_exports WHERE account_id = $1",
        "DELETE FROM room_overrides WHERE account_id = $1",
        "DELETE FROM join_requests WHERE account_id = $1",
        "UPDATE invites SET revoked_at = created_at WHERE created_by = $1 AND revoked_at IS NULL",
    ] {
        tx.execute(delete, (id,)).await?;
    }
    tx.scalars(ROOMS, (id,)).await
}

async fn erase(community: Community, run: Run, erase: Erase) -> Result<Settled, Failure> {
    let erasure = Erasure {
        account: erase.account,
        name: erase.name,
        deletes_content: erase.deletes_content,
    };
    for data in community.engine().personal_data() {
        while data.erase(erasure.clone()).await? {}
    }
    // A ban of the guest's network stays, and with it the row.
    if erase.is_guest {
        let delete = community.engine().db.write_protective(async move |tx| {
            const DELETE: &str = "DELETE FROM accounts WHERE id = $1 \
                AND deleted_at IS NOT NULL \
                AND NOT EXISTS (SELECT 1 FROM bans WHERE account_id = $1)";
            tx.execute(DELETE, (erase.account,)).await.map(drop)
        });
        delete.await?;
    }
    run.done()
}
