//! Why somebody who reads a room cannot write in it, and what they can do about that.

use super::{Chat, POST};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::community::{Room, RoomKind};

/// Why an account that reads a room cannot write in it: an icon, and the key of the words.
pub(super) async fn closed(
    chat: &Chat,
    account: AccountId,
    room: &Room,
) -> Result<Option<(&'static str, &'static str)>> {
    let access = &chat.community.access;
    let refused = match access.permit_in_room(account, &POST, room.id).await {
        Ok(_) if room.space.is_none() && chat.community.is_closed(room.id).await? => {
            return Ok(Some(("lock", "conversation-closed-notice")));
        }
        Ok(_) => return Ok(None),
        Err(Error::Forbidden(why) | Error::Conflict(why)) => why,
        Err(error) => return Err(error),
    };
    Ok(Some(match refused {
        "error-room-archived" => ("archive", "room-archived-notice"),
        "error-room-read-only" => ("lock", "room-read-only-notice"),
        "error-not-permitted" if room.rules.kind == RoomKind::Announcement => {
            ("megaphone", "room-announcement-notice")
        }
        "error-not-permitted" => ("lock", "room-no-writing-notice"),
        why => ("lock", why),
    }))
}

/// What somebody can do who cannot write: an address, and the key of its words.
pub(super) fn remedy(why: &str, space: Option<SpaceId>) -> Option<(String, &'static str)> {
    match (why, space) {
        ("error-guest", _) => Some(("/guest".to_owned(), "guest-stay-link")),
        ("error-rules-first", Some(space)) => Some((
            format!("/spaces/{space}/rules-text"),
            "space-rules-read-link",
        )),
        _ => None,
    }
}
