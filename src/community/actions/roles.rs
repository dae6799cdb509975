//! Actions on roles, on what every member may do, and on who has which role.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::list::List;
use crate::base::security_log::SecurityEvent;
use crate::community::Community;
use crate::community::permission_set::PermissionSet;
use crate::community::roles::RoleForm;
use crate::community::standing::RoleId;
use crate::engine::actions::{Class, Outcome};
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .action(
            "community.create-role",
            "Makes a role",
            Class::Create,
            create_role,
        )
        .action(
            "community.change-role",
            "Changes a role's name, colour and permissions",
            Class::Write,
            change_role,
        )
        .action(
            "community.delete-role",
            "Deletes a role",
            Class::Write,
            delete_role,
        )
        .action(
            "community.move-role",
            "Moves a role one place up or down",
            Class::Write,
            move_role,
        )
        .action(
            "community.set-everyone",
            "Sets what every member of a space may do",
            Class::Write,
            set_everyone,
        )
        .action(
            "community.give-role",
            "Gives a member a role, or takes it back",
            Class::Write,
            give_role,
        )
        .action(
            "community.choose-role",
            "Gives oneself a role that members choose, or drops it",
            Class::Write,
            choose_role,
        )
        .action(
            "community.set-owner",
            "Makes a member an owner of the space, or an owner a member",
            Class::Write,
            set_owner,
        )
}

/// Permissions that a form may name: as many as there can be.
const MAX_NAMED: usize = 128;

/// The named permissions as a set.
///
/// # Errors
/// `Invalid` for a name that no module declared, and for those of the host.
pub(super) fn permission_set(community: &Community, names: Vec<String>) -> Result<PermissionSet> {
    let declared = &community.access.declared;
    let mut set = PermissionSet::default();
    for name in names {
        let one = declared.parse(&name);
        if one.is_empty() || !declared.by_owners().contains(one) {
            return Err(Error::field("permissions", "error-message-shape"));
        }
        set = set.with(one);
    }
    Ok(set)
}

#[derive(Deserialize)]
pub(super) struct RoleFields {
    space: SpaceId,
    /// Of a change; a new role has none.
    role: Option<RoleId>,
    name: String,
    #[serde(default)]
    color: String,
    #[serde(default)]
    permissions: List<String, MAX_NAMED>,
    /// A checkbox: `yes` or nothing.
    #[serde(default)]
    self_chosen: String,
    /// A checkbox: `yes` or nothing.
    #[serde(default)]
    listed_apart: String,
}

impl RoleFields {
    fn into_form(self, community: &Community) -> Result<RoleForm> {
        Ok(RoleForm {
            grants: permission_set(community, self.permissions.into_vec())?,
            name: self.name,
            color: self.color,
            self_chosen: self.self_chosen == "yes",
            listed_apart: self.listed_apart == "yes",
        })
    }
}

pub(super) async fn create_role(
    community: Community,
    viewer: Viewer,
    input: RoleFields,
) -> Result<Outcome> {
    let space = input.space;
    let form = input.into_form(&community)?;
    let role = community.roles.create(viewer.account, space, form).await?;
    SecurityEvent::RightsChanged.record(viewer.account, viewer.address, "created_role");
    Ok(Outcome::new(
        json!({ "role": role }),
        format!("/spaces/{space}/roles/{role}"),
    ))
}

pub(super) async fn change_role(
    community: Community,
    viewer: Viewer,
    input: RoleFields,
) -> Result<Outcome> {
    let (space, role) = (input.space, input.role.ok_or(Error::NotFound)?);
    let form = input.into_form(&community)?;
    let roles = &community.roles;
    roles.change(viewer.account, space, role, form).await?;
    SecurityEvent::RightsChanged.record(viewer.account, viewer.address, "changed_role");
    Ok(Outcome::new(Value::Null, format!("/spaces/{space}/roles")))
}

#[derive(Deserialize)]
pub(super) struct OneRole {
    space: SpaceId,
    role: RoleId,
}

pub(super) async fn delete_role(
    community: Community,
    viewer: Viewer,
    input: OneRole,
) -> Result<Outcome> {
    let roles = &community.roles;
    roles
        .delete(viewer.account, input.space, input.role)
        .await?;
    SecurityEvent::RightsChanged.record(viewer.account, viewer.address, "deleted_role");
    let next = format!("/spaces/{}/roles", input.space);
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
pub(super) struct MoveRole {
    space: SpaceId,
    role: RoleId,
    /// `up`, or else down.
    to: String,
}

pub(super) async fn move_role(
    community: Community,
    viewer: Viewer,
    input: MoveRole,
) -> Result<Outcome> {
    let (by, up) = (viewer.account, input.to == "up");
    community
        .roles
        .shift(by, input.space, input.role, up)
        .await?;
    SecurityEvent::RightsChanged.record(viewer.account, viewer.address, "moved_role");
    let next = format!("/spaces/{}/roles", input.space);
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
pub(super) struct Everyone {
    space: SpaceId,
    #[serde(default)]
    permissions: List<String, MAX_NAMED>,
}

pub(super) async fn set_everyone(
    community: Community,
    viewer: Viewer,
    input: Everyone,
) -> Result<Outcome> {
    let grants = permission_set(&community, input.permissions.into_vec())?;
    let roles = &community.roles;
    roles
        .set_everyone(viewer.account, input.space, grants)
        .await?;
    SecurityEvent::RightsChanged.record(viewer.account, viewer.address, "changed_everyone");
    let next = format!("/spaces/{}/roles", input.space);
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
pub(super) struct GiveRole {
    space: SpaceId,
    account: AccountId,
    role: RoleId,
    /// `yes` gives it, anything else takes it back.
    give: String,
}

pub(super) async fn give_role(
    community: Community,
    viewer: Viewer,
    input: GiveRole,
) -> Result<Outcome> {
    let (roles, give) = (&community.roles, input.give == "yes");
    roles
        .give(viewer.account, input.space, input.account, input.role, give)
        .await?;
    SecurityEvent::RightsChanged.record(viewer.account, viewer.address, "gave_role");
    let next = format!("/spaces/{}/members/{}", input.space, input.account);
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
pub(super) struct ChooseRole {
    space: SpaceId,
    role: RoleId,
    /// `yes` takes it on, anything else drops it.
    take: String,
    /// `welcome`: the page that the form was on, to come back to.
    #[serde(default)]
    from: String,
}

pub(super) async fn choose_role(
    community: Community,
    viewer: Viewer,
    input: ChooseRole,
) -> Result<Outcome> {
    let (roles, take) = (&community.roles, input.take == "yes");
    roles
        .choose(viewer.account, input.space, input.role, take)
        .await?;
    let page = match input.from.as_str() {
        "welcome" => "welcome",
        _ => "roles",
    };
    let next = format!("/spaces/{}/{page}", input.space);
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
pub(super) struct SetOwner {
    space: SpaceId,
    account: AccountId,
    /// `yes` makes an owner, anything else a member again.
    owner: String,
}

pub(super) async fn set_owner(
    community: Community,
    viewer: Viewer,
    input: SetOwner,
) -> Result<Outcome> {
    let (roles, owner) = (&community.roles, input.owner == "yes");
    roles
        .set_owner(viewer.account, input.space, input.account, owner)
        .await?;
    SecurityEvent::RightsChanged.record(viewer.account, viewer.address, "changed_owner");
    let next = format!("/spaces/{}/members/{}", input.space, input.account);
    Ok(Outcome::new(Value::Null, next))
}
