//! Groups of a space: members who are mentioned together by `@name`. A group grants nothing; those
//! who manage roles make them, and members join the open ones by themselves.

use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::FromRow;

use super::access_store::hold_member;
use super::audit::{self, Act};
use super::cache::StoreCache;
use super::mentionable::MentionableKind;
use super::names::{check_name, name_key};
use super::permissions::{MANAGE_ROLES, READ};
use super::topics::{GroupJoined, GroupsChanged, MemberGroups};
use super::{ACCOUNT_FEED, Access, Person, SPACE_FEED, Scope};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::Engine;
use crate::engine::bus::Origin;
use crate::engine::versions::Dependencies;
use crate::id;

const MAX_GROUPS: i64 = 100; // of one space
const MAX_GROUP_MEMBERS: i64 = 1_000; // of one group
/// Words that mention everyone, and name no group.
const RESERVED: [&str; 2] = ["here", "room"];

id!(
    /// A group of a space.
    GroupId
);

/// A group, for lists and its page.
#[derive(Clone, Debug, FromRow)]
pub struct Group {
    /// Unique on this server.
    pub id: GroupId,
    /// Unique in its space.
    pub name: String,
    /// Whether members join and leave by themselves.
    pub is_open: bool,
    /// How many are in it.
    pub count: i64,
    /// Whether the one who asks is in it.
    pub is_own: bool,
}

/// The groups of spaces. Cheap to clone.
#[derive(Clone)]
pub struct Groups {
    engine: Engine,
    access: Access,
    /// The names of a space's roles and groups.
    names: StoreCache<SpaceId, Arc<Vec<(MentionableKind, String)>>>,
    of_member: StoreCache<(AccountId, SpaceId), Arc<Vec<GroupId>>>,
}

macro_rules! columns {
    () => {
        "SELECT g.id, g.name, g.is_open, (SELECT COUNT(*) FROM mention_group_members m \
         WHERE m.group_id = g.id) AS count, EXISTS (SELECT 1 FROM mention_group_members m \
         WHERE m.group_id = g.id AND m.account_id = $2) AS is_own \
         FROM mention_groups g WHERE g.space_id = $1 "
    };
}

/// Checks the name of a group, which names no other group and no role.
async fn check_free(
    tx: &mut Tx,
    space: SpaceId,
    name: &str,
    except: Option<GroupId>,
) -> Result<()> {
    const TAKEN: &str = "SELECT EXISTS (SELECT 1 FROM mention_groups \
        WHERE space_id = $1 AND name_key = $2 AND id <> $3) \
        OR EXISTS (SELECT 1 FROM roles WHERE space_id = $1 AND name_key = $2)";
    let (key, except) = (name_key(name), except.map_or(0, |group| group.0));
    let is_reserved = RESERVED.contains(&&*key);
    let taken: bool = tx.scalar(TAKEN, (space, key, except)).await?;
    Check::default()
        .that(!taken && !is_reserved, "name", "error-group-name-taken", 0)
        .done()
}

/// Name and openness of a group, in a transaction.
async fn find(tx: &mut Tx, space: SpaceId, group: GroupId) -> Result<(String, bool)> {
    const READ: &str = "SELECT name, is_open FROM mention_groups WHERE space_id = $1 AND id = $2";
    let found = tx.optional(READ, (space, group)).await?;
    found.ok_or(Error::NotFound)
}

/// Puts a member into a group or takes them out; the flag says whether that changed something.
async fn set_member(
    tx: &mut Tx,
    space: SpaceId,
    group: GroupId,
    account: AccountId,
    is_in: bool,
) -> Result<bool> {
    const COUNT: &str = "SELECT COUNT(*) FROM mention_group_members WHERE group_id = $1";
    const ADD: &str = "INSERT INTO mention_group_members (group_id, space_id, account_id) \
        VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    const REMOVE: &str = "DELETE FROM mention_group_members \
        WHERE group_id = $1 AND space_id = $2 AND account_id = $3";
    if is_in && tx.scalar::<i64>(COUNT, (group,)).await? >= MAX_GROUP_MEMBERS {
        return Err(Error::Conflict("error-group-full"));
    }
    let statement = if is_in { ADD } else { REMOVE };
    Ok(tx.execute(statement, (group, space, account)).await? > 0)
}

fn act(space: SpaceId, by: AccountId, act: &'static str) -> Act<'static> {
    Act {
        space: Some(space),
        actor: Some(by),
        act,
        subject: None,
        name: "",
        before: Value::Null,
        after: Value::Null,
    }
}

impl Groups {
    pub(super) fn new(engine: &Engine, access: &Access) -> Self {
        Self {
            engine: engine.clone(),
            access: access.clone(),
            names: StoreCache::of_lists(engine, |names: &Arc<Vec<_>>| names.len()),
            of_member: StoreCache::new(engine),
        }
    }

    /// The groups of a space by name, for its members.
    ///
    /// # Errors
    /// `NotFound` for everybody else.
    pub async fn list(&self, account: AccountId, space: SpaceId) -> Result<Vec<Group>> {
        const READ_ALL: &str = concat!(columns!(), "ORDER BY g.name_key");
        let scope = Scope::Space(space);
        self.access.permit(account, &READ, scope).await?;
        self.engine.db.all(READ_ALL, (space, account)).await
    }

    /// The members of a group by name, for members of its space: at most 1,000 are in one.
    ///
    /// # Errors
    /// `NotFound` for everybody else.
    pub async fn members(
        &self,
        account: AccountId,
        space: SpaceId,
        group: GroupId,
    ) -> Result<Vec<Person>> {
        const READ_MEMBERS: &str = "SELECT a.id, a.name, NULL AS role \
            FROM mention_group_members m JOIN accounts a ON a.id = m.account_id \
            WHERE m.group_id = $1 AND m.space_id = $2 ORDER BY a.name_key";
        let scope = Scope::Space(space);
        self.access.permit(account, &READ, scope).await?;
        self.engine.db.all(READ_MEMBERS, (group, space)).await
    }

    /// The names of a space's roles and groups, each with what it is.
    pub(super) async fn names(
        &self,
        space: SpaceId,
    ) -> Result<Arc<Vec<(MentionableKind, String)>>> {
        const READ_NAMES: &str = "SELECT 0 AS kind, name FROM roles WHERE space_id = $1 \
            UNION ALL SELECT 1 AS kind, name FROM mention_groups WHERE space_id = $1 \
            ORDER BY kind, name";
        let load = async |deps: &Dependencies| {
            deps.add(space);
            let rows: Vec<(i32, String)> = self.engine.db.all(READ_NAMES, (space,)).await?;
            let kind = |number| match number {
                0 => MentionableKind::Role,
                _ => MentionableKind::Group,
            };
            let names = rows.into_iter().map(|(number, name)| (kind(number), name));
            Ok(Arc::new(names.collect()))
        };
        self.names.get_or_load(space, load).await
    }

    /// The groups that a member is in.
    pub(super) async fn of_member(
        &self,
        page: &Dependencies,
        account: AccountId,
        space: SpaceId,
    ) -> Result<Arc<Vec<GroupId>>> {
        const READ_OWN: &str = "SELECT group_id FROM mention_group_members \
            WHERE space_id = $1 AND account_id = $2 ORDER BY group_id";
        let load = async |deps: &Dependencies| {
            deps.add(account);
            deps.add(space);
            deps.add(MemberGroups(account.0));
            let groups = self.engine.db.scalars(READ_OWN, (space, account)).await?;
            Ok(Arc::new(groups))
        };
        let key = (account, space);
        self.of_member.get_or_load_for(page, key, load).await
    }

    /// Makes a group.
    ///
    /// # Errors
    /// `Invalid` for a name that is taken, `Conflict` at 100 groups.
    pub(super) async fn create(
        &self,
        by: AccountId,
        space: SpaceId,
        name: &str,
        is_open: bool,
    ) -> Result<GroupId> {
        const COUNT: &str = "SELECT COUNT(*) FROM mention_groups WHERE space_id = $1";
        const INSERT: &str = "INSERT INTO mention_groups \
            (id, space_id, name, name_key, is_open, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
        let (name, groups) = (checked_name(name)?, self.clone());
        let write = async move |tx: &mut Tx| {
            check_free(tx, space, &name, None).await?;
            if tx.scalar::<i64>(COUNT, (space,)).await? >= MAX_GROUPS {
                return Err(Error::Conflict("error-groups-full"));
            }
            let id = GroupId::new();
            let row = (id, space, &name, name_key(&name), is_open, Micros::now());
            tx.execute(INSERT, row).await?;
            let created = Act {
                subject: Some(id.0),
                name: &name,
                after: json!({ "open": is_open }),
                ..act(space, by, "group.created")
            };
            audit::record(tx, created).await?;
            groups.publish(tx, by, space).await?;
            Ok(id)
        };
        self.write(by, space, write).await
    }

    /// Changes a group's name, and whether members join it by themselves.
    ///
    /// # Errors
    /// `Invalid` for a name that is taken, `NotFound` for another space's group.
    pub(super) async fn change(
        &self,
        by: AccountId,
        space: SpaceId,
        id: GroupId,
        name: &str,
        is_open: bool,
    ) -> Result<()> {
        const SET: &str =
            "UPDATE mention_groups SET name = $2, name_key = $3, is_open = $4 WHERE id = $1";
        let (name, groups) = (checked_name(name)?, self.clone());
        let write = async move |tx: &mut Tx| {
            let (before, was_open) = find(tx, space, id).await?;
            check_free(tx, space, &name, Some(id)).await?;
            tx.execute(SET, (id, &name, name_key(&name), is_open))
                .await?;
            let changed = Act {
                subject: Some(id.0),
                name: &name,
                before: json!({ "name": before, "open": was_open }),
                after: json!({ "name": name, "open": is_open }),
                ..act(space, by, "group.changed")
            };
            audit::record(tx, changed).await?;
            groups.publish(tx, by, space).await
        };
        self.write(by, space, write).await
    }

    /// Deletes a group. Messages that mention it stay as they are.
    ///
    /// # Errors
    /// `NotFound` for another space's group.
    pub(super) async fn delete(&self, by: AccountId, space: SpaceId, id: GroupId) -> Result<()> {
        let groups = self.clone();
        let write = async move |tx: &mut Tx| {
            let (name, _) = find(tx, space, id).await?;
            tx.execute("DELETE FROM mention_groups WHERE id = $1", (id,))
                .await?;
            let deleted = Act {
                subject: Some(id.0),
                name: &name,
                ..act(space, by, "group.deleted")
            };
            audit::record(tx, deleted).await?;
            groups.publish(tx, by, space).await
        };
        self.write(by, space, write).await
    }

    /// Puts the member of this unique name into a group.
    ///
    /// # Errors
    /// `Invalid` for the name of no member, `Conflict` for a full group.
    pub(super) async fn add_named(
        &self,
        by: AccountId,
        space: SpaceId,
        id: GroupId,
        name: &str,
    ) -> Result<()> {
        const FIND: &str = "SELECT a.id FROM accounts a JOIN members m ON m.account_id = a.id \
            WHERE m.space_id = $1 AND a.name_key = $2";
        let key = name_key(name.trim().trim_start_matches('@'));
        let found = self.engine.db.optional_scalar(FIND, (space, key)).await?;
        // Asked before the name is: who may not manage groups learns nothing.
        let scope = Scope::Space(space);
        self.access.permit(by, &MANAGE_ROLES, scope).await?;
        let account = found.ok_or(Error::field("person", "error-group-person"))?;
        self.set(by, space, id, account, true).await
    }

    /// Puts a member into a group or takes them out.
    ///
    /// # Errors
    /// `NotFound` for who is no member, `Conflict` for a full group.
    pub(super) async fn set(
        &self,
        by: AccountId,
        space: SpaceId,
        id: GroupId,
        account: AccountId,
        is_in: bool,
    ) -> Result<()> {
        let groups = self.clone();
        let write = async move |tx: &mut Tx| {
            let (name, _) = find(tx, space, id).await?;
            hold_member(tx, &groups.access.declared, space, account).await?;
            if !set_member(tx, space, id, account, is_in).await? {
                return Ok(());
            }
            let verb = match is_in {
                true => "member.group-given",
                false => "member.group-taken",
            };
            let changed = Act {
                subject: Some(account.0),
                after: json!({ "group": name }),
                ..act(space, by, verb)
            };
            audit::record(tx, changed).await?;
            groups.publish_joined(tx, by, space, account, is_in).await
        };
        self.write(by, space, write).await
    }

    /// Joins an open group, or leaves any.
    ///
    /// # Errors
    /// `NotFound` for a group that is not open, `Forbidden` for guests and such.
    pub(super) async fn join(
        &self,
        account: AccountId,
        space: SpaceId,
        id: GroupId,
        joins: bool,
    ) -> Result<()> {
        let groups = self.clone();
        let write = async move |tx: &mut Tx| {
            let declared = &groups.access.declared;
            let (member, _) = hold_member(tx, declared, space, account).await?;
            let (_, is_open) = find(tx, space, id).await?;
            if let Some(why) = member.restriction(Micros::now()) {
                return Err(Error::Forbidden(why));
            }
            if joins && !is_open {
                return Err(Error::NotFound);
            }
            if set_member(tx, space, id, account, joins).await? {
                groups
                    .publish_joined(tx, account, space, account, joins)
                    .await?;
            }
            Ok(())
        };
        self.access
            .permitted_write(account, &READ, Scope::Space(space), write)
            .await
    }

    async fn write<T: Send + 'static>(
        &self,
        by: AccountId,
        space: SpaceId,
        work: impl AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.access
            .permitted_write(by, &MANAGE_ROLES, Scope::Space(space), work)
            .await
    }

    async fn publish(&self, tx: &mut Tx, by: AccountId, space: SpaceId) -> Result<()> {
        let (feed, origin) = (SPACE_FEED.name(space), Origin::new(by, Some(space)));
        let event = GroupsChanged { space };
        self.engine
            .bus
            .publish_on(tx, &[feed], origin, event)
            .await?;
        Ok(())
    }

    async fn publish_joined(
        &self,
        tx: &mut Tx,
        by: AccountId,
        space: SpaceId,
        account: AccountId,
        joined: bool,
    ) -> Result<()> {
        let (feed, origin) = (ACCOUNT_FEED.name(account), Origin::new(by, Some(space)));
        let event = GroupJoined {
            account,
            space,
            joined,
        };
        self.engine
            .bus
            .publish_on(tx, &[feed], origin, event)
            .await?;
        Ok(())
    }
}

fn checked_name(name: &str) -> Result<String> {
    let mut check = Check::default();
    let name = check_name(name, "name", &mut check);
    check.done()?;
    Ok(name)
}
