//! Spaces: communities on this server, and who belongs to them.

use sqlx::FromRow;

use super::accounts::{self, touched};
use super::names::check_name;
use super::topics::{MemberLeft, SpaceChanged, SpaceCreated};
use super::{Community, Role, Scope, permissions, rooms};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::bus::Origin;

/// A space.
#[derive(Clone, Debug, FromRow)]
pub struct Space {
    /// Its id.
    pub id: SpaceId,
    /// Its name.
    pub name: String,
}

pub(super) async fn insert(tx: &mut Tx, name: &str) -> Result<SpaceId> {
    let id = SpaceId::new();
    const INSERT: &str = "INSERT INTO spaces (id, name, created_at) VALUES ($1, $2, $3)";
    tx.execute(INSERT, (id, name, Micros::now())).await?;
    Ok(id)
}

pub(super) async fn add_member(
    tx: &mut Tx,
    space: SpaceId,
    account: AccountId,
    role: Role,
) -> Result<()> {
    const INSERT: &str = "INSERT INTO members (space_id, account_id, role, joined_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    tx.execute(INSERT, (space, account, role.name(), Micros::now()))
        .await?;
    Ok(())
}

impl Community {
    /// The spaces of an account, by name.
    pub(super) async fn spaces_of(&self, account: AccountId) -> Result<Vec<Space>> {
        const READ: &str = "SELECT s.id, s.name FROM members m JOIN spaces s ON s.id = m.space_id WHERE m.account_id = $1 ORDER BY s.name LIMIT 200";
        self.0.engine.db.all(READ, (account,)).await
    }

    /// A space, for someone who belongs to it.
    ///
    /// # Errors
    /// `NotFound` for everybody else.
    pub async fn space(&self, account: AccountId, id: SpaceId) -> Result<Space> {
        self.permit(account, &permissions::READ, Scope::Space(id))
            .await?;
        self.0
            .engine
            .db
            .one("SELECT id, name FROM spaces WHERE id = $1", (id,))
            .await
    }

    /// Makes a space with its room `general`; its maker owns it. Only who runs the server may.
    pub(super) async fn create_space(&self, account: AccountId, name: &str) -> Result<SpaceId> {
        self.permit(account, &permissions::CREATE_SPACE, Scope::Server)
            .await?;
        let mut check = Check::default();
        let name = check_name(name, "name", &mut check);
        check.done()?;
        let bus = self.0.engine.bus.clone();
        self.0
            .engine
            .db
            .write(async move |tx| {
                let space = insert(tx, &name).await?;
                add_member(tx, space, account, Role::Owner).await?;
                rooms::insert_in_space(tx, space, "general", "", false).await?;
                let origin = Origin::new(account, Some(space));
                let owner = account;
                bus.publish_after_commit(tx, origin, SpaceCreated { space, owner });
                Ok(space)
            })
            .await
    }

    /// Gives a space another name.
    pub(super) async fn rename_space(
        &self,
        account: AccountId,
        space: SpaceId,
        name: &str,
    ) -> Result<()> {
        self.permit(account, &permissions::MANAGE_SPACE, Scope::Space(space))
            .await?;
        let mut check = Check::default();
        let name = check_name(name, "name", &mut check);
        check.done()?;
        let bus = self.0.engine.bus.clone();
        self.0
            .engine
            .db
            .write(async move |tx| {
                let done = tx
                    .execute("UPDATE spaces SET name = $2 WHERE id = $1", (space, &name))
                    .await?;
                touched(done)?;
                let origin = Origin::new(account, Some(space));
                bus.publish_after_commit(tx, origin, SpaceChanged { space, name });
                Ok(())
            })
            .await
    }

    /// Takes an account out of a space and all its rooms: by themselves, or by who manages the
    /// space. Their sockets prove their rights again before another frame passes.
    ///
    /// # Errors
    /// `Conflict` for the owner, whom a space cannot do without.
    pub(super) async fn remove_member(
        &self,
        by: AccountId,
        space: SpaceId,
        account: AccountId,
    ) -> Result<()> {
        let right = if by == account {
            &permissions::READ
        } else {
            &permissions::MANAGE_SPACE
        };
        self.permit(by, right, Scope::Space(space)).await?;
        if self.role(account, space).await? == Some(Role::Owner) {
            return Err(Error::Conflict("error-owner-stays"));
        }
        let community = self.clone();
        self.0
            .engine
            .db
            .write(async move |tx| {
                    const LEAVE: &str = "DELETE FROM members WHERE space_id = $1 AND account_id = $2 AND role <> 'owner'";
                    let done = tx.execute(LEAVE, (space, account)).await?;
                    accounts::touched(done)?;
                    const ROOMS: &str =
                        "DELETE FROM room_members WHERE account_id = $2 AND room_id IN (SELECT id FROM rooms WHERE space_id = $1)";
                    tx.execute(ROOMS, (space, account)).await?;
                    tx.after_commit(move || {
                        community.0.engine.bus.publish(Origin::new(by, Some(space)), MemberLeft { space, account });
                        // After the event, which ends what was cached of their rights.
                        community.0.engine.live.recheck(account);
                    });
                    Ok(())
                })
            .await
    }
}
