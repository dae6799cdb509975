//! Actions on the groups of a space.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::community::{Community, GroupId};
use crate::engine::actions::{Class, Outcome};
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .action(
            "community.create-group",
            "Makes a group of members that can be mentioned",
            Class::Create,
            create_group,
        )
        .action(
            "community.change-group",
            "Changes a group's name, and whether members join it by themselves",
            Class::Write,
            change_group,
        )
        .action(
            "community.delete-group",
            "Deletes a group",
            Class::Write,
            delete_group,
        )
        .action(
            "community.set-group-member",
            "Puts a member into a group, or takes them out",
            Class::Write,
            set_group_member,
        )
        .action(
            "community.join-group",
            "Joins an open group, or leaves one",
            Class::Write,
            join_group,
        )
}

#[derive(Deserialize)]
pub(super) struct GroupFields {
    space: SpaceId,
    /// Of a change; a new group has none.
    group: Option<GroupId>,
    name: String,
    /// A checkbox: `yes` or nothing.
    #[serde(default)]
    open: String,
}

async fn create_group(community: Community, viewer: Viewer, input: GroupFields) -> Result<Outcome> {
    let (groups, space) = (&community.groups, input.space);
    let is_open = input.open == "yes";
    let group = groups
        .create(viewer.account, space, &input.name, is_open)
        .await?;
    let next = format!("/spaces/{space}/groups/{group}");
    Ok(Outcome::new(json!({ "group": group }), next))
}

async fn change_group(community: Community, viewer: Viewer, input: GroupFields) -> Result<Outcome> {
    let (space, group) = (input.space, input.group.ok_or(Error::NotFound)?);
    let (groups, is_open) = (&community.groups, input.open == "yes");
    groups
        .change(viewer.account, space, group, &input.name, is_open)
        .await?;
    let next = format!("/spaces/{space}/groups/{group}");
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
pub(super) struct OneGroup {
    space: SpaceId,
    group: GroupId,
}

async fn delete_group(community: Community, viewer: Viewer, input: OneGroup) -> Result<Outcome> {
    let groups = &community.groups;
    groups
        .delete(viewer.account, input.space, input.group)
        .await?;
    let next = format!("/spaces/{}/groups", input.space);
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
pub(super) struct SetGroupMember {
    space: SpaceId,
    group: GroupId,
    /// The member; or else `person`.
    account: Option<AccountId>,
    /// The unique name of a member to add.
    #[serde(default)]
    person: String,
    /// `no` takes the member out, anything else puts them in.
    #[serde(default)]
    add: String,
}

async fn set_group_member(
    community: Community,
    viewer: Viewer,
    input: SetGroupMember,
) -> Result<Outcome> {
    let (groups, by, space, group) = (&community.groups, viewer.account, input.space, input.group);
    match input.account {
        Some(account) => {
            let is_in = input.add != "no";
            groups.set(by, space, group, account, is_in).await?;
        }
        None => groups.add_named(by, space, group, &input.person).await?,
    }
    let next = format!("/spaces/{space}/groups/{group}");
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
pub(super) struct JoinGroup {
    space: SpaceId,
    group: GroupId,
    /// `yes` joins, anything else leaves.
    join: String,
}

async fn join_group(community: Community, viewer: Viewer, input: JoinGroup) -> Result<Outcome> {
    let (groups, joins) = (&community.groups, input.join == "yes");
    groups
        .join(viewer.account, input.space, input.group, joins)
        .await?;
    let next = format!("/spaces/{}/groups", input.space);
    Ok(Outcome::new(Value::Null, next))
}
