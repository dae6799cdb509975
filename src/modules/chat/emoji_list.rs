//! The lists of emoji for the picker and for the completion of names: the standard ones, and those
//! of a room's space.

use std::sync::LazyLock;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use emojis::{Emoji, Group, SkinTone};

use super::Chat;
use crate::base::error::Result;
use crate::base::ids::RoomId;
use crate::community::permissions::READ;
use crate::engine::viewer::Viewer;

/// Tones of one person, from light to dark. Two people may have two tones; those are not listed.
const TONES: [SkinTone; 5] = [
    SkinTone::Light,
    SkinTone::MediumLight,
    SkinTone::Medium,
    SkinTone::MediumDark,
    SkinTone::Dark,
];

/// The list as JSON, 160 KB: the groups in their order, each a list of emoji. An emoji is
/// `[character, names, words]` with names as in `:name:`, separated by spaces; where it has skin
/// tones, its five variants follow.
static LIST: LazyLock<String> = LazyLock::new(|| {
    let groups = Group::iter().map(|group| group.emojis().map(entry).collect::<Vec<_>>());
    serde_json::to_string(&groups.collect::<Vec<_>>()).unwrap_or_default()
});

fn entry(emoji: &Emoji) -> Vec<String> {
    let names: Vec<&str> = emoji.shortcodes().collect();
    let mut entry = vec![
        emoji.as_str().to_owned(),
        names.join(" "),
        emoji.name().to_owned(),
    ];
    let toned = TONES.iter().map(|tone| emoji.with_skin_tone(*tone));
    entry.extend(toned.flatten().map(|emoji| emoji.as_str().to_owned()));
    entry
}

/// Answers the list. It changes with the program only.
pub(super) async fn emoji_list() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "private, max-age=86400"),
    ];
    (headers, LIST.as_str()).into_response()
}

/// Answers the emoji of a room's space, by name: `[name, address of the picture]`.
pub(super) async fn room_emoji(
    State(chat): State<Chat>,
    viewer: Viewer,
    Path(room): Path<RoomId>,
) -> Result<Json<Vec<[String; 2]>>> {
    let access = &chat.community.access;
    let room = access.permit_in_room(viewer.account, &READ, room).await?;
    let all = match room.space {
        Some(space) => chat.community.emoji.list(space).await?,
        None => Vec::new(),
    };
    let entries = all.into_iter().map(|emoji| {
        let href = emoji.href();
        [emoji.name, href]
    });
    Ok(Json(entries.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_emoji_is_listed_with_its_names_and_tones() {
        let groups: Vec<Vec<Vec<String>>> = serde_json::from_str(&LIST).unwrap();
        let all: Vec<&Vec<String>> = groups.iter().flatten().collect();
        assert_eq!(all.len(), emojis::iter().count());
        let wave = all.iter().find(|entry| entry[0] == "👋").unwrap();
        assert_eq!(wave[1], "wave");
        assert_eq!(wave[3..], ["👋🏻", "👋🏼", "👋🏽", "👋🏾", "👋🏿"]);
        let grin = all.iter().find(|entry| entry[0] == "😀").unwrap();
        assert_eq!(grin.len(), 3, "it has no skin");
    }
}
