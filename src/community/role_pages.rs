//! The pages of a space's members, roles and audit log.

use axum::extract::{Path, Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::audit_list::AuditQuery;
use super::permissions::{
    BAN, KICK, MANAGE_ROLES, Permission, READ, ScopeKind, TIME_OUT, VIEW_AUDIT, permission_words,
};
use super::role_views::{
    AuditPage, Granted, MaySanction, MemberPageView, MembersPage, RoleLine, RolePage, RolesPage,
    SeenRoom,
};
use super::shell::Layout;
use super::standing::RoleId;
use super::{Community, Member, PermissionSet, Role, Scope};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::locale::Lang;
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module, SpaceTab};
use crate::engine::viewer::Viewer;
use crate::engine::web::{PageAnswer, Wants, app_page};

type Here = State<Community>;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    let tab = |path, label, permission| SpaceTab {
        path,
        label,
        permission,
    };
    module
        .space_tab(tab("/spaces/{space}/settings", "tab-space", None))
        .space_tab(tab("/spaces/{space}/members", "members-title", None))
        .space_tab(tab("/spaces/{space}/roles", "roles-title", None))
        .space_tab(tab(
            "/spaces/{space}/audit",
            "audit-title",
            Some(&VIEW_AUDIT),
        ))
        .page(Audience::SignedIn, "/spaces/{space}/members", get(members))
        .page(
            Audience::SignedIn,
            "/spaces/{space}/members/{account}",
            get(member),
        )
        .page(Audience::SignedIn, "/spaces/{space}/roles", get(roles))
        .page(
            Audience::SignedIn,
            "/spaces/{space}/roles/{role}",
            get(role),
        )
        .page(Audience::SignedIn, "/spaces/{space}/audit", get(audit))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct MembersQuery {
    q: String,
    role: Option<RoleId>,
    after: String,
}

/// `GET /spaces/{space}/members?q=…&role=…&after=…`.
#[allow(clippy::too_many_arguments, reason = "axum extractors")]
async fn members(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    Query(query): Query<MembersQuery>,
    form: Form,
) -> Result<PageAnswer> {
    let account = viewer.account;
    let page = match query.q.trim() {
        "" => {
            let page = community.member_page(account, space, query.role, &query.after);
            page.await?
        }
        _ => community.find_members(account, space, &query.q).await?,
    };
    let here = format!("/spaces/{space}/members");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let held = held(&community, &viewer, space).await?;
    let roles = community.roles.list(viewer.account, space).await?;
    app_page!(
        wants,
        MembersPage {
            head: community.head(&viewer, viewer.lang.t("members-title")),
            shell,
            tabs: community.space_tabs(held, space, &here)?,
            form,
            space,
            query: query.q,
            role: query.role,
            members: page.members,
            next: page.next,
            roles,
        }
    )
}

/// What the viewer may do in a space.
async fn held(community: &Community, viewer: &Viewer, space: SpaceId) -> Result<PermissionSet> {
    let scope = Scope::Space(space);
    community.access.held(viewer.account, scope).await
}

/// `GET /spaces/{space}/members/{account}`: a member's roles, for who gives them.
async fn member(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path((space, account)): Path<(SpaceId, AccountId)>,
    form: Form,
) -> Result<PageAnswer> {
    let by = viewer.account;
    let entry = community.member_entry(by, space, account).await?;
    let here = format!("/spaces/{space}/members/{account}");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let (access, held) = (&community.access, held(&community, &viewer, space).await?);
    let rules = access.space_rules(space).await?;
    let own = access.member(by, space).await?.ok_or(Error::NotFound)?;
    let (rank, theirs) = (rules.rank(&own), rules.rank(&entry.member));
    let is_below = theirs < rank;
    let gives = held.contains(access.declared.only(&MANAGE_ROLES)?);
    let may_time_out = held.contains(access.declared.only(&TIME_OUT)?);
    let sanctions = &community.sanctions;
    let may_note = may_time_out && account != by;
    let history = match may_note || account == by {
        true => sanctions.history(by, space, account).await?,
        false => Vec::new(),
    };
    let notes = match may_note {
        true => sanctions.notes(by, space, account).await?,
        false => Vec::new(),
    };
    let all = community.roles.list(by, space).await?;
    let roles = all.into_iter().map(|role| RoleLine {
        may_change: gives && role.position < rank && (is_below || account == by),
        given: entry.member.roles.contains(&role.id),
        count: 0,
        role,
    });
    app_page!(
        wants,
        MemberPageView {
            head: community.head(&viewer, entry.name.clone()),
            shell,
            tabs: community.space_tabs(held, space, &here)?,
            form,
            space,
            roles: roles.collect(),
            may: MaySanction {
                time_out: is_below && may_time_out,
                ban: is_below && held.contains(access.declared.only(&BAN)?),
                note: may_note,
            },
            history,
            notes,
            may_remove: is_below && held.contains(access.declared.only(&KICK)?),
            may_set_owner: own.is_owner && !entry.member.is_guest,
            entry,
        }
    )
}

/// `GET /spaces/{space}/roles`: the roles, for everybody; those to choose, and the way to change.
async fn roles(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<PageAnswer> {
    let by = viewer.account;
    let all = community.roles.list(by, space).await?;
    let here = format!("/spaces/{space}/roles");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let (access, held) = (&community.access, held(&community, &viewer, space).await?);
    let own = access.member(by, space).await?.ok_or(Error::NotFound)?;
    let rank = access.space_rules(space).await?.rank(&own);
    let manages = held.contains(access.declared.only(&MANAGE_ROLES)?);
    let counts = community.roles.counts(space).await?;
    let line = |role: Role| RoleLine {
        may_change: manages && role.position < rank,
        given: own.roles.contains(&role.id),
        count: counts.get(&role.id).copied().unwrap_or(0),
        role,
    };
    app_page!(
        wants,
        RolesPage {
            head: community.head(&viewer, viewer.lang.t("roles-title")),
            shell,
            tabs: community.space_tabs(held, space, &here)?,
            form,
            space,
            manages,
            roles: all.into_iter().map(line).collect(),
        }
    )
}

/// The permissions of a space, each with its sentence, whether a role grants it, and whether the
/// viewer may change that.
fn granted(
    community: &Community,
    lang: Lang,
    grants: PermissionSet,
    held: PermissionSet,
) -> Vec<Granted> {
    let declared = &community.access.declared;
    let one = |permission: &'static Permission| {
        let set = declared.only(permission).unwrap_or_default();
        Granted {
            name: permission.name,
            about: permission_words(lang, permission),
            granted: grants.contains(set),
            may_change: held.contains(set),
        }
    };
    declared.in_set(declared.by_owners()).map(one).collect()
}

/// `GET /spaces/{space}/roles/{role}`, also for `new` and `everyone`: the form of a role, and what
/// it sees.
async fn role(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path((space, role)): Path<(SpaceId, String)>,
    form: Form,
) -> Result<PageAnswer> {
    let (access, by) = (&community.access, viewer.account);
    access.permit(by, &READ, Scope::Space(space)).await?;
    let scope = Scope::Space(space);
    access.permit(by, &MANAGE_ROLES, scope).await?;
    let rules = access.space_rules(space).await?;
    let all = community.roles.list(by, space).await?;
    let found = match role.as_str() {
        "new" | "everyone" => None,
        id => {
            let id: RoleId = id.parse().map_err(|_| Error::NotFound)?;
            let found = all.into_iter().find(|role| role.id == id);
            Some(found.ok_or(Error::NotFound)?)
        }
    };
    let here = format!("/spaces/{space}/roles/{role}");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let held = held(&community, &viewer, space).await?;
    let own = access.member(by, space).await?.ok_or(Error::NotFound)?;
    let grants = match (&found, role.as_str()) {
        (Some(role), _) => role.grants(&access.declared),
        (None, "everyone") => rules.everyone,
        (None, _) => PermissionSet::default(),
    };
    let rank = rules.rank(&own);
    let may_change = found.as_ref().is_none_or(|role| role.position < rank);
    let title = match (&found, role.as_str()) {
        (Some(role), _) => role.name.clone(),
        (None, "everyone") => viewer.lang.t("role-everyone").to_owned(),
        (None, _) => viewer.lang.t("role-new").to_owned(),
    };
    let is_new = role == "new";
    let seen = match is_new {
        true => Vec::new(),
        false => {
            let role = found.as_ref().map(|role| role.id);
            seen_rooms(&community, &viewer, space, role).await?
        }
    };
    app_page!(
        wants,
        RolePage {
            head: community.head(&viewer, title),
            shell,
            tabs: community.space_tabs(held, space, &here)?,
            form,
            space,
            is_everyone: role == "everyone",
            permissions: granted(&community, viewer.lang, grants, held),
            may_change,
            role: found,
            seen,
        }
    )
}

/// The rooms that the viewer reads, and what a member in this role alone would hold in each.
async fn seen_rooms(
    community: &Community,
    viewer: &Viewer,
    space: SpaceId,
    role: Option<RoleId>,
) -> Result<Vec<SeenRoom>> {
    let (access, deps) = (&community.access, community.dependencies(viewer.account));
    let rules = access.space_rules(space).await?;
    let member = Member {
        roles: role.into_iter().collect(),
        ..Member::default()
    };
    let rooms = community
        .rooms
        .open_in(&deps, viewer.account, space)
        .await?;
    let nobody = AccountId(0);
    let mut seen = Vec::new();
    for room in rooms.iter() {
        let held = room
            .rules
            .held(&access.declared, &rules, nobody, &member, false)?;
        let may = access
            .declared
            .in_set(held)
            .filter(|one| one.scope == ScopeKind::Room && **one != READ);
        seen.push(SeenRoom {
            name: room.name.clone(),
            icon: room.icon(),
            sees: !held.is_empty(),
            may: may.map(|one| permission_words(viewer.lang, one)).collect(),
        });
    }
    Ok(seen)
}

/// `GET /spaces/{space}/audit?q=…&act=…&before=…`.
async fn audit(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    Query(query): Query<AuditQuery>,
) -> Result<PageAnswer> {
    let (entries, next) = community.audit_page(viewer.account, space, &query).await?;
    let here = format!("/spaces/{space}/audit");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let held = held(&community, &viewer, space).await?;
    app_page!(
        wants,
        AuditPage {
            head: community.head(&viewer, viewer.lang.t("audit-title")),
            shell,
            tabs: community.space_tabs(held, space, &here)?,
            here,
            next,
            community: community.clone(),
            query,
            entries,
        }
    )
}
