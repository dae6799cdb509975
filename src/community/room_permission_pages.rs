//! The page of what a room allows and denies: `/rooms/{room}/permissions`.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::permissions::permission_words;
use super::room_permissions::{of_subject, parse_subject, subject_name};
use super::shell::{Layout, Shell};
use super::standing::Subject;
use super::{Community, Room, Scope};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module.page(
        Audience::SignedIn,
        "/rooms/{room}/permissions",
        get(room_permissions),
    )
}

/// Somebody to whom the room may allow and deny: everyone, a role or an account.
pub(super) struct SubjectLine {
    /// As forms name it.
    pub(super) key: String,
    pub(super) name: String,
    /// The role's colour; empty for none and for others.
    pub(super) color: String,
    pub(super) is_account: bool,
    /// Whether the room says anything of it.
    pub(super) has_rules: bool,
    /// Whether the page shows its form.
    pub(super) current: bool,
    /// Whether it stands below the viewer.
    pub(super) may_change: bool,
}

/// A permission in the form.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) about: String,
    /// `allow`, `deny`, or `space`: as the space says.
    pub(super) state: &'static str,
    /// Whether the viewer holds it in the room.
    pub(super) may_change: bool,
}

#[derive(Template)]
#[template(path = "community/room_permissions.html", blocks = ["app"])]
pub(super) struct RoomPermissionsPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) form: Form,
    pub(super) room: Room,
    pub(super) subjects: Vec<SubjectLine>,
    pub(super) query: String,
    /// Members found by the search, with the keys of their forms.
    pub(super) found: Vec<(String, String)>,
    pub(super) rules: Vec<Rule>,
}

impl RoomPermissionsPage {
    /// The subject whose form is shown.
    pub(super) fn current(&self) -> Option<&SubjectLine> {
        self.subjects.iter().find(|one| one.current)
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SubjectQuery {
    subject: String,
    q: String,
}

/// `GET /rooms/{room}/permissions?subject=…&q=…`.
async fn room_permissions(
    State(community): State<Community>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
    Query(query): Query<SubjectQuery>,
    form: Form,
) -> Result<PageAnswer> {
    let (access, by) = (&community.access, viewer.account);
    let (room, space) = community.rooms.permit_to_manage(by, room).await?;
    let here = format!("/rooms/{}/permissions", room.id);
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let named = match form.of("community.set-room-permissions").value("subject") {
        "" => query.subject.clone(),
        refused => refused.to_owned(),
    };
    let chosen = parse_subject(&named).unwrap_or(Subject::Everyone);
    let subjects = subjects(&community, &viewer, space, &room, chosen).await?;
    if !subjects.iter().any(|one| one.current) {
        return Err(Error::NotFound);
    }
    let found = match query.q.trim() {
        "" => Vec::new(),
        q => community.find_members(by, space, q).await?.members,
    };
    let found = found.into_iter();
    let held = access.held(by, Scope::Room(room.id)).await?;
    let (allowed, denied) = of_subject(&room.rules.overrides, chosen);
    let declared = &access.declared;
    let rules = declared.in_set(declared.of_rooms().both(declared.by_owners()));
    let rule = |permission| -> Result<Rule> {
        let one = declared.only(permission)?;
        Ok(Rule {
            name: permission.name,
            about: permission_words(viewer.lang, permission),
            state: match (allowed.contains(one), denied.contains(one)) {
                (true, _) => "allow",
                (false, true) => "deny",
                (false, false) => "space",
            },
            may_change: held.contains(one),
        })
    };
    app_page!(
        wants,
        RoomPermissionsPage {
            head: community.head(&viewer, viewer.lang.t("room-permissions-title")),
            shell,
            form,
            subjects,
            query: query.q,
            found: found
                .map(|one| (subject_name(Subject::Account(one.id)), one.name))
                .collect(),
            rules: rules.map(rule).collect::<Result<_>>()?,
            room: (*room).clone(),
        }
    )
}

/// Everyone, the roles, the accounts of which the room says something, and the chosen one.
async fn subjects(
    community: &Community,
    viewer: &Viewer,
    space: SpaceId,
    room: &Room,
    chosen: Subject,
) -> Result<Vec<SubjectLine>> {
    let (access, by) = (&community.access, viewer.account);
    let rules = access.space_rules(space).await?;
    let own = access.member(by, space).await?.ok_or(Error::NotFound)?;
    let rank = rules.rank(&own);
    let overrides = &room.rules.overrides;
    let line = |subject: Subject, name: String, color: String, may_change| SubjectLine {
        key: subject_name(subject),
        has_rules: overrides.iter().any(|one| one.subject == subject),
        is_account: matches!(subject, Subject::Account(_)),
        current: subject == chosen,
        name,
        color,
        may_change,
    };
    let everyone = viewer.lang.t("role-everyone").to_owned();
    let mut lines = vec![line(Subject::Everyone, everyone, String::new(), true)];
    for role in community.roles.list(by, space).await? {
        let may_change = role.position < rank;
        lines.push(line(
            Subject::Role(role.id),
            role.name,
            role.color,
            may_change,
        ));
    }
    let account = |subject| match subject {
        Subject::Account(account) => Some(account),
        Subject::Everyone | Subject::Role(_) => None,
    };
    let all = overrides.iter().map(|one| one.subject).chain([chosen]);
    let mut accounts: Vec<AccountId> = all.filter_map(account).collect();
    accounts.sort_unstable();
    accounts.dedup();
    for account in accounts {
        // Who left the space keeps what the room says of them, unseen.
        let Some(member) = access.member(account, space).await? else {
            continue;
        };
        let name = community.accounts.get(account).await?.name.clone();
        let may_change = rules.rank(&member) < rank;
        lines.push(line(
            Subject::Account(account),
            name,
            String::new(),
            may_change,
        ));
    }
    Ok(lines)
}
