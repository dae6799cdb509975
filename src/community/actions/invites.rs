//! Actions on invitations.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::error::{Error, Result};
use crate::base::ids::SpaceId;
use crate::base::security_log::SecurityEvent;
use crate::community::Community;
use crate::community::invites::{InviteId, InviteKind, NewInvite};
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(super) struct Invite {
    space: SpaceId,
    /// Number of uses; empty: no limit.
    #[serde(default)]
    uses: String,
    /// Days; empty: no limit.
    #[serde(default)]
    expires: String,
    /// `guest`: who opens the link only reads; else they become members.
    #[serde(default)]
    kind: String,
    /// What who joins begins with; empty: nothing.
    #[serde(default)]
    role: String,
}

pub(super) async fn invite(community: Community, viewer: Viewer, input: Invite) -> Result<Outcome> {
    let number = |text: &str, field| match text.trim() {
        "" => Ok(None),
        text => text
            .parse::<i64>()
            .map(Some)
            .map_err(|_| Error::field(field, "error-number")),
    };
    let uses = number(&input.uses, "uses")?;
    let ttl = number(&input.expires, "expires")?
        .map(|days| Duration::from_secs(u64::try_from(days).unwrap_or(0).saturating_mul(86_400)));
    let role = match input.role.trim() {
        "" => None,
        role => Some(role.parse().map_err(|_| Error::NotFound)?),
    };
    let kind = match input.kind.as_str() {
        "guest" => InviteKind::Guest,
        _ => InviteKind::Member,
    };
    let new = NewInvite {
        kind,
        most_uses: uses,
        ttl,
        role,
    };
    let (id, code) = community
        .invites
        .create(viewer.account, input.space, new)
        .await?;
    SecurityEvent::InviteMade.record(viewer.account, viewer.address, "made");
    Ok(Outcome::new(
        json!({ "link": format!("/join/{code}") }),
        format!("/spaces/{}/invitations/{id}", input.space),
    ))
}

#[derive(Deserialize)]
pub(super) struct RevokeInvite {
    space: SpaceId,
    invite: InviteId,
}

pub(super) async fn revoke_invite(
    community: Community,
    viewer: Viewer,
    input: RevokeInvite,
) -> Result<Outcome> {
    community
        .invites
        .revoke(viewer.account, input.space, input.invite)
        .await?;
    SecurityEvent::InviteEnded.record(viewer.account, viewer.address, "revoked");
    Ok(Outcome::new(
        Value::Null,
        format!("/spaces/{}/invitations", input.space),
    ))
}
