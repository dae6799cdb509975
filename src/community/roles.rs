//! Roles of a space: named sets of permissions, in an order. Nobody changes, gives or takes a role
//! as high as their own highest, nor grants what they do not hold. The rule of what roles permit is
//! in `standing.rs`; giving them to members in `member_roles.rs`.

use std::collections::HashMap;

use serde_json::json;
use sqlx::FromRow;

use super::access_store::{defaults, hold_member};
use super::actor::{Actor, actor};
use super::audit::{self, Act};
use super::names::{check_name, name_key};
use super::permission_set::{DeclaredPermissions, PermissionSet};
use super::permissions::{MANAGE_ROLES, READ};
use super::standing::{Preset, RoleId};
use super::topics::RolesChanged;
use super::{Access, SPACE_FEED, Scope};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::Engine;
use crate::engine::bus::Origin;

const MAX_ROLES: i64 = 100; // of one space

/// The names of the colours of roles; style sheets say which they are.
pub(super) const COLORS: [&str; 8] = [
    "sea", "coral", "amber", "sky", "violet", "rose", "moss", "slate",
];

/// A role, for lists and its page.
#[derive(Clone, Debug, FromRow)]
pub struct Role {
    /// Unique on this server.
    pub id: RoleId,
    /// Unique in its space.
    pub name: String,
    /// One of [`COLORS`]; empty for none.
    pub color: String,
    /// Higher is above.
    pub position: i64,
    preset: Option<Preset>,
    permissions: String,
    /// Whether members give it to themselves.
    pub self_chosen: bool,
    /// Whether its members stand under a heading of their own.
    pub listed_apart: bool,
}

impl Role {
    /// What it grants.
    pub fn grants(&self, declared: &DeclaredPermissions) -> PermissionSet {
        declared.apply(defaults(declared, self.preset), &self.permissions)
    }
}

/// The form of a role.
#[derive(Clone, Debug, Default)]
pub(super) struct RoleForm {
    pub(super) name: String,
    pub(super) color: String,
    pub(super) grants: PermissionSet,
    pub(super) self_chosen: bool,
    pub(super) listed_apart: bool,
}

impl RoleForm {
    fn check(&mut self, declared: &DeclaredPermissions) -> Result<()> {
        let mut check = Check::default();
        self.name = check_name(&self.name, "name", &mut check);
        let is_color = self.color.is_empty() || COLORS.contains(&&*self.color);
        // Who gives a role to themselves must not gain what not every member may do.
        let is_harmless = !self.self_chosen || declared.by_members().contains(self.grants);
        check
            .that(is_color, "color", "error-message-shape", 0)
            .that(is_harmless, "self_chosen", "error-role-self-chosen", 0)
            .done()
    }
}

const COLUMNS: &str = "SELECT id, name, color, position, preset, permissions, self_chosen, \
    listed_apart FROM roles WHERE space_id = $1 ORDER BY position DESC, id";

/// Inserts the role of moderators into a new space, in the caller's transaction.
pub(super) async fn insert_moderator(tx: &mut Tx, space: SpaceId, name: &str) -> Result<RoleId> {
    let form = RoleForm {
        name: name.to_owned(),
        color: "sea".to_owned(),
        listed_apart: true,
        ..RoleForm::default()
    };
    insert(tx, space, &form, Some(Preset::Moderator), "").await
}

async fn insert(
    tx: &mut Tx,
    space: SpaceId,
    form: &RoleForm,
    preset: Option<Preset>,
    permissions: &str,
) -> Result<RoleId> {
    const RAISE: &str = "UPDATE roles SET position = position + 1 WHERE space_id = $1";
    const INSERT: &str = "INSERT INTO roles (id, space_id, name, name_key, color, position, \
        preset, permissions, self_chosen, listed_apart, created_at) \
        VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9, $10)";
    let id = RoleId::new();
    // The new one is the lowest.
    tx.execute(RAISE, (space,)).await?;
    let row = (
        id,
        space,
        &form.name,
        name_key(&form.name),
        &form.color,
        preset,
        permissions,
        form.self_chosen,
        form.listed_apart,
        Micros::now(),
    );
    tx.execute(INSERT, row).await?;
    Ok(id)
}

async fn check_name_free(
    tx: &mut Tx,
    space: SpaceId,
    name: &str,
    except: Option<RoleId>,
) -> Result<()> {
    const TAKEN: &str = "SELECT EXISTS (SELECT 1 FROM roles \
        WHERE space_id = $1 AND name_key = $2 AND id <> $3) \
        OR EXISTS (SELECT 1 FROM mention_groups WHERE space_id = $1 AND name_key = $2)";
    let except = except.map_or(0, |role| role.0);
    let taken: bool = tx.scalar(TAKEN, (space, name_key(name), except)).await?;
    Check::default()
        .that(!taken, "name", "error-role-name-taken", 0)
        .done()
}

/// A role of a space, in a transaction.
///
/// # Errors
/// `NotFound`, also for one of another space.
pub(super) async fn find(tx: &mut Tx, space: SpaceId, role: RoleId) -> Result<Role> {
    const READ: &str = "SELECT id, name, color, position, preset, permissions, self_chosen, \
        listed_apart FROM roles WHERE space_id = $1 AND id = $2";
    tx.optional(READ, (space, role))
        .await?
        .ok_or(Error::NotFound)
}

/// The roles of spaces. Cheap to clone.
#[derive(Clone)]
pub struct Roles {
    pub(super) engine: Engine,
    pub(super) access: Access,
}

impl Roles {
    /// The roles of a space, highest first, for its members.
    ///
    /// # Errors
    /// `NotFound` for everybody else.
    pub async fn list(&self, account: AccountId, space: SpaceId) -> Result<Vec<Role>> {
        let access = &self.access;
        access.permit(account, &READ, Scope::Space(space)).await?;
        self.engine.db.all(COLUMNS, (space,)).await
    }

    /// How many members each role of a space has.
    pub(super) async fn counts(&self, space: SpaceId) -> Result<HashMap<RoleId, i64>> {
        const COUNT: &str = "SELECT role_id, COUNT(*) FROM member_roles \
            WHERE space_id = $1 GROUP BY role_id";
        let counts: Vec<(RoleId, i64)> = self.engine.db.all(COUNT, (space,)).await?;
        Ok(counts.into_iter().collect())
    }

    /// Creates a role, the lowest of all.
    ///
    /// # Errors
    /// `Invalid`; `Forbidden` for permissions that `by` does not hold; `Conflict` at 100 roles.
    pub(super) async fn create(
        &self,
        by: AccountId,
        space: SpaceId,
        mut form: RoleForm,
    ) -> Result<RoleId> {
        form.check(&self.access.declared)?;
        let roles = self.clone();
        let create = async move |tx: &mut Tx| {
            const COUNT: &str = "SELECT COUNT(*) FROM roles WHERE space_id = $1";
            let declared = &roles.access.declared;
            let actor = actor(tx, declared, space, by).await?;
            actor.check_holds(PermissionSet::default(), form.grants)?;
            check_name_free(tx, space, &form.name, None).await?;
            let count: i64 = tx.scalar(COUNT, (space,)).await?;
            if count >= MAX_ROLES {
                return Err(Error::Conflict("error-roles-full"));
            }
            let permissions = declared.differences(PermissionSet::default(), form.grants);
            let role = insert(tx, space, &form, None, &permissions).await?;
            let act = Act {
                space: Some(space),
                actor: Some(by),
                act: "role.created",
                subject: Some(role.0),
                name: &form.name,
                before: json!(null),
                after: json!({ "permissions": declared.names(form.grants) }),
            };
            audit::record(tx, act).await?;
            roles.publish(tx, by, space, false).await?;
            Ok(role)
        };
        self.write(by, space, create).await
    }

    /// Changes a role.
    ///
    /// # Errors
    /// As [`create`](Self::create); `Forbidden` for a role as high as the highest of `by`.
    pub(super) async fn change(
        &self,
        by: AccountId,
        space: SpaceId,
        id: RoleId,
        mut form: RoleForm,
    ) -> Result<()> {
        form.check(&self.access.declared)?;
        let roles = self.clone();
        let change = async move |tx: &mut Tx| {
            const UPDATE: &str = "UPDATE roles SET name = $2, name_key = $3, color = $4, \
                permissions = $5, self_chosen = $6, listed_apart = $7 WHERE id = $1";
            let declared = &roles.access.declared;
            let actor = actor(tx, declared, space, by).await?;
            let role = find(tx, space, id).await?;
            actor.check_above(role.position)?;
            let before = role.grants(declared);
            // A form cannot name what its sender does not hold: that stays as it is.
            form.grants = form.grants.with(before.without(actor.held));
            actor.check_holds(before, form.grants)?;
            form.check(declared)?;
            check_name_free(tx, space, &form.name, Some(id)).await?;
            let permissions = declared.differences(defaults(declared, role.preset), form.grants);
            let row = (
                id,
                &form.name,
                name_key(&form.name),
                &form.color,
                permissions,
                form.self_chosen,
                form.listed_apart,
            );
            tx.execute(UPDATE, row).await?;
            let act = Act {
                space: Some(space),
                actor: Some(by),
                act: "role.changed",
                subject: Some(id.0),
                name: &form.name,
                before: json!({ "name": role.name, "permissions": declared.names(before) }),
                after: json!({ "name": form.name, "permissions": declared.names(form.grants) }),
            };
            audit::record(tx, act).await?;
            roles.publish(tx, by, space, before != form.grants).await
        };
        self.write(by, space, change).await
    }

    /// Deletes a role; its members keep what other roles grant.
    ///
    /// # Errors
    /// `Forbidden` for a role as high as the highest of `by`.
    pub(super) async fn delete(&self, by: AccountId, space: SpaceId, id: RoleId) -> Result<()> {
        let roles = self.clone();
        let delete = async move |tx: &mut Tx| {
            let declared = &roles.access.declared;
            let actor = actor(tx, declared, space, by).await?;
            let role = find(tx, space, id).await?;
            actor.check_above(role.position)?;
            tx.execute("DELETE FROM roles WHERE id = $1", (id,)).await?;
            let grants = declared.names(role.grants(declared));
            let act = Act {
                space: Some(space),
                actor: Some(by),
                act: "role.deleted",
                subject: Some(id.0),
                name: &role.name,
                before: json!({ "permissions": grants }),
                after: json!(null),
            };
            audit::record(tx, act).await?;
            roles.publish(tx, by, space, true).await
        };
        self.write(by, space, delete).await
    }

    /// Moves a role one place up or down; at the end of the list it stays.
    ///
    /// # Errors
    /// `Forbidden` when either of both roles is as high as the highest of `by`.
    pub(super) async fn shift(
        &self,
        by: AccountId,
        space: SpaceId,
        id: RoleId,
        up: bool,
    ) -> Result<()> {
        let roles = self.clone();
        let shift = async move |tx: &mut Tx| {
            const PLACE: &str = "UPDATE roles SET position = $2 WHERE id = $1";
            let actor = actor(tx, &roles.access.declared, space, by).await?;
            let all: Vec<Role> = tx.all(COLUMNS, (space,)).await?;
            let from = all.iter().position(|role| role.id == id);
            let from = from.ok_or(Error::NotFound)?;
            let to = if up {
                from.checked_sub(1)
            } else {
                Some(from + 1)
            };
            let Some(other) = to.and_then(|to| all.get(to)) else {
                return Ok(());
            };
            let role = &all[from];
            actor.check_above(role.position.max(other.position))?;
            tx.execute(PLACE, (id, other.position)).await?;
            tx.execute(PLACE, (other.id, role.position)).await?;
            let act = Act {
                space: Some(space),
                actor: Some(by),
                act: "role.moved",
                subject: Some(id.0),
                name: &role.name,
                before: json!({ "position": role.position }),
                after: json!({ "position": other.position }),
            };
            audit::record(tx, act).await?;
            roles.publish(tx, by, space, false).await
        };
        self.write(by, space, shift).await
    }

    /// Sets what every member of a space may do.
    ///
    /// # Errors
    /// `Forbidden` for changes of permissions that `by` does not hold.
    pub(super) async fn set_everyone(
        &self,
        by: AccountId,
        space: SpaceId,
        grants: PermissionSet,
    ) -> Result<()> {
        let roles = self.clone();
        let set = async move |tx: &mut Tx| {
            const SET: &str = "UPDATE spaces SET permissions = $2 WHERE id = $1";
            let declared = &roles.access.declared;
            let (member, rules) = hold_member(tx, declared, space, by).await?;
            let actor = Actor {
                rank: rules.rank(&member),
                held: rules.held(declared, &member),
            };
            let grants = grants.with(rules.everyone.without(actor.held));
            actor.check_holds(rules.everyone, grants)?;
            let permissions = declared.differences(declared.by_members(), grants);
            tx.execute(SET, (space, permissions)).await?;
            let act = Act {
                space: Some(space),
                actor: Some(by),
                act: "everyone.changed",
                subject: None,
                name: "",
                before: json!({ "permissions": declared.names(rules.everyone) }),
                after: json!({ "permissions": declared.names(grants) }),
            };
            audit::record(tx, act).await?;
            roles.publish(tx, by, space, true).await
        };
        self.write(by, space, set).await
    }

    async fn write<T: Send + 'static>(
        &self,
        by: AccountId,
        space: SpaceId,
        work: impl AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.access
            .permitted_protective_write(by, &MANAGE_ROLES, Scope::Space(space), work)
            .await
    }

    /// Publishes a change after the commit. One that may take something away has all sockets
    /// checked again.
    async fn publish(&self, tx: &mut Tx, by: AccountId, space: SpaceId, takes: bool) -> Result<()> {
        let (feed, origin) = (SPACE_FEED.name(space), Origin::new(by, Some(space)));
        let changed = RolesChanged { space };
        self.engine
            .bus
            .publish_on(tx, &[feed], origin, changed)
            .await?;
        if takes {
            self.engine.live.recheck_all_after_commit(tx).await?;
        }
        Ok(())
    }
}
