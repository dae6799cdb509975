//! Where one is sent on to.

use super::Community;
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};

/// A way back inside this server; anything else leads home. Browsers drop tabs and line ends from
/// addresses, so none may stand in it.
pub(super) fn local(next: &str) -> &str {
    let inside = next.starts_with('/')
        && !next.starts_with("//")
        && !next.starts_with("/\\")
        && !next.contains(char::is_control);
    if inside { next } else { "/" }
}

/// Where someone lands in a space: its room `general`, else its first room, else the space itself.
pub(super) async fn landing_page(
    community: &Community,
    account: AccountId,
    space: SpaceId,
) -> Result<String> {
    let rooms = community.rooms.in_space(account, space, false).await?;
    let general = rooms.iter().find(|room| room.name == "general");
    Ok(general.or(rooms.first()).map_or_else(
        || format!("/spaces/{space}"),
        |room| format!("/rooms/{}", room.id),
    ))
}
