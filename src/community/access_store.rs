//! The rows that decide what an account may do, as `standing.rs` takes them: read for the caches,
//! and once more in the transaction of a write.

use anyhow::{Context, anyhow};
use sqlx::FromRow;

use super::actor::Actor;
use super::permission_set::DeclaredPermissions;
use super::permissions::{HeldBy, Membership, Permission};
use super::standing::{
    Member, Override, Preset, RoleId, RoleRule, RoomKind, RoomRules, SpaceRules, Subject,
    check_held,
};
use crate::base::clock::Micros;
use crate::base::db::{Db, Sql, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};

/// A member without its roles, of `members m`, as [`member`] reads it.
macro_rules! member_text {
    () => {
        "m.role || '|' || CAST(m.guest AS INTEGER) || '|' || CAST(m.pending AS INTEGER) \
         || '|' || COALESCE(m.timed_out_until, 0)"
    };
}

/// All that `roles ro` holds, as [`roles`] reads it.
macro_rules! roles_text {
    () => {
        "string_agg(CAST(ro.id AS TEXT) || '|' || ro.position || '|' \
         || COALESCE(ro.preset, '') || '|' || ro.permissions, ';')"
    };
}

/// The roles of an account in the space `$space`, as a subquery.
macro_rules! roles_of_account {
    ($space:literal, $account:literal) => {
        concat!(
            "(SELECT ",
            roles_text!(),
            " FROM member_roles mr JOIN roles ro ON ro.id = mr.role_id WHERE mr.space_id = ",
            $space,
            " AND mr.account_id = ",
            $account,
            ")"
        )
    };
}

/// What a room allows and denies, of `rooms r`, as [`overrides`] reads it.
macro_rules! overrides_text {
    () => {
        "(SELECT string_agg(COALESCE('r' || o.role_id, 'a' || o.account_id, 'e') || '|' \
         || o.allowed || '|' || o.denied, ';') FROM room_overrides o WHERE o.room_id = r.id)"
    };
}
pub(super) use overrides_text;

/// Whether `rooms r` or its space is deleted.
macro_rules! deleted_text {
    () => {
        "(r.deleted_at IS NOT NULL OR EXISTS (SELECT 1 FROM spaces ds \
         WHERE ds.id = r.space_id AND ds.deleted_at IS NOT NULL))"
    };
}

fn number(text: &str) -> Result<i64> {
    let parsed = text.parse();
    Ok(parsed.with_context(|| format!("no number: {text:?}"))?)
}

/// A member by its text.
fn member(text: &str) -> Result<Member> {
    let parts: Vec<&str> = text.split('|').collect();
    let [role, guest, pending, timed_out] = parts[..] else {
        return Err(anyhow!("no member: {text:?}").into());
    };
    Ok(Member {
        is_owner: role == Membership::Owner.as_str(),
        is_guest: guest == "1",
        is_pending: pending == "1",
        timed_out_until: Some(Micros(number(timed_out)?)).filter(|until| until.0 > 0),
        roles: Default::default(),
    })
}

fn roles(text: Option<&str>, declared: &DeclaredPermissions) -> Result<Vec<RoleRule>> {
    let rows = text.unwrap_or_default().split(';');
    let role = |row: &str| {
        let parts: Vec<&str> = row.split('|').collect();
        let [id, position, preset, permissions] = parts[..] else {
            return Err(anyhow!("no role: {row:?}").into());
        };
        let preset = (preset == Preset::Moderator.as_str()).then_some(Preset::Moderator);
        Ok(RoleRule {
            id: RoleId(number(id)?),
            position: number(position)?,
            grants: declared.apply(defaults(declared, preset), permissions),
            preset,
        })
    };
    rows.filter(|row| !row.is_empty()).map(role).collect()
}

/// What a role with this preset holds by default.
pub(super) fn defaults(
    declared: &DeclaredPermissions,
    preset: Option<Preset>,
) -> super::permission_set::PermissionSet {
    match preset {
        Some(Preset::Moderator) => declared.by_moderators(),
        None => Default::default(),
    }
}

/// What a room allows and denies, by its text.
pub(super) fn overrides(
    text: Option<&str>,
    declared: &DeclaredPermissions,
) -> Result<Vec<Override>> {
    let rows = text.unwrap_or_default().split(';');
    let one = |row: &str| {
        let parts: Vec<&str> = row.split('|').collect();
        let [subject, allowed, denied] = parts[..] else {
            return Err(anyhow!("no override: {row:?}").into());
        };
        let subject = match subject.split_at_checked(1) {
            Some(("e", "")) => Subject::Everyone,
            Some(("r", id)) => Subject::Role(RoleId(number(id)?)),
            Some(("a", id)) => Subject::Account(AccountId(number(id)?)),
            _ => return Err(anyhow!("no subject: {subject:?}").into()),
        };
        Ok(Override {
            subject,
            allowed: declared.parse(allowed),
            denied: declared.parse(denied),
        })
    };
    rows.filter(|row| !row.is_empty()).map(one).collect()
}

/// An account's membership of a space; `None` for others, and unless `of_deleted` for everybody in
/// a space that is deleted.
pub(super) async fn read_member(
    db: &Db,
    account: AccountId,
    space: SpaceId,
    of_deleted: bool,
) -> Result<Option<Member>> {
    const READ: &str = concat!(
        "SELECT ",
        member_text!(),
        ", (SELECT string_agg(CAST(mr.role_id AS TEXT), ' ') FROM member_roles mr \
         WHERE mr.space_id = m.space_id AND mr.account_id = m.account_id) \
         FROM members m JOIN spaces s ON s.id = m.space_id \
         WHERE m.space_id = $1 AND m.account_id = $2 AND ($3 OR s.deleted_at IS NULL)"
    );
    let fields = (space, account, of_deleted);
    let row: Option<(String, Option<String>)> = db.optional(READ, fields).await?;
    row.map(|(text, roles)| with_roles(&text, roles))
        .transpose()
}

fn with_roles(text: &str, roles: Option<String>) -> Result<Member> {
    let mut member = member(text)?;
    for role in roles.unwrap_or_default().split_ascii_whitespace() {
        member.roles.push(RoleId(number(role)?));
    }
    Ok(member)
}

/// All members of a space.
pub(super) async fn read_members(db: &Db, space: SpaceId) -> Result<Vec<(AccountId, Member)>> {
    const READ: &str = concat!(
        "SELECT m.account_id, ",
        member_text!(),
        ", (SELECT string_agg(CAST(mr.role_id AS TEXT), ' ') FROM member_roles mr \
         WHERE mr.space_id = m.space_id AND mr.account_id = m.account_id) \
         FROM members m WHERE m.space_id = $1"
    );
    let rows: Vec<(AccountId, String, Option<String>)> = db.all(READ, (space,)).await?;
    let rows = rows.into_iter();
    rows.map(|(account, text, roles)| Ok((account, with_roles(&text, roles)?)))
        .collect()
}

/// The members of a space who may read a private room: its own, and those whom it allows or denies
/// something, by their roles or themselves. Everybody else is denied to read it.
pub(super) async fn read_candidates(
    db: &Db,
    space: SpaceId,
    room: RoomId,
) -> Result<Vec<(AccountId, Member)>> {
    const READ: &str = concat!(
        "SELECT m.account_id, ",
        member_text!(),
        ", (SELECT string_agg(CAST(mr.role_id AS TEXT), ' ') FROM member_roles mr \
         WHERE mr.space_id = m.space_id AND mr.account_id = m.account_id) \
         FROM members m WHERE m.space_id = $1 AND m.account_id IN \
         (SELECT account_id FROM room_members WHERE room_id = $2 UNION \
         SELECT account_id FROM room_overrides WHERE room_id = $2 AND account_id IS NOT NULL UNION \
         SELECT by_role.account_id FROM room_overrides o \
         JOIN member_roles by_role ON by_role.role_id = o.role_id WHERE o.room_id = $2)"
    );
    let rows: Vec<(AccountId, String, Option<String>)> = db.all(READ, (space, room)).await?;
    let rows = rows.into_iter();
    rows.map(|(account, text, roles)| Ok((account, with_roles(&text, roles)?)))
        .collect()
}

/// What every member and every role of a space holds.
///
/// # Errors
/// `NotFound` when there is no such space.
pub(super) async fn read_space_rules(
    db: &Db,
    declared: &DeclaredPermissions,
    space: SpaceId,
) -> Result<SpaceRules> {
    const READ: &str = concat!(
        "SELECT s.permissions, (SELECT ",
        roles_text!(),
        " FROM roles ro WHERE ro.space_id = s.id) FROM spaces s WHERE s.id = $1"
    );
    let (everyone, all): (String, Option<String>) = db.one(READ, (space,)).await?;
    Ok(SpaceRules {
        everyone: declared.apply(declared.by_members(), &everyone),
        roles: roles(all.as_deref(), declared)?,
    })
}

/// What decides in a space, read in a transaction. The space's row is locked.
#[derive(FromRow)]
struct SpaceStanding {
    member: String,
    roles: Option<String>,
    everyone: String,
}

/// A member and the rules for it, as they stay until the transaction ends. Locks the space's row.
///
/// # Errors
/// `NotFound` for an account that is no member.
pub(super) async fn hold_member(
    tx: &mut Tx,
    declared: &DeclaredPermissions,
    space: SpaceId,
    account: AccountId,
) -> Result<(Member, SpaceRules)> {
    const READ: &str = concat!(
        "SELECT ",
        member_text!(),
        " AS member, ",
        roles_of_account!("$1", "$2"),
        " AS roles, s.permissions AS everyone FROM members m JOIN spaces s ON s.id = m.space_id \
         WHERE m.space_id = $1 AND m.account_id = $2 AND s.deleted_at IS NULL"
    );
    const HOLD: Sql = Sql {
        sqlite: READ,
        postgres: concat!(
            "SELECT ",
            member_text!(),
            " AS member, ",
            roles_of_account!("$1", "$2"),
            " AS roles, s.permissions AS everyone FROM members m \
             JOIN spaces s ON s.id = m.space_id \
             WHERE m.space_id = $1 AND m.account_id = $2 AND s.deleted_at IS NULL FOR SHARE OF m"
        ),
    };
    super::access::lock_space(tx, space).await?;
    let row: Option<SpaceStanding> = tx.optional(HOLD, (space, account)).await?;
    let row = row.ok_or(Error::NotFound)?;
    assemble(declared, &row.member, row.roles.as_deref(), &row.everyone)
}

fn assemble(
    declared: &DeclaredPermissions,
    text: &str,
    of_account: Option<&str>,
    everyone: &str,
) -> Result<(Member, SpaceRules)> {
    let mut member = member(text)?;
    let roles = roles(of_account, declared)?;
    member.roles = roles.iter().map(|role| role.id).collect();
    let everyone = declared.apply(declared.by_members(), everyone);
    Ok((member, SpaceRules { everyone, roles }))
}

/// What decides in a room, read in a transaction.
#[derive(FromRow)]
struct RoomStanding {
    space_id: Option<SpaceId>,
    private: bool,
    archived: bool,
    /// Whether the room or its space is deleted.
    deleted: bool,
    read_only: bool,
    kind: RoomKind,
    overrides: Option<String>,
    is_in_room: bool,
    member: Option<String>,
    roles: Option<String>,
    everyone: Option<String>,
}

/// Of a thread all of this is its parent's.
///
/// Where there are other writers, the room, the membership and the place in the room stay as they
/// are until the transaction ends; a change of roles may be committed meanwhile, and the write
/// counts as made before it.
const HOLD_ROOM: Sql = Sql {
    sqlite: concat!(
        "SELECT r.space_id, r.private, r.archived_at IS NOT NULL AS archived, r.read_only, r.kind, ",
        deleted_text!(),
        " AS deleted, ",
        overrides_text!(),
        " AS overrides, EXISTS (SELECT 1 FROM room_members p \
         WHERE p.room_id = r.id AND p.account_id = $2) AS is_in_room, \
         (SELECT ",
        member_text!(),
        " FROM members m WHERE m.space_id = r.space_id AND m.account_id = $2) AS member, ",
        roles_of_account!("r.space_id", "$2"),
        " AS roles, (SELECT s.permissions FROM spaces s WHERE s.id = r.space_id) AS everyone \
         FROM rooms r \
         WHERE r.id = COALESCE((SELECT t.parent_id FROM rooms t WHERE t.id = $1), $1)"
    ),
    postgres: concat!(
        "SELECT r.space_id, r.private, r.archived_at IS NOT NULL AS archived, r.read_only, r.kind, ",
        deleted_text!(),
        " AS deleted, ",
        overrides_text!(),
        " AS overrides, (SELECT p.room_id FROM room_members p \
         WHERE p.room_id = r.id AND p.account_id = $2 FOR SHARE) IS NOT NULL AS is_in_room, \
         (SELECT ",
        member_text!(),
        " FROM members m WHERE m.space_id = r.space_id AND m.account_id = $2 FOR SHARE) AS member, ",
        roles_of_account!("r.space_id", "$2"),
        " AS roles, (SELECT s.permissions FROM spaces s WHERE s.id = r.space_id) AS everyone \
         FROM rooms r \
         WHERE r.id = COALESCE((SELECT t.parent_id FROM rooms t WHERE t.id = $1), $1)"
    ),
};

/// Checks a permission in a room in a transaction, which has locked the room's row in an earlier
/// statement: this one sees what was committed before.
///
/// # Errors
/// As [`Access::permit`](super::Access::permit).
pub(super) async fn check_in_room(
    tx: &mut Tx,
    declared: &DeclaredPermissions,
    room: RoomId,
    account: AccountId,
    permission: &Permission,
) -> Result<()> {
    let row: RoomStanding = tx.one(HOLD_ROOM, (room, account)).await?;
    if row.deleted {
        return Err(Error::NotFound);
    }
    let rules = row.rules(declared)?;
    if row.space_id.is_none() {
        return check_direct(&rules, row.is_in_room, permission);
    }
    let (member, space) = row.member(declared)?;
    let held = rules.held(declared, &space, account, &member, row.is_in_room)?;
    rules.check(declared, held, &member, permission)
}

/// How high an account stands in the space of a room, and what it holds in the room, also in one
/// that is deleted.
///
/// # Errors
/// `NotFound` for an account that is no member of the space.
pub(super) async fn actor_in_room(
    tx: &mut Tx,
    declared: &DeclaredPermissions,
    room: RoomId,
    account: AccountId,
) -> Result<(Actor, RoomRules)> {
    let row: RoomStanding = tx.one(HOLD_ROOM, (room, account)).await?;
    let rules = row.rules(declared)?;
    let (member, space) = row.member(declared)?;
    let actor = Actor {
        rank: space.rank(&member),
        held: rules.held(declared, &space, account, &member, row.is_in_room)?,
    };
    Ok((actor, rules))
}

impl RoomStanding {
    fn rules(&self, declared: &DeclaredPermissions) -> Result<RoomRules> {
        Ok(RoomRules {
            private: self.private,
            archived: self.archived,
            read_only: self.read_only,
            kind: self.kind,
            overrides: overrides(self.overrides.as_deref(), declared)?,
        })
    }

    fn member(&self, declared: &DeclaredPermissions) -> Result<(Member, SpaceRules)> {
        let text = self.member.as_deref().ok_or(Error::NotFound)?;
        let everyone = self.everyone.as_deref().unwrap_or_default();
        assemble(declared, text, self.roles.as_deref(), everyone)
    }
}

/// The rule of direct conversations: everybody in it reads and writes, and nobody moderates.
pub(super) fn check_direct(
    rules: &RoomRules,
    is_in_room: bool,
    permission: &Permission,
) -> Result<()> {
    if !is_in_room {
        return Err(Error::NotFound);
    }
    if permission.held_by != HeldBy::Members {
        return Err(Error::Forbidden("error-not-permitted"));
    }
    match permission.adds_content && rules.archived {
        true => Err(Error::Conflict("error-room-archived")),
        false => Ok(()),
    }
}

/// Checks a permission in a space in a transaction.
///
/// # Errors
/// As [`Access::permit`](super::Access::permit).
pub(super) async fn check_in_space(
    tx: &mut Tx,
    declared: &DeclaredPermissions,
    space: SpaceId,
    account: AccountId,
    permission: &Permission,
) -> Result<()> {
    let (member, rules) = hold_member(tx, declared, space, account).await?;
    check_held(declared, rules.held(declared, &member), &member, permission)
}
