//! What a push message says: one form that Safari shows by itself (declarative web push) and that
//! the service worker of other browsers reads.

use serde_json::json;

use super::super::inbox::Item;

/// Bytes of a title and a text, so that a message stays below 3 KiB, escaped as JSON.
const MAX_TITLE_BYTES: usize = 200;
const MAX_BODY_BYTES: usize = 300;

fn cut(text: &str, bytes: usize) -> String {
    let end = text.floor_char_boundary(bytes);
    let plain = text.get(..end).unwrap_or_default().chars();
    // A control character takes six bytes in JSON.
    plain
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// The message about a notice. `origin` is that of this server.
pub(super) fn payload(item: &Item, origin: &str, unread: i64) -> String {
    let title = match item.place.is_empty() || item.is_direct {
        true => item.line.clone(),
        false => format!("{} · #{}", item.line, item.place),
    };
    let tag = match item.room {
        Some(room) => format!("room-{room}"),
        None => format!("notice-{}", item.id),
    };
    let message = json!({
        "web_push": 8030,
        "notification": {
            "title": cut(&title, MAX_TITLE_BYTES),
            "body": cut(&item.text, MAX_BODY_BYTES),
            "navigate": format!("{origin}{}", item.path()),
            "dir": "auto",
            "tag": tag,
        },
        "app_badge": unread,
    });
    message.to_string()
}
