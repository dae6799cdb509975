//! Targets of redirects after a form.

use super::Community;
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};

/// `next` if it is a path on this server, else `/`: prevents open redirects. Control characters are
/// refused because browsers remove tabs and line ends from URLs.
pub(super) fn local_path(next: &str) -> &str {
    let is_local = next.starts_with('/')
        && !next.starts_with("//")
        && !next.starts_with("/\\")
        && !next.contains(char::is_control);
    if is_local { next } else { "/" }
}

/// The page that a space opens with: its room `general`, else its first room, else the space.
pub(super) async fn landing_page(
    community: &Community,
    account: AccountId,
    space: SpaceId,
) -> Result<String> {
    let deps = community.dependencies(account);
    let rooms = community.rooms.open_in(&deps, account, space).await?;
    let general = rooms.iter().find(|room| room.name == "general");
    Ok(general.or(rooms.first()).map_or_else(
        || format!("/spaces/{space}"),
        |room| format!("/rooms/{}", room.id),
    ))
}
