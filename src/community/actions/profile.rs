//! Actions on one's own profile, and on whom one keeps away.

use serde::Deserialize;
use serde_json::Value;

use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::community::Community;
use crate::community::blocks::{BLOCK, IGNORE, WRITERS};
use crate::community::profiles::{NewProfile, NewStatus};
use crate::community::redirects::local_path;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(super) struct SetProfile {
    /// Empty: the user name is shown.
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    pronouns: String,
    #[serde(default)]
    bio: String,
    /// A name of the IANA database, or nothing.
    #[serde(default)]
    time_zone: String,
}

pub(super) async fn set_profile(
    community: Community,
    viewer: Viewer,
    input: SetProfile,
) -> Result<Outcome> {
    let new = NewProfile {
        display_name: input.display_name,
        pronouns: input.pronouns,
        bio: input.bio,
        time_zone: input.time_zone,
    };
    community.set_profile(viewer.account, new.check()?).await?;
    Ok(Outcome::new(Value::Null, "/account/profile"))
}

#[derive(Deserialize)]
pub(super) struct SetStatus {
    #[serde(default)]
    emoji: String,
    #[serde(default)]
    text: String,
    /// `30m`, `1h`, `4h`, `today`, `week`, or empty: it stays until it is changed.
    #[serde(default)]
    ends: String,
}

pub(super) async fn set_status(
    community: Community,
    viewer: Viewer,
    input: SetStatus,
) -> Result<Outcome> {
    let new = NewStatus::new(&input.emoji, &input.text, &input.ends)?;
    community.set_status(viewer.account, new).await?;
    Ok(Outcome::new(Value::Null, "/account/profile"))
}

#[derive(Deserialize)]
pub(super) struct SetPresence {
    /// `automatic`, `busy` or `invisible`.
    presence: String,
    /// `30m`, `1h`, `4h`, `8h`, or empty: until it is changed.
    #[serde(default)]
    ends: String,
    /// The page to go back to.
    #[serde(default)]
    here: String,
}

pub(super) async fn set_presence(
    community: Community,
    viewer: Viewer,
    input: SetPresence,
) -> Result<Outcome> {
    community
        .choose_presence(viewer.account, &input.presence, &input.ends)
        .await?;
    Ok(Outcome::new(Value::Null, local_path(&input.here)))
}

#[derive(Deserialize)]
pub(super) struct SetWriters {
    /// `all`, `spaces` or `nobody`.
    writers: String,
}

pub(super) async fn set_writers(
    community: Community,
    viewer: Viewer,
    input: SetWriters,
) -> Result<Outcome> {
    let known = WRITERS.into_iter().find(|known| *known == input.writers);
    let writers = known.ok_or(Error::field("writers", "error-message-shape"))?;
    community.set_writers(viewer.account, writers).await?;
    Ok(Outcome::new(Value::Null, "/account/privacy"))
}

#[derive(Deserialize)]
pub(super) struct SetReceipts {
    /// `yes` shares what one has read; anything else does not.
    #[serde(default)]
    shares_reads: String,
}

pub(super) async fn set_receipts(
    community: Community,
    viewer: Viewer,
    input: SetReceipts,
) -> Result<Outcome> {
    let shares = input.shares_reads == "yes";
    let accounts = &community.accounts;
    accounts.share_reads(viewer.account, shares).await?;
    Ok(Outcome::new(Value::Null, "/account/privacy"))
}

#[derive(Deserialize)]
pub(super) struct Block {
    account: AccountId,
    /// `ignore`, or anything else to block.
    #[serde(default)]
    kind: String,
}

pub(super) async fn block(community: Community, viewer: Viewer, input: Block) -> Result<Outcome> {
    let kind = if input.kind == IGNORE { IGNORE } else { BLOCK };
    community.block(viewer.account, input.account, kind).await?;
    Ok(Outcome::new(Value::Null, "/account/privacy"))
}

#[derive(Deserialize)]
pub(super) struct Unblock {
    account: AccountId,
}

pub(super) async fn unblock(
    community: Community,
    viewer: Viewer,
    input: Unblock,
) -> Result<Outcome> {
    community.unblock(viewer.account, input.account).await?;
    Ok(Outcome::new(Value::Null, "/account/privacy"))
}
