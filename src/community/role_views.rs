//! The templates of the pages of members, roles and the audit log.

use askama::Template;

use super::audit::AuditId;
use super::audit_list::{AuditEntry, AuditQuery};
use super::member_list::MemberEntry;
use super::roles::COLORS;
use super::sanctions::{Note, Sanction};
use super::shell::Shell;
use super::space_tabs::Tab;
use super::standing::RoleId;
use super::{Community, Role};
use crate::base::ids::SpaceId;
use crate::engine::forms::Form;
use crate::engine::web::Head;

#[derive(Template)]
#[template(path = "community/members.html", blocks = ["app"])]
pub(super) struct MembersPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) form: Form,
    pub(super) space: SpaceId,
    /// What was looked for; empty: everybody.
    pub(super) query: String,
    /// Whose members are listed, if one role's.
    pub(super) role: Option<RoleId>,
    pub(super) members: Vec<MemberEntry>,
    /// What the next page begins after.
    pub(super) next: Option<String>,
    pub(super) roles: Vec<Role>,
}

impl MembersPage {
    /// The roles of a member, highest first.
    pub(super) fn roles_of<'a>(&'a self, entry: &'a MemberEntry) -> impl Iterator<Item = &'a Role> {
        let roles = self.roles.iter();
        roles.filter(|role| entry.member.roles.contains(&role.id))
    }

    /// Whether the members of this role are listed.
    pub(super) fn is_listed(&self, role: &Role) -> bool {
        self.role == Some(role.id)
    }

    /// The address of the next page.
    pub(super) fn next_page(&self) -> Option<String> {
        let fields = [
            ("role", self.role.map(|role| role.to_string())),
            ("after", self.next.clone()),
        ];
        self.next.as_ref()?;
        let fields = fields.iter().filter(|(_, value)| value.is_some());
        let fields: Vec<_> = fields.collect();
        serde_html_form::to_string(fields).ok()
    }
}

/// A role in a list.
pub(super) struct RoleLine {
    pub(super) role: Role,
    /// Whether the viewer may change or give it.
    pub(super) may_change: bool,
    /// Whether the member has it.
    pub(super) given: bool,
    /// How many have it.
    pub(super) count: i64,
}

#[derive(Template)]
#[template(path = "community/member.html", blocks = ["app"])]
pub(super) struct MemberPageView {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) form: Form,
    pub(super) space: SpaceId,
    pub(super) entry: MemberEntry,
    pub(super) roles: Vec<RoleLine>,
    pub(super) may_remove: bool,
    pub(super) may_set_owner: bool,
    pub(super) may: MaySanction,
    /// What was done to the member; empty for who may not read it.
    pub(super) history: Vec<Sanction>,
    /// Of moderators; empty for others.
    pub(super) notes: Vec<Note>,
}

/// What the viewer may do to a member.
pub(super) struct MaySanction {
    pub(super) time_out: bool,
    pub(super) ban: bool,
    pub(super) note: bool,
}

/// Lengths of time-outs that a form offers, in minutes, and the keys of their names.
const LENGTHS: [(u64, &str); 6] = [
    (5, "time-out-5-minutes"),
    (60, "time-out-hour"),
    (6 * 60, "time-out-6-hours"),
    (24 * 60, "time-out-day"),
    (7 * 24 * 60, "time-out-week"),
    (28 * 24 * 60, "time-out-28-days"),
];

impl MemberPageView {
    /// The lengths of time-outs in minutes, with their names.
    pub(super) fn lengths(&self) -> [(u64, &'static str); 6] {
        LENGTHS.map(|(minutes, key)| (minutes, self.head.lang.t(key)))
    }
}

#[derive(Template)]
#[template(path = "community/roles.html", blocks = ["app"])]
pub(super) struct RolesPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) form: Form,
    pub(super) space: SpaceId,
    /// Whether the viewer makes and changes roles.
    pub(super) manages: bool,
    pub(super) roles: Vec<RoleLine>,
}

/// A permission in the form of a role.
pub(super) struct Granted {
    pub(super) name: &'static str,
    pub(super) about: String,
    pub(super) granted: bool,
    /// Whether the viewer holds it.
    pub(super) may_change: bool,
}

/// A room, as somebody in one role sees it.
pub(super) struct SeenRoom {
    pub(super) name: String,
    pub(super) icon: &'static str,
    pub(super) sees: bool,
    /// The sentences of what they may do there.
    pub(super) may: Vec<String>,
}

#[derive(Template)]
#[template(path = "community/role.html", blocks = ["app"])]
pub(super) struct RolePage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) form: Form,
    pub(super) space: SpaceId,
    /// `None`: a new role, or every member.
    pub(super) role: Option<Role>,
    pub(super) is_everyone: bool,
    pub(super) permissions: Vec<Granted>,
    pub(super) may_change: bool,
    pub(super) seen: Vec<SeenRoom>,
}

impl RolePage {
    /// The action of the form.
    pub(super) fn action(&self) -> &'static str {
        match (&self.role, self.is_everyone) {
            (Some(_), _) => "community.change-role",
            (None, true) => "community.set-everyone",
            (None, false) => "community.create-role",
        }
    }

    /// The role's name and colour, whether it is listed apart, and whether members choose it.
    pub(super) fn current(&self) -> (&str, &str, bool, bool) {
        let role = self.role.as_ref();
        role.map_or(("", "", false, false), |role| {
            (&role.name, &role.color, role.listed_apart, role.self_chosen)
        })
    }

    /// The name of a colour in the viewer's language.
    pub(super) fn color_name(&self, color: &str) -> &'static str {
        self.head.lang.t(&format!("color-{color}"))
    }

    /// The colours.
    pub(super) fn colors(&self) -> [&'static str; 8] {
        COLORS
    }
}

#[derive(Template)]
#[template(path = "community/audit.html", blocks = ["app"])]
pub(super) struct AuditPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    /// The page's path.
    pub(super) here: String,
    pub(super) community: Community,
    pub(super) query: AuditQuery,
    pub(super) entries: Vec<AuditEntry>,
    /// What the next page ends before.
    pub(super) next: Option<AuditId>,
}

/// The nouns of acts that a form offers.
const KINDS: [&str; 11] = [
    "member",
    "role",
    "everyone",
    "room",
    "space",
    "invite",
    "message",
    "report",
    "appeal",
    "rule",
    "raid-mode",
];
/// Those of acts on the server as a whole.
const SERVER_KINDS: [&str; 3] = ["account", "network", "report"];

impl AuditPage {
    /// Nouns of acts, and their names in the viewer's language; the first is for all.
    pub(super) fn kinds(&self) -> Vec<(&'static str, &'static str)> {
        let lang = self.head.lang;
        let all = std::iter::once(("", lang.t("audit-kind-all")));
        let kinds: &[&str] = match self.shell.space {
            Some(_) => &KINDS,
            None => &SERVER_KINDS,
        };
        let kinds = kinds.iter().copied();
        all.chain(kinds.map(|kind| (kind, lang.t(&format!("audit-kind-{kind}")))))
            .collect()
    }
}
