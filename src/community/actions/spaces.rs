//! Actions on spaces and their members.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::base::list::List;
use crate::base::security_log::SecurityEvent;
use crate::community::Community;
use crate::engine::actions::Outcome;
use crate::engine::files::FileId;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(super) struct CreateSpace {
    name: String,
}

pub(super) async fn create_space(
    community: Community,
    viewer: Viewer,
    input: CreateSpace,
) -> Result<Outcome> {
    let space = community.spaces.create(viewer.account, &input.name).await?;
    SecurityEvent::RightsChanged.record(viewer.account, viewer.address, "owns_new_space");
    Ok(Outcome::new(
        json!({ "space": space }),
        format!("/spaces/{space}"),
    ))
}

#[derive(Deserialize)]
pub(super) struct RenameSpace {
    space: SpaceId,
    name: String,
}

pub(super) async fn rename_space(
    community: Community,
    viewer: Viewer,
    input: RenameSpace,
) -> Result<Outcome> {
    community
        .spaces
        .rename(viewer.account, input.space, &input.name)
        .await?;
    Ok(Outcome::new(
        Value::Null,
        format!("/spaces/{}/settings", input.space),
    ))
}

#[derive(Deserialize)]
pub(super) struct TellJoins {
    space: SpaceId,
    /// A checkbox: `yes` or nothing.
    #[serde(default)]
    tell: String,
}

pub(super) async fn tell_joins(
    community: Community,
    viewer: Viewer,
    input: TellJoins,
) -> Result<Outcome> {
    let (by, tells) = (viewer.account, input.tell == "yes");
    community
        .spaces
        .set_tells_joins(by, input.space, tells)
        .await?;
    Ok(Outcome::new(
        Value::Null,
        format!("/spaces/{}/settings", input.space),
    ))
}

#[derive(Deserialize)]
pub(super) struct RemoveMember {
    space: SpaceId,
    account: AccountId,
    #[serde(default)]
    reason: String,
}

pub(super) async fn remove_member(
    community: Community,
    viewer: Viewer,
    input: RemoveMember,
) -> Result<Outcome> {
    community
        .spaces
        .remove_member(viewer.account, input.space, input.account, &input.reason)
        .await?;
    let reason = match input.account == viewer.account {
        true => "left_space",
        false => "removed_member",
    };
    SecurityEvent::RightsChanged.record(viewer.account, viewer.address, reason);
    let next = if input.account == viewer.account {
        "/".to_owned()
    } else {
        format!("/spaces/{}/members", input.space)
    };
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
pub(super) struct SetEmblem {
    space: SpaceId,
    #[serde(default)]
    files: List<FileId, 1>,
}

pub(super) async fn set_emblem(
    community: Community,
    viewer: Viewer,
    input: SetEmblem,
) -> Result<Outcome> {
    community
        .spaces
        .set_emblem(viewer.account, input.space, input.files.first().copied())
        .await?;
    Ok(Outcome::new(
        Value::Null,
        format!("/spaces/{}/settings", input.space),
    ))
}
