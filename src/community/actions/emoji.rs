//! Actions on a space's emoji. Their names, limits and rows are in `community/emoji.rs`.

use serde::Deserialize;
use serde_json::Value;

use crate::base::error::Result;
use crate::base::ids::SpaceId;
use crate::base::list::List;
use crate::community::Community;
use crate::engine::actions::Outcome;
use crate::engine::files::FileId;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(super) struct AddEmoji {
    space: SpaceId,
    name: String,
    #[serde(default)]
    files: List<FileId, 1>,
}

pub(super) async fn add_emoji(
    community: Community,
    viewer: Viewer,
    input: AddEmoji,
) -> Result<Outcome> {
    community
        .emoji
        .add(
            viewer.account,
            input.space,
            &input.name,
            input.files.first().copied(),
        )
        .await?;
    Ok(Outcome::new(
        Value::Null,
        format!("/spaces/{}/settings#emoji", input.space),
    ))
}

#[derive(Deserialize)]
pub(super) struct RemoveEmoji {
    space: SpaceId,
    name: String,
}

pub(super) async fn remove_emoji(
    community: Community,
    viewer: Viewer,
    input: RemoveEmoji,
) -> Result<Outcome> {
    community
        .emoji
        .remove(viewer.account, input.space, &input.name)
        .await?;
    Ok(Outcome::new(
        Value::Null,
        format!("/spaces/{}/settings#emoji", input.space),
    ))
}
