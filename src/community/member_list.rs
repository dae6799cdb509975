//! The members of a space, a page at a time, by name or found by a search; and one of them.

use anyhow::Context;
use sqlx::FromRow;

use super::find::Pattern;
use super::permissions::READ;
use super::standing::{Member, RoleId};
use super::{Community, Face, Membership, Scope};
use crate::base::clock::Micros;
use crate::base::db::Sql;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};

/// Members on one page.
pub(super) const MAX_ON_PAGE: usize = 50;

/// A member, for lists and its page.
#[derive(Clone, Debug)]
pub struct MemberEntry {
    /// The account.
    pub id: AccountId,
    /// The name, as shown.
    pub name: String,
    /// The name that signs in, which is unique.
    pub user_name: String,
    /// When it joined.
    pub joined_at: Micros,
    /// What decides what it may do.
    pub member: Member,
    /// The place in the list: what the next page begins after.
    name_key: String,
}

impl MemberEntry {
    /// Initials, colour and picture.
    pub fn face(&self) -> Face {
        Face::of(self.id, &self.name)
    }

    /// The unique name, where another one is shown.
    pub fn other_name(&self) -> Option<&str> {
        Some(self.user_name.as_str()).filter(|name| *name != self.name)
    }

    /// Until when it is timed out, if it is.
    pub fn timed_out(&self) -> Option<Micros> {
        let until = self.member.timed_out_until;
        until.filter(|until| *until > Micros::now())
    }
}

/// A page of members.
pub struct MemberPage {
    /// At most fifty.
    pub members: Vec<MemberEntry>,
    /// What the next page begins after, if there is one.
    pub next: Option<String>,
}

#[derive(FromRow)]
struct Row {
    id: AccountId,
    name: String,
    user_name: String,
    name_key: String,
    joined_at: Micros,
    role: Membership,
    guest: bool,
    pending: bool,
    timed_out_until: Option<Micros>,
    roles: Option<String>,
}

impl Row {
    fn into_entry(self) -> Result<MemberEntry> {
        let ids = self.roles.as_deref().unwrap_or_default();
        let ids = ids.split_ascii_whitespace().map(str::parse::<RoleId>);
        let roles = ids.collect::<Result<_, _>>().context("no role")?;
        Ok(MemberEntry {
            id: self.id,
            name: self.name,
            user_name: self.user_name,
            joined_at: self.joined_at,
            member: Member {
                is_owner: self.role == Membership::Owner,
                is_guest: self.guest,
                is_pending: self.pending,
                timed_out_until: self.timed_out_until,
                roles,
            },
            name_key: self.name_key,
        })
    }
}

macro_rules! columns {
    () => {
        "SELECT a.id, a.name, coalesce(a.user_name, a.name) AS user_name, a.name_key, m.joined_at, \
         m.role, m.guest, m.pending, m.timed_out_until, (SELECT string_agg(CAST(mr.role_id AS TEXT), ' ') \
         FROM member_roles mr WHERE mr.space_id = m.space_id AND mr.account_id = m.account_id) \
         AS roles FROM members m JOIN accounts a ON a.id = m.account_id WHERE m.space_id = $1 "
    };
}

impl Community {
    /// A page of a space's members by name, for its members: those in a role, if one is given, and
    /// after a place in the list.
    ///
    /// # Errors
    /// `NotFound` for everybody else.
    pub(super) async fn member_page(
        &self,
        viewer: AccountId,
        space: SpaceId,
        role: Option<RoleId>,
        after: &str,
    ) -> Result<MemberPage> {
        const READ_PAGE: &str = concat!(
            columns!(),
            "AND a.name_key > $2 AND ($3 = 0 OR EXISTS (SELECT 1 FROM member_roles f \
             WHERE f.role_id = $3 AND f.account_id = m.account_id)) \
             ORDER BY a.name_key LIMIT $4"
        );
        let scope = Scope::Space(space);
        self.access.permit(viewer, &READ, scope).await?;
        let role = role.map_or(0, |role| role.0);
        let limit = i64::try_from(MAX_ON_PAGE).unwrap_or(i64::MAX) + 1;
        let db = &self.engine().db;
        let rows: Vec<Row> = db.all(READ_PAGE, (space, after, role, limit)).await?;
        let rows = rows.into_iter().map(Row::into_entry);
        let mut members: Vec<_> = rows.collect::<Result<_>>()?;
        let has_more = members.len() > MAX_ON_PAGE;
        members.truncate(MAX_ON_PAGE);
        let last = members.last().filter(|_| has_more);
        Ok(MemberPage {
            next: last.map(|last| last.name_key.clone()),
            members,
        })
    }

    /// The members whose names a query fits, best first, at most fifty.
    ///
    /// # Errors
    /// `NotFound` for who is no member of the space.
    pub(super) async fn find_members(
        &self,
        viewer: AccountId,
        space: SpaceId,
        query: &str,
    ) -> Result<MemberPage> {
        const READ_FOUND: Sql = Sql {
            sqlite: concat!(
                columns!(),
                "AND m.account_id IN (SELECT CAST(value AS INTEGER) FROM json_each('[' || $2 || ']'))"
            ),
            postgres: concat!(
                columns!(),
                "AND m.account_id = ANY (CAST(string_to_array($2, ',') AS BIGINT[]))"
            ),
        };
        let scope = Scope::Space(space);
        self.access.permit(viewer, &READ, scope).await?;
        let deps = self.engine().versions.dependencies();
        let index = self.people_indexes.of(&deps, space).await?;
        let found = index.find(&Pattern::new(query), MAX_ON_PAGE).into_iter();
        let found: Vec<AccountId> = found.map(|(account, _, _)| account).collect();
        if found.is_empty() {
            let members = Vec::new();
            return Ok(MemberPage {
                members,
                next: None,
            });
        }
        let ids: Vec<_> = found.iter().map(ToString::to_string).collect();
        let db = &self.engine().db;
        let rows: Vec<Row> = db.all(READ_FOUND, (space, ids.join(","))).await?;
        let rows = rows.into_iter().map(Row::into_entry);
        let mut members: Vec<_> = rows.collect::<Result<_>>()?;
        members.sort_by_key(|one| found.iter().position(|account| *account == one.id));
        Ok(MemberPage {
            members,
            next: None,
        })
    }

    /// One member of a space, for its members.
    ///
    /// # Errors
    /// `NotFound` for everybody else, and for who is no member.
    pub(super) async fn member_entry(
        &self,
        viewer: AccountId,
        space: SpaceId,
        account: AccountId,
    ) -> Result<MemberEntry> {
        const READ_ONE: &str = concat!(columns!(), "AND m.account_id = $2");
        let scope = Scope::Space(space);
        self.access.permit(viewer, &READ, scope).await?;
        let row: Option<Row> = self
            .engine()
            .db
            .optional(READ_ONE, (space, account))
            .await?;
        row.ok_or(Error::NotFound)?.into_entry()
    }
}
